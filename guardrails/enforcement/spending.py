"""What was spent of budgets, and which calls in flight have arrived.

A budget of all calls together is what the usage roll-up says of its window, whoever made them. Of a key, a user or a
model it is the cost of those calls that came through the guardrail, for the roll-up does not know these names as the
proxy does. Either way ClickHouse is asked at most twice a second for each counter, by one process, and beside the
requests while they keep coming; the first request after a pause waits for the answer.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import structlog
from django.db import close_old_connections

from agentops_portal.clickhouse.gate import ProjectsScope, Scope
from projects.models import Project
from traces.store.queries.arrived_calls import arrived_calls
from traces.store.queries.watched import spent_since

from .counting import Asked, Standing, Waiting, counters
from .models import Limit, Per

log = structlog.get_logger(__name__)

ASK_AFTER: Final = timedelta(seconds=0.5)
OLD_AFTER: Final = timedelta(seconds=1.5)  # with the half second until a span is stored: two
MOST_IN_FLIGHT: Final = 2_000  # that are looked for, the newest: of what has not come for long nothing will
AHEAD: Final = timedelta(seconds=1)  # of our clock may be that of a client
_beside = ThreadPoolExecutor(max_workers=2, thread_name_prefix="spending")
_lock = threading.Lock()
_asking: dict[tuple[UUID, str, datetime], Future[None]] = {}  # counters that a thread of this process brings up to date


def keep_known(asked: Sequence[Asked], found: Sequence[Standing], now: datetime) -> None:
    """Have those counters of money brought up to date that will be old soon. Waits for nothing."""
    for each, standing in zip(asked, found, strict=True):
        if not each.is_cost or standing.asked_at is None or now - standing.asked_at < ASK_AFTER:
            continue
        answer, is_asked = _answer_about(each)
        if not is_asked:
            _beside.submit(_settle_beside, each, answer)


def know(asked: Asked) -> None:
    """Bring a counter up to date. Who comes while another thread does waits for that one.

    Raises ClickHouseError and CountersAway.
    """
    answer, is_asked = _answer_about(asked)
    if not is_asked:
        _settle_for(asked, answer)
    answer.result()


def _answer_about(asked: Asked) -> tuple[Future[None], bool]:
    """What those wait for who need the counter, and whether somebody is about it already."""
    with _lock:
        if asked.name in _asking:
            return _asking[asked.name], True
        answer = _asking[asked.name] = Future()
        return answer, False


def _settle_beside(asked: Asked, answer: Future[None]) -> None:
    _settle_for(asked, answer, unless_claimed=True)
    if error := answer.exception():
        log.warning("a budget is not counted", error=type(error).__name__)
    close_old_connections()


def _settle_for(asked: Asked, answer: Future[None], *, unless_claimed: bool = False) -> None:
    """unless_claimed: another process is about it."""
    error = None
    try:
        if not unless_claimed or counters().claim(asked, datetime.now(UTC), ASK_AFTER):
            settle(asked)
    except Exception as fault:  # all who wait hear of it
        error = fault
    with _lock:
        del _asking[asked.name]
    if error is None:
        answer.set_result(None)
    else:
        answer.set_exception(error)


def settle(asked: Asked) -> None:
    """Count what has arrived. Which calls have is asked before what was spent: then those that are released are in it.

    Raises ClickHouseError and CountersAway.
    """
    now = datetime.now(UTC)
    costs = _arrived(counters().waiting(asked, now, MOST_IN_FLIGHT))
    spent = _spent(asked.limit, asked.start, asked.end) if asked.limit.per == Per.ALL else None
    counters().settle(asked, now, costs, spent)


def _arrived(waiting: list[Waiting]) -> dict[str, Decimal]:
    """Reservation → cost of its call, of those whose span is stored."""
    found: dict[str, Decimal] = {}
    for project_id in {each.project_id for each in waiting}:
        of_project = [each for each in waiting if each.project_id == project_id and each.trace_id]
        if not of_project:
            continue
        scope = Scope(project_id, of_project[-1].created_at - timedelta(minutes=1), datetime.now(UTC) + AHEAD)
        calls = arrived_calls(scope, {each.trace_id for each in of_project})
        for each in of_project:
            cost = calls.of(each.trace_id, each.call_id)
            if cost is not None:
                found[each.id] = cost
    return found


def _spent(limit: Limit, start: datetime, end: datetime) -> Decimal:
    """By all projects of the limit."""
    projects = Project.objects.active().filter(organization=limit.organization_id)
    if limit.project_id:
        projects = projects.filter(pk=limit.project_id)
    scope = ProjectsScope(tuple(projects.values_list("pk", flat=True)), start, end)
    found = spent_since(scope, [start], "project")
    return sum((spent.cost for of_project in found.values() for spent in of_project.values()), Decimal(0))
