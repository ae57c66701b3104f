"""Counting against limits: exact for any number of processes, for one statement of PostgreSQL counts and decides.

A budget counts what is stored (spending.py) and what is reserved for calls in flight. All limits of a call are counted
in one transaction: a call that one of them refuses counts in none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from agentops_portal.clickhouse.gate import ClickHouseError

from . import spending
from .models import Limit, LimitUse, Measure, Per, Reservation, Window

log = structlog.get_logger(__name__)

# PostgreSQL does not answer, or the limit was removed while it was counted. Any other error is a fault of ours, and no
# reason to let calls pass.
AWAY: Final = (OperationalError, InterfaceError, IntegrityError)
IN_FLIGHT: Final = timedelta(minutes=10)  # after which a call is taken to have cost nothing

# A row is locked from here to the end of the transaction. No row comes back when the amount is reached.
COUNT: Final = """
INSERT INTO {table} AS kept (limit_id, value, window_start, used, reserved) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (limit_id, value, window_start) DO UPDATE
    SET used = kept.used + excluded.used, reserved = kept.reserved + excluded.reserved
    WHERE %s OR kept.used + kept.reserved + excluded.used + excluded.reserved <= %s
RETURNING kept.id, kept.used, kept.reserved
"""


@dataclass(frozen=True)
class Call:
    """Who calls what, as far as the client says, and how many tokens its prompt is taken to have."""

    project_id: UUID
    key: str = ""
    user: str = ""
    model: str = ""
    trace_id: str = ""
    call_id: str = ""
    tokens: int = 0

    def value(self, per: str) -> str:
        values = {Per.ALL: "", Per.KEY: self.key, Per.USER: self.user, Per.MODEL: self.model}
        return values[Per(per)]


@dataclass(frozen=True)
class State:
    """How a limit stands after a call was counted, or refused."""

    limit: Limit
    value: str
    used: Decimal | None  # None: cannot be counted now
    reserved: Decimal
    resets_at: datetime
    refused: bool = False


class _Refused(Exception):
    def __init__(self, state: State) -> None:
        self.state = state


def take(limits: Sequence[Limit], call: Call, now: datetime) -> list[State]:
    """Count a call. One state says `refused` when it may not be made; that of a limit in shadow decides nothing."""
    states: list[State] = []
    countable: list[Limit] = []
    for limit in limits:
        if limit.measure == Measure.COST and not _is_fresh(limit, call, now):
            states.append(_unknown(limit, call, now))
        else:
            countable.append(limit)
    if any(state.refused and not state.limit.shadow for state in states):
        return states
    try:
        with transaction.atomic():
            for limit in countable:
                states.append(_count(limit, call, now))
    except _Refused as refusal:
        return [*states[: len(limits) - len(countable)], refusal.state]
    except AWAY as error:
        log.warning("limits are not counted", error=type(error).__name__)
        return [_unknown(limit, call, now) for limit in limits]
    return states


def window_of(window: str, now: datetime) -> tuple[datetime, datetime]:
    """When it began and when it ends."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if window == Window.MONTH:
        first = day.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    if window == Window.WEEK:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    if window == Window.DAY:
        return day, day + timedelta(days=1)
    hour = day.replace(hour=now.astimezone(UTC).hour)
    if window == Window.HOUR:
        return hour, hour + timedelta(hours=1)
    minute = hour.replace(minute=now.minute)
    return minute, minute + timedelta(minutes=1)


def uses_of(limit: Limit, now: datetime, most: int = 5) -> list[LimitUse]:
    """What is used of a limit in the window that runs, by those who used most of it."""
    start, _ = window_of(limit.window, now)
    return list(limit.uses.filter(window_start=start).select_related("limit").order_by("-used")[:most])


def _is_fresh(limit: Limit, call: Call, now: datetime) -> bool:
    """Whether it is known what was spent; asks when it is not."""
    try:
        spending.know(limit, call.value(limit.per), *window_of(limit.window, now))
    except (ClickHouseError, *AWAY) as error:
        log.warning("a budget is not known", error=type(error).__name__)
        return False
    return True


def _count(limit: Limit, call: Call, now: datetime) -> State:
    start, end = window_of(limit.window, now)
    value = call.value(limit.per)
    is_cost = limit.measure == Measure.COST
    used = Decimal(call.tokens if limit.measure == Measure.TOKENS else 1) if not is_cost else Decimal(0)
    reserved = limit.reserve if is_cost else Decimal(0)
    row = None
    if limit.shadow or used + reserved <= limit.amount:
        row = _upsert(limit, value, start, used, reserved)
    if row is None:
        raise _Refused(_standing(limit, value, start, end))
    use_id, used_now, reserved_now = row
    if is_cost:
        Reservation.objects.create(
            use_id=use_id,
            project_id=call.project_id,
            amount=reserved,
            trace_id=call.trace_id,
            call_id=call.call_id,
            created_at=now,
            expires_at=now + IN_FLIGHT,
        )
    over = limit.shadow and used_now + reserved_now > limit.amount
    return State(limit, value, used_now, reserved_now, end, refused=over)


def _upsert(
    limit: Limit, value: str, start: datetime, used: Decimal, reserved: Decimal
) -> tuple[int, Decimal, Decimal] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT.format(table=LimitUse._meta.db_table),
            [limit.pk, value, start, used, reserved, limit.shadow, limit.amount],
        )
        row = cursor.fetchone()
    return row or None


def _standing(limit: Limit, value: str, start: datetime, end: datetime) -> State:
    use = LimitUse.objects.filter(limit=limit, value=value, window_start=start).first()
    used, reserved = (use.used, use.reserved) if use else (Decimal(0), Decimal(0))
    return State(limit, value, used, reserved, end, refused=True)


def _unknown(limit: Limit, call: Call, now: datetime) -> State:
    _, end = window_of(limit.window, now)
    return State(limit, call.value(limit.per), None, Decimal(0), end, refused=not limit.fails_open)
