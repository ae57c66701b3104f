"""Removes spans that are stored twice: two receivers took the same one at the same moment, or a Collector that writes
`otel_traces` itself tried again. One receiver stores none twice (traces/ingest/inbox/once.py).
"""

from collections.abc import Iterator
from datetime import date
from itertools import groupby
from typing import Any

import structlog
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from agentops_portal.clickhouse import ddl
from agentops_portal.units import EPOCH_DAY, NS_OF_HOUR
from traces.store.schema.tables import SPANS

from .rollup import units_since_1970

log = structlog.get_logger(__name__)

RECEIVED_DAYS = 2  # of how many days the inserts are checked
ROWS_AT_ONCE = 500
# What is looked at together: the memory it takes follows the spans of an hour.
_HOUR = units_since_1970("Timestamp", NS_OF_HOUR)
_IN_HOUR = (
    "Timestamp >= fromUnixTimestamp64Nano(toInt64(%s), 'UTC') "
    "AND Timestamp < fromUnixTimestamp64Nano(toInt64(%s), 'UTC')"
)
_SPAN = "project_id, TraceId, SpanId, toUnixTimestamp64Nano(Timestamp), is_pending"
_ROW = "TraceId, SpanId, toUnixTimestamp64Milli(received_at), hex(request_digest)"


def remove_doubles(connection: BaseDatabaseWrapper, before: date) -> int:
    """Delete all rows but the first of each span that was received lately and began before that day (UTC).

    Gives the number of rows. The roll-ups still count them.
    """
    removed = 0
    with connection.cursor() as cursor:
        for hour in _hours(cursor, before):
            times = [hour * NS_OF_HOUR, (hour + 1) * NS_OF_HOUR]
            rows = list(_doubles(cursor, times))
            for first in range(0, len(rows), ROWS_AT_ONCE):
                _delete(cursor, times, rows[first : first + ROWS_AT_ONCE])
            removed += len(rows)
    if removed:
        log.warning("spans that were stored twice are stored once", rows=removed)
    return removed


def _hours(cursor: CursorWrapper, before: date) -> list[int]:
    cursor.execute(
        f"SELECT DISTINCT toInt64({_HOUR}) AS hour FROM {SPANS} "
        f"WHERE received_at > now64(3) - toIntervalDay({RECEIVED_DAYS}) AND hour < %s ORDER BY hour",
        [(before - EPOCH_DAY).days * 24],
    )
    return [hour for (hour,) in cursor.fetchall()]


def _doubles(cursor: CursorWrapper, times: list[int]) -> Iterator[tuple[Any, ...]]:
    """What tells the rows to be deleted apart. A row that nothing tells from the first one stays."""
    cursor.execute(
        f"""
        SELECT {_SPAN}, {_ROW} FROM {SPANS}
        WHERE {_IN_HOUR} AND span_hash IN (
            SELECT span_hash FROM {SPANS} WHERE {_IN_HOUR}
            GROUP BY project_id, span_hash, Timestamp, is_pending HAVING count() > 1
        )
        ORDER BY {_SPAN}, received_at, request_digest
        """,
        [*times, *times],
    )
    for (project_id, *_), rows in groupby(cursor.fetchall(), lambda row: row[:5]):
        first, *others = (row[5:] for row in rows)
        yield from ((project_id, *row) for row in dict.fromkeys(others) if row != first)


def _delete(cursor: CursorWrapper, times: list[int], rows: list[tuple[Any, ...]]) -> None:
    wanted = ", ".join(["(%s, %s, %s, %s, %s)"] * len(rows))
    cursor.execute(
        f"DELETE FROM {ddl.local(SPANS)} {ddl.on_cluster()} WHERE {_IN_HOUR} AND (project_id, {_ROW}) IN ({wanted})",
        [*times, *(value for row in rows for value in row)],
    )
