"""What guardrails did in time: their runs by outcome, and the traces that they covered and blocked."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from agentops_portal.clickhouse.gate import Scope, select
from agentops_portal.units import NS_OF_QUARTER
from traces.store.dialects.base import GUARDRAIL_OUTCOMES
from traces.store.figures import FIGURES

from .guardrails import GUARDED_COLUMNS, GUARDED_FIGURES, RUNS, GuardedTraces
from .steps import Step, key_sql, steps_of
from .summaries import traces_sql


@dataclass(frozen=True)
class Outcomes:
    """Runs of guardrails, each counted once."""

    runs: int = 0
    allowed: int = 0
    masked: int = 0
    flagged: int = 0
    blocked: int = 0
    failed: int = 0


def outcomes_over_time(scope: Scope, step: Step, zone: ZoneInfo) -> dict[datetime, Outcomes]:
    """Of the runs that start in each step, empty steps included."""
    steps = steps_of(scope, step, zone)
    counts = ", ".join(f"countIf(outcome = '{name}') AS {name}" for name in GUARDRAIL_OUTCOMES)
    rows = select(
        f"""
        SELECT {key_sql(step)} AS step, count() AS runs, {counts}
        FROM (
            SELECT outcome, intDiv(toUnixTimestamp64Nano(started), {NS_OF_QUARTER}) AS quarter {RUNS}
        )
        GROUP BY step
        """,
        name="guardrail_steps.outcomes",
        scope=scope,
        parameters=steps.parameters,
    )
    found = {row.pop("step"): Outcomes(**row) for row in rows}
    return {start: found.get(key, Outcomes()) for key, start in steps.starts.items()}


def guarded_over_time(scope: Scope, step: Step, zone: ZoneInfo) -> dict[datetime, GuardedTraces]:
    """Of the traces that start in each step, empty steps included; their sum is what guarded_traces says."""
    steps = steps_of(scope, step, zone)
    columns = {**GUARDED_FIGURES, "quarter": f"intDiv({FIGURES['start_ns']}, {NS_OF_QUARTER})"}
    rows = select(
        f"SELECT {key_sql(step)} AS step, {GUARDED_COLUMNS} FROM ({traces_sql(scope, columns)}) GROUP BY step",
        name="guardrail_steps.traces",
        scope=scope,
        parameters=steps.parameters,
    )
    found = {row.pop("step"): GuardedTraces(**row) for row in rows}
    return {start: found.get(key, GuardedTraces()) for key, start in steps.starts.items()}
