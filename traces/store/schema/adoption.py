"""A database in which AgentOps or an OpenTelemetry Collector made the table `otel_traces` before the portal came.

Sort key, column types and indexes of such a table cannot be made the portal's own, so it is renamed, the portal's is
made, and the rows are copied hour by hour (traces/store/adoption.py). Whether that is possible is looked at before any
migration runs: a table of another kind is refused, and nothing has been touched.
"""

from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from agentops_portal.clickhouse import ddl
from agentops_portal.problems import StoreProblem

from .tables import SPANS

BEFORE = "otel_traces_before_portal"
# Without these a row is no span; others of the exporter may be missing, in one of an early version.
NEEDED = ("Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "Duration", "StatusCode")
MAPS = ("ResourceAttributes", "SpanAttributes")
# The exporter's look-up by trace id, which the portal has as a view (schema/rollups.py).
KNOWN_VIEWS = ("otel_traces_trace_id_ts_mv",)
SPARE = 1.2  # room on the disk that the copy needs, in sizes of the old table


@dataclass(frozen=True)
class Found:
    """What stands in the database under the name of a table."""

    engine: str
    bytes: int
    columns: dict[str, str]  # name → type

    @property
    def is_ours(self) -> bool:
        return {"request_digest", "ScopeAttributes"} <= self.columns.keys()


def found(cursor: CursorWrapper, table: str) -> Found | None:
    cursor.execute(
        "SELECT engine, ifNull(total_bytes, 0) FROM system.tables WHERE database = currentDatabase() AND name = %s",
        [table],
    )
    rows = cursor.fetchall()
    if not rows:
        return None
    cursor.execute("SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = %s", [table])
    return Found(rows[0][0], rows[0][1], dict(cursor.fetchall()))


def examine(connection: BaseDatabaseWrapper) -> None:
    """Raises StoreProblem when a table stands in the way that cannot be adopted. Changes nothing."""
    with connection.cursor() as cursor:
        table = found(cursor, SPANS)
        if table is None or table.is_ours:
            return
        faults = _faults(cursor, table)
    if faults:
        raise StoreProblem(
            f"The database {connection.settings_dict['NAME']} has a table {SPANS} that cannot be taken over: {faults}.",
            "Name another database in CLICKHOUSE_URL, or rename the table; nothing was changed.",
        )


def set_aside(connection: BaseDatabaseWrapper) -> None:
    """Rename a table that is to be adopted, so that the portal's own can be made. Raises StoreProblem."""
    examine(connection)
    with connection.cursor() as cursor:
        table = found(cursor, SPANS)
        if table is not None and not table.is_ours:
            cursor.execute(f"RENAME TABLE {SPANS} TO {BEFORE}")


def _faults(cursor: CursorWrapper, table: Found) -> str:
    """The first reason why not, as the end of a sentence; "" when there is none."""
    if ddl.cluster():
        return "CLICKHOUSE_CLUSTER is set, and rows are not moved on a cluster"
    if not table.engine.endswith("MergeTree"):
        return f"its engine is {table.engine}, not one of the MergeTree family"
    missing = [name for name in (*NEEDED, *MAPS) if name not in table.columns]
    if missing:
        return f"it has no {', '.join(missing)}"
    others = [f"{name} {table.columns[name]}" for name in MAPS if not table.columns[name].startswith("Map(")]
    if others:
        return f"{', '.join(others)} is no Map (the exporter's option json must be off)"
    if found(cursor, BEFORE) is not None:
        return f"there is a table {BEFORE} as well, from an earlier take-over"
    if views := _views(cursor):
        return f"{', '.join(views)} read it, and would read what is copied a second time"
    return _lack_of_room(cursor, table)


def _views(cursor: CursorWrapper) -> list[str]:
    """Materialized views that are filled from the table."""
    cursor.execute(
        "SELECT arrayJoin(dependencies_table) FROM system.tables WHERE database = currentDatabase() AND name = %s",
        [SPANS],
    )
    return sorted(name for (name,) in cursor.fetchall() if name not in KNOWN_VIEWS)


def _lack_of_room(cursor: CursorWrapper, table: Found) -> str:
    cursor.execute("SELECT sum(unreserved_space) FROM system.disks")
    [(free,)] = cursor.fetchall()
    if free > table.bytes * SPARE:
        return ""
    return f"its copy needs {table.bytes * SPARE / 1e9:.1f} GB, and {free / 1e9:.1f} GB of the disk are free"
