"""Deliveries of reports, as all messages are sent (guardrails/delivery/outbox.py)."""

from typing import Final

from guardrails.delivery.outbox import LEASE as LEASE
from guardrails.delivery.outbox import MOST_FAILURES as MOST_FAILURES
from guardrails.delivery.outbox import Outbox

from ..models import Channel, Delivery, Recipient
from . import hooks, mail


def is_wanted(delivery: Delivery) -> bool:
    """Whether the recipient is still one, and what the report is of still there."""
    project = delivery.report.schedule.project
    if delivery.recipient is None or (project is not None and not project.is_active):
        return False
    return Recipient.objects.filter(pk=delivery.recipient.pk).reached().exists()


OUTBOX: Final = Outbox(
    Delivery,
    ("report__schedule__project", "report__schedule__organization", "recipient"),
    is_wanted,
    {Channel.EMAIL: mail.send, Channel.SLACK: hooks.send_to_slack, Channel.WEBHOOK: hooks.send_to_webhook},
)
deliver = OUTBOX.deliver
claim = OUTBOX.claim
give_up_abandoned = OUTBOX.give_up_abandoned
untold = OUTBOX.untold
