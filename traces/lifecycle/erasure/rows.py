"""The rows of a project's traces, in every table that holds something of a trace."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from agentops_portal.clickhouse import ddl
from agentops_portal.units import NS_OF_DAY, NS_OF_QUARTER
from traces.ingest.agents import AgentRun
from traces.ingest.uploads import Upload, asked_trace_ids
from traces.reading.sharing import ShareLink
from traces.store.rollups.guardrail_runs import GUARDRAIL_RUNS
from traces.store.rollups.rollup import NO_TRACE, units_since_1970
from traces.store.rollups.trace_summaries import TRACE_SUMMARIES
from traces.store.schema.tables import SPANS, UNREADABLE
from traces.store.schema.verdicts import VERDICTS

from .records import Erasure, ErasureKind


@dataclass(frozen=True)
class Traced:
    """A table of ClickHouse and the SQL condition of the rows of traces; %s: the project, then the ids."""

    name: str
    condition: str


# The summaries last: they say where a trace is, should the others have to be looked for again.
IN_CLICKHOUSE = (
    Traced(GUARDRAIL_RUNS.table, "project_id = %s AND trace_id IN %s"),
    # A request that nobody could read may hold the ids as they came, in bytes.
    Traced(UNREADABLE, "project_id = %s AND arrayExists(id -> position(body, unhex(id)) > 0, %s)"),
    Traced(VERDICTS, "project_id = %s AND TraceId IN %s"),
    Traced(SPANS, "project_id = %s AND TraceId IN %s"),
    Traced(TRACE_SUMMARIES.table, "project_id = %s AND trace_id IN %s"),
)

RowsOfTraces = Callable[[UUID, Sequence[str]], QuerySet[Any]]
_above: dict[str, RowsOfTraces] = {}


def register(name: str, rows: RowsOfTraces) -> None:
    """Called when the portal starts, by an app above this one that keeps rows of traces, too: they go with them."""
    _above[name] = rows


def find(cursor: CursorWrapper, erasure: Erasure) -> list[str]:
    """The ids of the traces that are meant. Raises django.db.Error.

    Points of metrics are of no trace, and of nobody: they stay.
    """
    project = str(erasure.project_id)
    if erasure.kind == ErasureKind.TRACE:
        conditions = {SPANS: "TraceId = %s", TRACE_SUMMARIES.table: "trace_id = %s"}
    elif erasure.kind == ErasureKind.USER:
        conditions = {SPANS: "user_id = %s", TRACE_SUMMARIES.table: "user.id = %s"}
    else:
        conditions = {SPANS: "session_id = %s", TRACE_SUMMARIES.table: "session.id = %s"}
    found: set[str] = set()
    for table, condition in conditions.items():
        column = "TraceId" if table == SPANS else "trace_id"
        cursor.execute(
            f"SELECT DISTINCT {column} FROM {table} "  # noqa: S608
            f"WHERE project_id = %s AND {condition} AND {column} NOT IN ('', %s)",
            [project, erasure.value, NO_TRACE],
        )
        found |= {trace_id for (trace_id,) in cursor.fetchall()}
    return sorted(found)


def quarters_of(cursor: CursorWrapper, project_id: UUID, trace_ids: Sequence[str]) -> set[int]:
    """The quarters of an hour that hold a span of these traces, and some between them: from the summaries, which are
    there until the rest is gone.
    """
    quarters_a_day = NS_OF_DAY // NS_OF_QUARTER
    start, end = (units_since_1970(name, NS_OF_QUARTER) for name in ("started", "ended"))
    cursor.execute(
        f"SELECT DISTINCT arrayJoin(range({start}, least({end}, (day + 1) * {quarters_a_day} - 1) + 1)) "  # noqa: S608
        f"FROM {TRACE_SUMMARIES.table} WHERE project_id = %s AND trace_id IN %s",
        _parameters(project_id, trace_ids),
    )
    return {int(quarter) for (quarter,) in cursor.fetchall()}


def count(cursor: CursorWrapper, project_id: UUID, trace_ids: Sequence[str]) -> dict[str, int]:
    """Rows of these traces by table, those of PostgreSQL included."""
    counts = {}
    parameters = _parameters(project_id, trace_ids)
    for table in IN_CLICKHOUSE:
        cursor.execute(f"SELECT count() FROM {table.name} WHERE {table.condition}", parameters)  # noqa: S608
        counts[table.name] = int(cursor.fetchone()[0])
    return counts | {name: rows.count() for name, rows in in_postgres(project_id, trace_ids).items()}


def delete(cursor: CursorWrapper, table: Traced, project_id: UUID, trace_ids: Sequence[str]) -> None:
    """Nothing is done to a table without such rows: each DELETE is work for every part."""
    parameters = _parameters(project_id, trace_ids)
    cursor.execute(f"SELECT DISTINCT _partition_id FROM {table.name} WHERE {table.condition}", parameters)  # noqa: S608
    for (partition,) in cursor.fetchall():
        cursor.execute(
            f"DELETE FROM {ddl.local(table.name)} {ddl.on_cluster()} IN PARTITION ID '{partition}' "  # noqa: S608
            f"WHERE {table.condition}",
            parameters,
        )


def in_postgres(project_id: UUID, trace_ids: Sequence[str]) -> dict[str, QuerySet[Any]]:
    filed = {name for trace_id in trace_ids for name in asked_trace_ids(trace_id)}
    return {
        "uploads": Upload.objects.filter(project=project_id, trace_id__in=filed).order_by(),
        "share_links": ShareLink.objects.filter(project=project_id, trace_id__in=trace_ids).order_by(),
        "agent_runs": AgentRun.objects.filter(agent__project=project_id, trace_id__in=trace_ids).order_by(),
        **{name: rows(project_id, trace_ids) for name, rows in _above.items()},
    }


def _parameters(project_id: UUID, trace_ids: Sequence[str]) -> list[Any]:
    return [str(project_id), list(trace_ids)]
