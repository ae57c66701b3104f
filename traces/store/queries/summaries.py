"""`trace_summaries`: traces from the rows that inserts and days left of them.

A trace is in a range that it overlaps: it starts before the range ends, and something that it began by the last day of
the range ends in the range or later. So a trace that has run for days is in the last hour, and one that rested for all
of a short range is not looked for.

Nearly every trace has one row, so its figures are expressions over that row, and sums over a million traces are sums
over columns. The few that have several (they cross midnight, or their rows are not merged yet) are found by their hash
standing there twice, and are put together first. The answer never depends on what has been merged.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from uuid import UUID

from agentops_portal.clickhouse.gate import ProjectsScope, Scope, select
from agentops_portal.units import NS_OF_DAY
from traces.store.figures import TraceFigures, figures_sql, ingredients_of, merged_ingredients
from traces.store.rollups.rollup import units_since_1970
from traces.store.rollups.trace_summaries import TRACE_SUMMARIES

from .scopes import whole_time

TABLE = TRACE_SUMMARIES.table
OF_PROJECT = "project_id = {project_id:String}"
STARTED = "started >= {start:DateTime64(9)} AND started < {end:DateTime64(9)}"
_FIRST_DAY = units_since_1970("{start:DateTime64(9)}", NS_OF_DAY)
_LAST_DAY = units_since_1970("{end:DateTime64(9)}", NS_OF_DAY)
_DAYS = f"day >= {_FIRST_DAY} AND day <= {_LAST_DAY}"
IN_DAYS = f"{OF_PROJECT} AND {_DAYS}"
# Rows of traces that overlap the range. An index on the ends leaves few rows of the days before it.
_REACHES = f"day <= {_LAST_DAY} AND ended >= {{start:DateTime64(9)}}"
OVERLAPS = "ended >= {start:DateTime64(9)} AND started < {end:DateTime64(9)}"
# The same of a ProjectsScope.
OF_PROJECTS = "project_id IN {project_ids:Array(String)}"
IN_DAYS_OF_PROJECTS = f"{OF_PROJECTS} AND {_DAYS}"

# Up to here the traces of the range are looked up among all of the project; sorting all beats a set of so many.
SHORT = timedelta(days=8)


def _where(scope: Scope | ProjectsScope) -> tuple[str, str]:
    """Conditions of a row: of the scope's project or projects, and that it reaches into the scope besides."""
    of_project = OF_PROJECT if isinstance(scope, Scope) else OF_PROJECTS
    return of_project, f"{of_project} AND {_REACHES}"


def _split(scope: Scope | ProjectsScope) -> str:
    """Hashes of traces that may have several rows, at least one of them in the range."""
    of_project, reaching = _where(scope)
    of_range = f"trace_hash GLOBAL IN (SELECT trace_hash FROM {TABLE} WHERE {reaching})"
    rows = f"{of_project} AND {of_range}" if scope.end - scope.start < SHORT else of_project
    hashes = f"SELECT arraySort(groupArray(trace_hash)) AS hashes FROM {TABLE} WHERE {rows}"
    repeated = "arrayFilter((one, next) -> one = next, hashes, arrayPopFront(arrayPushBack(hashes, 0)))"
    # Scalar subqueries are worked out once, however often they stand in a query.
    return f"(SELECT arrayJoin((SELECT {repeated} FROM ({hashes}))))"


def traces_sql(scope: Scope | ProjectsScope, columns: Mapping[str, str], *, started: bool = False) -> str:
    """A source of one row for each trace that overlaps the scope; `columns`: name → expression over ingredients,
    and of a ProjectsScope over `project_id`: two projects may have traces of one id.

    started: only those that start in the scope.
    """
    wanted = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    merged = merged_ingredients(ingredients_of("started", "ended", *columns.values()))
    one, merged = (
        ("trace_id", merged) if isinstance(scope, Scope) else ("project_id, trace_id", f"project_id, {merged}")
    )
    of_project, reaching = _where(scope)
    rows, traces = (f"{of_project} AND {_DAYS}", STARTED) if started else (reaching, OVERLAPS)
    split = _split(scope)
    return f"""
        SELECT {wanted} FROM {TABLE} WHERE {rows} AND {traces} AND trace_hash NOT IN {split}
        UNION ALL
        SELECT {wanted} FROM (
            SELECT {merged} FROM {TABLE} PREWHERE trace_hash IN {split} WHERE {of_project} GROUP BY {one}
        ) WHERE {traces}
    """


def newest_rows_sql(follows: str) -> str:
    """At most {limit:UInt32} rows as (trace_id, start_ns), the newest first, of those that fit `follows`.

    Each trace's earliest row stands where the trace belongs; later ones stand before it. The table is read from its
    last day on, and no further than needed.
    """
    return f"""
        SELECT trace_id, toUnixTimestamp64Nano(started) AS start_ns FROM {TABLE}
        WHERE {IN_DAYS} AND {STARTED} AND {follows}
        ORDER BY day DESC, started DESC, trace_id DESC
        LIMIT {{limit:UInt32}}
        SETTINGS max_threads = 1, read_in_order_use_buffering = 0
    """


def figures_of(project_id: UUID, trace_ids: Collection[str]) -> dict[str, TraceFigures]:
    """The figures of traces by their ids, all of their spans included, without those that the project does not have."""
    if not trace_ids:
        return {}
    rows = select(
        figures_sql(f"""
            SELECT {merged_ingredients()} FROM {TABLE}
            PREWHERE trace_hash IN (SELECT cityHash64(arrayJoin({{trace_ids:Array(String)}})))
            WHERE {IN_DAYS} AND trace_id IN {{trace_ids:Array(String)}}
            GROUP BY trace_id
        """),
        name="summaries.figures",
        scope=whole_time(project_id),
        parameters={"trace_ids": list(trace_ids)},
    )
    return {row["figure_trace_id"]: TraceFigures.of(row) for row in rows}
