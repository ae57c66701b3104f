"""The channels Slack and webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://www.standardwebhooks.com.
"""

import base64
import time
from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac
from standardwebhooks import Webhook

from ..models import Delivery, Recipient
from ..rendering.files import SLACK, WEBHOOK
from . import outbound
from .outcomes import InDoubt, NotSent, Sent

_SALT: Final = "guardrails.reports.webhook"
SLACK_FINAL: Final = (400, 403, 404, 405, 410)  # the hook was removed, its channel is gone, the app was uninstalled
JSON: Final = {"Content-Type": "application/json", "User-Agent": "AgentOps-Portal"}


def send_to_slack(delivery: Delivery) -> Sent:
    """Slack cannot tell a message that comes twice, so one in doubt stays in doubt. Raises NotSent and InDoubt."""
    return _outcome(outbound.post(delivery.address, _content(delivery, SLACK), JSON), final=SLACK_FINAL)


def send_to_webhook(delivery: Delivery) -> Sent:
    """The receiver knows a message by its webhook-id, which stays: one in doubt is sent again. Raises NotSent."""
    if delivery.recipient is None:
        raise NotSent("the recipient is gone", is_final=True)
    body = _content(delivery, WEBHOOK)
    now = datetime.now(UTC)
    message_id = f"report_{delivery.pk.hex}"
    signatures = [Webhook(secret).sign(message_id, now, body.decode()) for secret in secrets_of(delivery.recipient)]
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    try:
        answer = outbound.post(delivery.address, body, {**JSON, **headers})
    except InDoubt as doubt:
        raise NotSent(str(doubt)) from None
    return _outcome(answer, final=(410,))


def secrets_of(recipient: Recipient) -> list[str]:
    """What a receiver checks signatures with: of today's SECRET_KEY, and of those that it replaced."""
    return [_secret(recipient, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _secret(recipient: Recipient, key: str) -> str:
    digest = salted_hmac(_SALT, str(recipient.pk), secret=key, algorithm="sha256").digest()
    return f"whsec_{base64.b64encode(digest).decode()}"


def _content(delivery: Delivery, kind: str) -> bytes:
    file = delivery.report.files.filter(kind=kind).first()
    if file is None:
        raise NotSent("the report is gone", is_final=True)
    return bytes(file.content)


def _outcome(answer: outbound.Answer, *, final: Collection[int]) -> Sent:
    said = f"{answer.status} {answer.text[:200]}"
    if 200 <= answer.status < 300:
        return Sent(said)
    if 300 <= answer.status < 400:
        raise NotSent(f"{answer.status}: redirects are not followed", is_final=True)
    raise NotSent(said, is_final=answer.status in final, wait=_wait(answer))


def _wait(answer: outbound.Answer) -> float | None:
    """Seconds that Retry-After asks for, as a number or a date."""
    text = answer.headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
