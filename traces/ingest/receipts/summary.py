"""What the ingest page says of receipts, in the reader's words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agentops_portal import formats

from .models import IngestReceipt

# Why a request is refused: `reason` of the errors in otlp/errors.py.
REASONS: dict[str, Promise] = {
    "bad_data": gettext_lazy("not readable as OTLP"),
    "too_large": gettext_lazy("too large"),
    "unsupported_media_type": gettext_lazy("wrong Content-Type"),
    "rate_limited": gettext_lazy("above the project's limit"),
    "overloaded": gettext_lazy("receiver had too much to do"),
    "unavailable": gettext_lazy("span store did not answer"),
    "unauthenticated": gettext_lazy("no valid key"),
    "forbidden": gettext_lazy("key may not send"),
    "unreadable": gettext_lazy("not decodable by ClickHouse"),
    "internal": gettext_lazy("fault of the receiver"),
}
# Exporters hold spans back for a few seconds, so a small difference says nothing of the clock.
TOLERATED_SKEW_MS = 5_000


@dataclass(frozen=True)
class Summary:
    """What all keys of a project did since a moment; `last_accepted_at` is of any time."""

    accepted_spans: int
    rejected_spans: int
    refused_requests: int
    keys: int
    last_accepted_at: datetime | None
    last_seen_at: datetime | None


def summary(project_id: UUID, since: datetime) -> Summary:
    receipts = IngestReceipt.objects.of_project(project_id)
    recent = list(receipts.between(since))
    latest = receipts.order_by().aggregate(accepted=Max("last_accepted_at"), seen=Max("last_seen_at"))
    return Summary(
        accepted_spans=sum(receipt.accepted_spans for receipt in recent),
        rejected_spans=sum(receipt.rejected_spans for receipt in recent),
        refused_requests=sum(receipt.refused_requests for receipt in recent),
        keys=len({receipt.key_id for receipt in recent}),
        last_accepted_at=latest["accepted"],
        last_seen_at=latest["seen"],
    )


def first_hour(now: datetime, hours: int) -> datetime:
    """The beginning of the last `hours` hours; the running one counts."""
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)


def refusals(refused: dict[str, int]) -> Iterable[tuple[str, int]]:
    """(reason in words, requests), the most frequent first."""
    ordered = sorted(refused.items(), key=lambda item: (-item[1], item[0]))
    return [(str(REASONS.get(reason, reason)), count) for reason, count in ordered]


def not_stored(counts: dict[str, int]) -> Iterable[str]:
    """How many items of each signal were accepted and not kept, in words."""
    for signal, count in sorted(counts.items()):
        if signal == "logs":
            words = ngettext("%(number)s log record", "%(number)s log records", count)
        else:
            words = ngettext("%(number)s data point of metrics", "%(number)s data points of metrics", count)
        yield words % {"number": formats.count(count)}


def clock(skew_ms: int | None) -> str:
    """What a difference between the client's clock and the receiver's means; '' when it means nothing."""
    if skew_ms is None or abs(skew_ms) <= TOLERATED_SKEW_MS:
        return ""
    time = formats.rough_duration(abs(skew_ms) // 1000)
    if skew_ms > 0:
        return _("The clock runs %(time)s ahead.") % {"time": time}
    return _("The clock runs %(time)s behind, or spans are sent late.") % {"time": time}
