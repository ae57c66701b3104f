"""Copies the spans of a table that was there before the portal (schema/adoption.py) into the portal's own.

Every block that is copied fills typed columns and roll-ups, as a span that arrives does. Rows carry a mark, so hours
that an interrupted copy had done are known by their number of rows; an hour that is there in part is taken out and
copied again, and the roll-ups, which counted it, are emptied: `manage.py migrate` computes them at its end. The old
table stays, for people to drop.

A migration asks for the copy, and it is made when the store has today's columns (shape/keep.py): what is taken over
counts by the same rules as what arrives.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

import structlog
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from agentops_portal.units import NS_OF_HOUR
from traces.store.schema.adoption import BEFORE, found
from traces.store.schema.tables import EXPORTER_COLUMNS, SPANS

log = structlog.get_logger(__name__)

ROWS_AT_ONCE = 500_000
MARK = "adopted"  # of the rows, in the place of a request's digest
_WAITS = "Its rows wait to be copied by manage.py migrate."  # comment of the old table
_HOUR = f"intDiv(toUnixTimestamp64Nano(Timestamp), {NS_OF_HOUR})"
_SETTINGS = (
    "SETTINGS throw_on_max_partitions_per_insert_block = 0, max_block_size = 65536, "
    "min_insert_block_size_rows = 65536, max_insert_threads = 1"
)
Hours = dict[int, int]  # hour since 1970 → rows


def ask_for_copy(connection: BaseDatabaseWrapper) -> None:
    """Of the table that was there before the portal, if there was one."""
    with connection.cursor() as cursor:
        if found(cursor, BEFORE):
            cursor.execute(f"ALTER TABLE {BEFORE} MODIFY COMMENT '{_WAITS}'")


def waits(connection: BaseDatabaseWrapper) -> bool:
    """A copy was asked for and is not finished."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = %s AND comment = %s",
            [BEFORE, _WAITS],
        )
        return bool(cursor.fetchall())


def copy_what_waits(connection: BaseDatabaseWrapper, rollups: Collection[str]) -> None:
    """Once: what is deleted from the portal later does not come back. `rollups` as for `copy_rows`."""
    if waits(connection):
        copy_rows(connection, rollups)
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {BEFORE} MODIFY COMMENT ''")


def copy_rows(connection: BaseDatabaseWrapper, rollups: Collection[str] = ()) -> int:
    """Copy what is not copied yet; gives the rows of the old table, 0 when there is none. Raises django.db.Error.

    rollups: the tables that views fill with what is copied.
    """
    with connection.cursor() as cursor:
        old = found(cursor, BEFORE)
        if old is None:
            return 0
        wanted = _hours(cursor, BEFORE)
        have = _hours(cursor, SPANS, f"WHERE request_digest = toFixedString('{MARK}', 16)")
        torn = sorted(hour for hour, rows in have.items() if rows < wanted.get(hour, 0))
        for hour in torn:
            cursor.execute(
                f"DELETE FROM {SPANS} WHERE request_digest = toFixedString('{MARK}', 16) AND {_of([hour])}"  # noqa: S608
            )
        done = {hour for hour, rows in have.items() if rows >= wanted.get(hour, 0)}
        _copy(cursor, set(old.columns), {hour: rows for hour, rows in wanted.items() if hour not in done}, wanted)
        if have:  # nobody knows what the views had made of a block that was the last, or of rows that were taken out
            for rollup in rollups:
                cursor.execute(f"TRUNCATE TABLE {rollup}")
    total = sum(wanted.values())
    log.warning(f"{total} spans were taken over; {BEFORE} is not needed any more, drop it when you like", rows=total)
    return total


def _hours(cursor: CursorWrapper, table: str, where: str = "") -> Hours:
    cursor.execute(f"SELECT toInt32({_HOUR}) AS hour, count() FROM {table} {where} GROUP BY hour ORDER BY hour")  # noqa: S608
    return dict(cursor.fetchall())


def _copy(cursor: CursorWrapper, columns: set[str], hours: Hours, wanted: Hours) -> None:
    total = sum(wanted.values())
    copied = total - sum(hours.values())
    names = [name for name in EXPORTER_COLUMNS if name in columns]
    values = [_value(name, columns) for name in names]
    for group in _groups(hours):
        cursor.execute(
            f"INSERT INTO {SPANS} ({_listed(names)}, request_digest) "  # noqa: S608
            f"SELECT {', '.join(values)}, toFixedString('{MARK}', 16) FROM {BEFORE} WHERE {_of(group)} {_SETTINGS}"
        )
        copied += sum(hours[hour] for hour in group)
        until = datetime.fromtimestamp(max(min(group[-1] + 1, 2_500_000), 0) * 3600, UTC)
        log.warning(
            f"taking over the spans of {BEFORE}: {100 * copied // total} %",
            rows=copied,
            of=total,
            until=until.isoformat(),
        )


def _value(name: str, columns: set[str]) -> str:
    """SQL: a column of the old table as the portal stores it; names and words of earlier exporters included."""
    if name == "Duration":
        return "toUInt64(greatest(Duration, 0))"
    if name == "StatusCode":  # STATUS_CODE_ERROR is Error
        return "initcap(replaceOne(toString(StatusCode), 'STATUS_CODE_', ''))"
    if name == "SpanKind":  # SPAN_KIND_SERVER is Server
        return "initcap(replaceOne(toString(SpanKind), 'SPAN_KIND_', ''))"
    if name == "ResourceAttributes" and "project_id" in columns:
        return (
            "if(project_id = '' OR ResourceAttributes['agentops.project.id'] != '', ResourceAttributes, "
            "mapConcat(ResourceAttributes, map('agentops.project.id', project_id)))"
        )
    return f"`{name}`"


def _groups(hours: Hours) -> Iterator[list[int]]:
    """Hours in their order, as many as make ROWS_AT_ONCE."""
    group: list[int] = []
    for hour in sorted(hours):
        if group and sum(hours[each] for each in group) + hours[hour] > ROWS_AT_ONCE:
            yield group
            group = []
        group.append(hour)
    if group:
        yield group


def _of(hours: list[int]) -> str:
    """SQL: the rows of these hours; the range beside lets ClickHouse skip what lies far from them."""
    first, last = (hours[0] - 1) * NS_OF_HOUR, (hours[-1] + 2) * NS_OF_HOUR
    start, end = (
        f"fromUnixTimestamp64Nano(toInt64({max(-(2**63), min(each, 2**63 - 1))}), 'UTC')" for each in (first, last)
    )
    return f"Timestamp >= {start} AND Timestamp <= {end} AND {_HOUR} IN ({', '.join(map(str, hours))})"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
