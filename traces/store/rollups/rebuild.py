"""Computes roll-ups anew from the spans: for spans that were stored before the roll-ups existed, and after a crash.

ClickHouse writes the spans of an insert and their roll-up rows one after the other. When it is killed in between, the
roll-ups miss spans, for good: the client was not answered and sends them again, but they are known to be stored. The
rows of whole days are then deleted and computed again.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta

import structlog
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from agentops_portal.clickhouse import ddl
from agentops_portal.units import EPOCH_DAY, NS_OF_DAY
from traces.store.schema.tables import SPANS

from .all import ROLLUPS
from .rollup import Rollup, on_day, units_since_1970

log = structlog.get_logger(__name__)

PASSES = 3
# Days whose rows are deleted by one statement: each takes seconds, however few rows it deletes.
STRETCH = 31
# An insert that began so long ago may have stored its spans and not yet its roll-up rows.
IN_FLIGHT = timedelta(minutes=1)
_DAY = units_since_1970("Timestamp", NS_OF_DAY)


class StillReceiving(Exception):
    """Spans of these days keep arriving, so nobody knows whether they were counted once."""

    def __init__(self, days: Collection[date]) -> None:
        super().__init__(f"Spans of {', '.join(map(str, sorted(days)))} keep arriving.")
        self.days = days


def rebuild(connection: BaseDatabaseWrapper, since: date | None = None, until: date | None = None) -> int:
    """Compute the roll-ups of the days from `since` until before `until` (UTC) anew; returns the number of days.

    Pages show too little of a stretch of days while it is computed. Raises StillReceiving when spans of these days
    arrive meanwhile, after PASSES attempts; the others are done.
    """
    with connection.cursor() as cursor:
        days = wanted = _days(cursor, since, until)
        for _ in range(PASSES):
            started = now_of(cursor)
            recompute(cursor, days)
            days = wanted & _days_received_since(cursor, started - IN_FLIGHT)
            if not days:
                return len(wanted)
    raise StillReceiving([EPOCH_DAY + timedelta(days=day) for day in days])


def recompute(cursor: CursorWrapper, days: Collection[int]) -> None:
    """Compute the roll-ups of these days since 1970 anew, whatever arrives meanwhile."""
    for first, end in _stretches(days):
        _rebuild_days(cursor, first, end)


def _days(cursor: CursorWrapper, since: date | None, until: date | None) -> set[int]:
    """Days since 1970 that have spans or rows of a roll-up."""
    units = [(rollup.table, rollup.day()) for rollup in ROLLUPS]
    found: set[int] = set()
    for table, day in [(SPANS, _DAY), *units]:
        cursor.execute(f"SELECT DISTINCT toInt32({day}) FROM {table}")
        found |= {row[0] for row in cursor.fetchall()}
    first = (since - EPOCH_DAY).days if since else min(found, default=0)
    end = (until - EPOCH_DAY).days if until else max(found, default=0) + 1
    return {day for day in found if first <= day < end}


def now_of(cursor: CursorWrapper) -> datetime:
    """ClickHouse's clock, by which it notes when spans arrive."""
    cursor.execute("SELECT toUnixTimestamp64Milli(now64(3))")
    [(milliseconds,)] = cursor.fetchall()
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _days_received_since(cursor: CursorWrapper, moment: datetime) -> set[int]:
    cursor.execute(
        f"SELECT DISTINCT toInt32({_DAY}) FROM {SPANS} WHERE received_at >= fromUnixTimestamp64Milli(toInt64(%s))",
        [int(moment.timestamp() * 1000)],
    )
    return {row[0] for row in cursor.fetchall()}


def _stretches(days: Collection[int]) -> Iterator[tuple[int, int]]:
    """The first day and the one after the last of days that follow one another, at most STRETCH of them."""
    ordered = sorted(days)
    while ordered:
        first = end = ordered[0]
        while ordered and ordered[0] == end and end - first < STRETCH:
            end = ordered.pop(0) + 1
        yield first, end


def _rebuild_days(cursor: CursorWrapper, first: int, end: int) -> None:
    for rollup in ROLLUPS:
        _delete(cursor, rollup, first, end)
        for day in range(first, end):
            for statement in rollup.computed(on_day(str(day))):
                cursor.execute(statement)


def _delete(cursor: CursorWrapper, rollup: Rollup, first: int, end: int) -> None:
    rows = rollup.in_days(str(first), str(end))
    cursor.execute(f"SELECT 1 FROM {rollup.table} WHERE {rows} LIMIT 1")
    if cursor.fetchall():
        cursor.execute(f"DELETE FROM {ddl.local(rollup.table)} {ddl.on_cluster()} WHERE {rows}")
