"""What is no longer needed of decisions and counters."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from .models import Decision, LimitUse, Reservation

DECISIONS_KEPT: Final = timedelta(days=90)
COUNTERS_KEPT: Final = timedelta(days=62)  # the longest window is a month
RESERVATIONS_KEPT: Final = timedelta(hours=1)  # after they have ended: of counters that nobody asks any more
AT_ONCE: Final = 10_000


def tidy(now: datetime) -> None:
    """Safe to run twice, and to be interrupted: rows go by the ten thousand."""
    _remove(Decision.objects.filter(at__lt=now - DECISIONS_KEPT))
    _remove(Reservation.objects.filter(expires_at__lt=now - RESERVATIONS_KEPT))
    _remove(LimitUse.objects.filter(window_start__lt=now - COUNTERS_KEPT))


def _remove(rows: "QuerySet[Decision] | QuerySet[Reservation] | QuerySet[LimitUse]") -> None:
    while some := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        rows.model._default_manager.filter(pk__in=some).delete()
