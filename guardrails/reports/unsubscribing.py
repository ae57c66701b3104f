"""Links that prove an address: to confirm it before the first report, and to end the reports.

Neither needs an account. A link is of one recipient of one schedule, and of the address that it was sent to.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from .models import Recipient

_SALT: Final = "guardrails.reports."
CONFIRM: Final = "confirm"
UNSUBSCRIBE: Final = "unsubscribe"


def token_of(recipient: Recipient, purpose: str) -> str:
    value = f"{recipient.pk}:{recipient.address}"
    return salted_hmac(_SALT + purpose, value, algorithm="sha256").hexdigest()


def unsubscribe_link(recipient: Recipient) -> str:
    return _link(recipient, UNSUBSCRIBE)


def confirm_link(recipient: Recipient) -> str:
    return _link(recipient, CONFIRM)


def recipient_of(recipient_id: UUID, token: str, purpose: str) -> Recipient | None:
    """Whose link this is; None for one that was made up, or whose recipient was removed."""
    found = Recipient.objects.filter(pk=recipient_id).select_related("schedule__organization").first()
    if found is None or not constant_time_compare(token, token_of(found, purpose)):
        return None
    return found


def confirm(recipient: Recipient, now: datetime) -> None:
    """From the next report on it goes there. Who has unsubscribed and opens the link again wants it again."""
    if recipient.confirmed_at is None or recipient.unsubscribed_at is not None:
        recipient.confirmed_at, recipient.unsubscribed_at = now, None
        recipient.save(update_fields=["confirmed_at", "unsubscribed_at"])


def unsubscribe(recipient: Recipient, now: datetime) -> None:
    """Nothing more goes there, not even what waits to be sent. Doing it again changes nothing."""
    if recipient.unsubscribed_at is None:
        recipient.unsubscribed_at = now
        recipient.save(update_fields=["unsubscribed_at"])


def _link(recipient: Recipient, purpose: str) -> str:
    return settings.PORTAL_URL + reverse(f"report-{purpose}", args=(recipient.pk, token_of(recipient, purpose)))
