"""What was spent of budgets, and which calls in flight have arrived.

A budget of all calls together is what the usage roll-up says of its window, whoever made them. Of a key, a user or a
model it is the cost of those calls that came through the guardrail, for the roll-up does not know these names as the
proxy does. Either way ClickHouse is asked at most once a second for each counter, by one process, and beside the
requests while they keep coming; the first request after a pause waits for the answer.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from django.db import Error, close_old_connections, transaction
from django.db.models import Q, QuerySet

from agentops_portal.clickhouse.gate import ClickHouseError, Scope
from projects.models import Project
from traces.store.queries.arrived_calls import arrived_calls
from traces.store.queries.usage import usage_total

from .models import Limit, LimitUse, Per, Reservation

log = structlog.get_logger(__name__)

ASK_AFTER: Final = timedelta(seconds=1)
OLD_AFTER: Final = timedelta(seconds=2)
MOST_IN_FLIGHT: Final = 2_000  # that are looked for, the newest: of what has not come for long nothing will
MOST_KNOWN: Final = 10_000
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
# When a counter was brought up to date, as this process saw it: until ASK_AFTER nobody looks again.
_known: dict[tuple[UUID, str, datetime], datetime] = {}
_beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spending")
_asking = threading.Lock()


class _Waiting(NamedTuple):
    """A reservation."""

    pk: int
    project_id: UUID
    trace_id: str
    call_id: str
    created_at: datetime


def know(limit: Limit, value: str, start: datetime, end: datetime) -> None:
    """See to it that the counter of a budget is there and at most OLD_AFTER old. Raises ClickHouseError, and Error."""
    name = (limit.pk, value, start)
    if datetime.now(UTC) - _known.get(name, _LONG_AGO) < ASK_AFTER:
        return
    use, _ = LimitUse.objects.get_or_create(limit=limit, value=value, window_start=start)
    age = _age(use)
    if use.asked_at is not None:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[name] = use.asked_at
    if age >= ASK_AFTER and age < OLD_AFTER:
        _beside.submit(_settle_beside, use.pk, end)
    if age < OLD_AFTER:
        return
    with _asking:
        use.refresh_from_db()
        if _age(use) >= OLD_AFTER:
            settle(use, end)


def _settle_beside(use_id: int, end: datetime) -> None:
    try:
        now = datetime.now(UTC)
        due = Q(claimed_at=None) | Q(claimed_at__lte=now - ASK_AFTER)
        if LimitUse.objects.filter(due, pk=use_id).update(claimed_at=now):
            settle(LimitUse.objects.select_related("limit").get(pk=use_id), end)
    except (ClickHouseError, Error, LimitUse.DoesNotExist) as error:
        log.warning("a budget is not counted", error=type(error).__name__)
    finally:
        close_old_connections()


def settle(use: LimitUse, end: datetime) -> None:
    """Count what has arrived. Which calls have is asked before what was spent: then those that are released are in it.

    Raises ClickHouseError.
    """
    now = datetime.now(UTC)
    newest = use.reservations.filter(expires_at__gt=now).order_by("-created_at")[:MOST_IN_FLIGHT]
    waiting = [_Waiting(*row) for row in newest.values_list(*_Waiting._fields)]
    costs = _arrived(waiting)
    spent = _spent(use.limit, use.window_start, end) if use.limit.per == Per.ALL else None
    with transaction.atomic():
        # The counter first, as those do who reserve: two that wait for each other would wait for ever.
        counter = LimitUse.objects.select_for_update(of=("self",)).get(pk=use.pk)
        released, cost = _release(use.reservations.filter(Q(pk__in=costs) | Q(expires_at__lte=now)), costs)
        counter.reserved = max(Decimal(0), counter.reserved - released)
        counter.used = counter.used + cost if spent is None else spent
        counter.asked_at = now
        counter.save(update_fields=["used", "reserved", "asked_at"])


def _release(rows: QuerySet[Reservation], costs: dict[int, Decimal]) -> tuple[Decimal, Decimal]:
    """What was reserved for these, and what they did cost. A row that another process released is gone already."""
    gone = list(rows.select_for_update().values_list("pk", "amount"))
    Reservation.objects.filter(pk__in=[pk for pk, _ in gone]).delete()
    released = sum((amount for _, amount in gone), Decimal(0))
    return released, sum((costs.get(pk, Decimal(0)) for pk, _ in gone), Decimal(0))


def _arrived(waiting: list[_Waiting]) -> dict[int, Decimal]:
    """Reservation → cost of its call, of those whose span is stored."""
    found: dict[int, Decimal] = {}
    for project_id in {each.project_id for each in waiting}:
        of_project = [each for each in waiting if each.project_id == project_id and each.trace_id]
        if not of_project:
            continue
        scope = Scope(project_id, of_project[-1].created_at - timedelta(minutes=1), datetime.now(UTC) + ASK_AFTER)
        calls = arrived_calls(scope, {each.trace_id for each in of_project})
        for each in of_project:
            cost = calls.of(each.trace_id, each.call_id)
            if cost is not None:
                found[each.pk] = cost
    return found


def _spent(limit: Limit, start: datetime, end: datetime) -> Decimal:
    """By all projects of the limit."""
    projects = Project.objects.active().filter(organization=limit.organization_id)
    if limit.project_id:
        projects = projects.filter(pk=limit.project_id)
    costs = (usage_total(Scope(pk, start, end)).cost for pk in projects.values_list("pk", flat=True))
    return sum((cost.known or Decimal(0) for cost in costs), Decimal(0))


def _age(use: LimitUse) -> timedelta:
    return timedelta.max if use.asked_at is None else datetime.now(UTC) - use.asked_at
