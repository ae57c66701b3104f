"""What policies watch, of many projects in one question each: over windows that end together, and over periods.

Windows are in seconds before the end of the scope, which begins with the longest of them. A trace is in the window in
which it starts, with all that has arrived of it. For one project, `…_by_minute` tell the same minute by minute.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from agentops_portal.clickhouse.gate import Limits, ProjectsScope, select
from agentops_portal.units import EPOCH, NS_OF_QUARTER
from traces.store.figures import COSTS, FIGURES
from traces.store.rollups.guardrail_runs import GUARDRAIL_RUNS, TRIPWIRE
from traces.store.rollups.rollup import units_since_1970
from traces.store.rollups.usage import USAGE

from .summaries import OF_PROJECTS, traces_sql
from .usage import USAGE_FIGURES

LIMITS = Limits(seconds=20, rows=500_000)
QUARTER = timedelta(minutes=15)
MOST_NAMES = 10_000  # models or users over a budget that are told one by one

_AMOUNTS = tuple(name for name in COSTS if name in ("reported_cost", "computed_cost"))
_TRACE = {
    "project": "project_id",
    "start_ns": FIGURES["start_ns"],
    "has_failed": f"({FIGURES['status']}) = 'error'",
    "of_tokens": FIGURES["total_tokens"],
    "has_calls": f"{FIGURES['llm_calls']} > 0",
    "has_runs": f"{FIGURES['guardrail_runs']} > 0",
    "has_blocks": f"{FIGURES['blocked_runs']} > 0",
}
_TRACES = """count() AS requests, countIf(has_failed) AS failed, sum(of_tokens) AS tokens,
    countIf(has_calls) AS with_calls,
    countIf(has_calls AND has_runs) AS with_calls_and_runs, countIf(has_runs) AS with_runs,
    countIf(has_blocks) AS with_blocks"""
_END_NS = "toUnixTimestamp64Nano({end:DateTime64(9)})"
_RUNS = f"""FROM {GUARDRAIL_RUNS.table} FINAL
    WHERE {OF_PROJECTS} AND outcome != '{TRIPWIRE}'
        AND started >= {{start:DateTime64(9)}} AND started < {{end:DateTime64(9)}}"""
_LAST_QUARTER = units_since_1970("{end:DateTime64(9)} - INTERVAL 1 NANOSECOND", NS_OF_QUARTER)
_FIRST_QUARTER = units_since_1970("{start:DateTime64(9)}", NS_OF_QUARTER)

Spender = Literal["project", "model", "user"]


@dataclass(frozen=True)
class WatchedTraces:
    """Traces that start in a window, by what they are."""

    requests: int = 0
    failed: int = 0
    tokens: int = 0
    with_calls: int = 0
    with_calls_and_runs: int = 0
    with_runs: int = 0
    with_blocks: int = 0


@dataclass(frozen=True)
class WatchedRuns:
    """Runs of one guardrail in a window, those of them that failed, and its runs in the time before the window."""

    runs: int = 0
    failed: int = 0
    before: int = 0


@dataclass(frozen=True)
class Spent:
    """US dollars, and LLM calls of which nobody knows what they cost."""

    cost: Decimal = Decimal(0)
    unknown_calls: int = 0


def watched_traces(scope: ProjectsScope, windows: Collection[int]) -> dict[tuple[UUID, int], WatchedTraces]:
    """By project and window; a window without a trace is left out."""
    rows = select(
        f"""
        SELECT project, window, {_TRACES} FROM ({traces_sql(scope, _TRACE, started=True)})
        ARRAY JOIN arrayFilter(seconds -> start_ns >= {_END_NS} - seconds * 1000000000, {{windows:Array(UInt32)}})
            AS window
        GROUP BY project, window
        """,
        name="watched.traces",
        scope=scope,
        parameters={"windows": sorted(windows)},
        limits=LIMITS,
    )
    return {(UUID(row.pop("project")), row.pop("window")): WatchedTraces(**row) for row in rows}


def watched_runs(
    scope: ProjectsScope, windows: Collection[int], compared: timedelta
) -> dict[tuple[UUID, int], dict[str, WatchedRuns]]:
    """By project and window the guardrails that ran in it, or in the time `compared` before it."""
    rows = select(
        f"""
        SELECT project_id AS project, window, toString(guardrail) AS name, countIf(is_now) AS runs,
            countIf(is_now AND has_failed) AS failed, countIf(NOT is_now) AS before
        FROM (
            SELECT project_id, guardrail, outcome = 'failed' AS has_failed, window,
                toUnixTimestamp64Nano(started) >= {_END_NS} - window * 1000000000 AS is_now
            FROM (SELECT project_id, guardrail, outcome, started {_RUNS})
            ARRAY JOIN arrayFilter(
                seconds -> toUnixTimestamp64Nano(started) >= {_END_NS} - (seconds + {{compared:UInt32}}) * 1000000000,
                {{windows:Array(UInt32)}}
            ) AS window
        )
        GROUP BY project, window, name
        """,
        name="watched.runs",
        scope=scope,
        parameters={"windows": sorted(windows), "compared": int(compared.total_seconds())},
        limits=LIMITS,
    )
    found: dict[tuple[UUID, int], dict[str, WatchedRuns]] = {}
    for row in rows:
        by_name = found.setdefault((UUID(row.pop("project")), row.pop("window")), {})
        by_name[row["name"]] = WatchedRuns(row["runs"], row["failed"], row["before"])
    return found


def spent_since(
    scope: ProjectsScope, starts: Collection[datetime], by: Spender, least: Decimal = Decimal(0)
) -> dict[tuple[UUID, datetime], dict[str, Spent]]:
    """By project and start of a period (at a quarter of an hour), what was spent from then to the end of the scope: by
    name of a model or user, or under "". Only of who spent `least` or more.
    """
    source = _spending(scope, by)
    rows = select(
        f"""
        SELECT project, since, who AS name, sum(amount) AS cost, sum(unknown) AS unknown_calls FROM ({source})
        ARRAY JOIN arrayFilter(each -> quarter >= each, {{starts:Array(Int32)}}) AS since
        GROUP BY project, since, name
        HAVING cost >= {{least:Decimal(38, 12)}} AND (cost > 0 OR unknown_calls > 0)
        ORDER BY cost DESC
        LIMIT {{most:UInt32}} BY project, since
        """,
        name=f"watched.spent_by_{by}",
        scope=scope,
        parameters={"starts": sorted(map(_quarter, starts)), "least": str(least), "most": MOST_NAMES},
        limits=LIMITS,
    )
    found: dict[tuple[UUID, datetime], dict[str, Spent]] = {}
    for row in rows:
        by_name = found.setdefault((UUID(row["project"]), EPOCH + row["since"] * QUARTER), {})
        by_name[row["name"]] = Spent(row["cost"], row["unknown_calls"])
    return found


def traces_by_minute(scope: ProjectsScope) -> dict[datetime, WatchedTraces]:
    """Start of a minute → traces that start in it."""
    rows = select(
        f"""
        SELECT intDiv(start_ns, 60000000000) AS minute, {_TRACES}
        FROM ({traces_sql(scope, _TRACE, started=True)}) GROUP BY minute
        """,
        name="watched.traces_by_minute",
        scope=scope,
        limits=LIMITS,
    )
    return {EPOCH + timedelta(minutes=row.pop("minute")): WatchedTraces(**row) for row in rows}


def runs_by_minute(scope: ProjectsScope) -> dict[str, dict[datetime, WatchedRuns]]:
    """Guardrail → start of a minute → its runs that start in it."""
    rows = select(
        f"""
        SELECT toString(guardrail) AS name, intDiv(toUnixTimestamp64Nano(started), 60000000000) AS minute,
            count() AS runs, countIf(outcome = 'failed') AS failed
        {_RUNS} GROUP BY name, minute
        """,
        name="watched.runs_by_minute",
        scope=scope,
        limits=LIMITS,
    )
    found: dict[str, dict[datetime, WatchedRuns]] = {}
    for row in rows:
        minutes = found.setdefault(row["name"], {})
        minutes[EPOCH + timedelta(minutes=row["minute"])] = WatchedRuns(row["runs"], row["failed"])
    return found


def spent_by_quarter(scope: ProjectsScope, by: Spender) -> dict[str, dict[datetime, Spent]]:
    """Name of a model or user, or "" → start of a quarter of an hour → what was spent in it."""
    source = _spending(scope, by)
    rows = select(
        f"""
        SELECT who AS name, quarter, sum(amount) AS cost, sum(unknown) AS unknown_calls
        FROM ({source}) GROUP BY name, quarter HAVING cost > 0 OR unknown_calls > 0
        """,
        name=f"watched.spent_by_quarter_and_{by}",
        scope=scope,
        limits=LIMITS,
    )
    found: dict[str, dict[datetime, Spent]] = {}
    for row in rows:
        quarters = found.setdefault(row["name"], {})
        quarters[EPOCH + row["quarter"] * QUARTER] = Spent(row["cost"], row["unknown_calls"])
    return found


def _spending(scope: ProjectsScope, by: Spender) -> str:
    """A source of (project, who, quarter, amount, unknown); who nobody names is in none by model or user."""
    if by == "user":
        columns: Mapping[str, str] = {
            "project": "project_id",
            "who": FIGURES["user_id"],
            "quarter": f"toInt32(intDiv({FIGURES['start_ns']}, {NS_OF_QUARTER}))",
            "amount": _sum_of(FIGURES),
            "unknown": FIGURES["unknown_cost_calls"],
        }
        return f"SELECT * FROM ({traces_sql(scope, columns, started=True)}) WHERE who != ''"
    of = "toString(model)" if by == "model" else "''"
    where = "AND model != ''" if by == "model" else ""
    source = f"""
        SELECT project_id AS project, {of} AS who, quarter, {_sum_of(USAGE_FIGURES)} AS amount,
            {USAGE_FIGURES["unknown_cost_calls"]} AS unknown
        FROM {USAGE.table}
        WHERE {OF_PROJECTS} AND quarter >= {_FIRST_QUARTER} AND quarter <= {_LAST_QUARTER} {where}
        GROUP BY project, who, quarter
    """
    return source


def _sum_of(figures: Mapping[str, Any]) -> str:
    return " + ".join(f"ifNull({figures[name]}, toDecimal128(0, 12))" for name in _AMOUNTS)


def _quarter(moment: datetime) -> int:
    return (moment - EPOCH) // QUARTER
