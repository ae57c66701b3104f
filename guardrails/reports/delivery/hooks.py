"""The channels Slack and webhook: the frozen message of a report."""

from typing import Final

from guardrails.delivery.hooks import post_signed, post_to_chat, signing_secrets
from guardrails.delivery.outcomes import NotSent, Sent

from ..models import Delivery, Recipient
from ..rendering.files import SLACK, WEBHOOK

_SALT: Final = "guardrails.reports.webhook"


def send_to_slack(delivery: Delivery) -> Sent:
    """Raises NotSent and InDoubt."""
    return post_to_chat(delivery.address, _content(delivery, SLACK))


def send_to_webhook(delivery: Delivery) -> Sent:
    """Raises NotSent."""
    if delivery.recipient is None:
        raise NotSent("the recipient is gone", is_final=True)
    body = _content(delivery, WEBHOOK)
    return post_signed(delivery.address, body, f"report_{delivery.pk.hex}", secrets_of(delivery.recipient))


def secrets_of(recipient: Recipient) -> list[str]:
    """What a receiver checks signatures with, the one to be shown first."""
    return signing_secrets(_SALT, recipient.pk)


def _content(delivery: Delivery, kind: str) -> bytes:
    file = delivery.report.files.filter(kind=kind).first()
    if file is None:
        raise NotSent("the report is gone", is_final=True)
    return bytes(file.content)
