"""What guardrails did in time: their runs by outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agentops_portal.clickhouse.gate import Scope, select
from agentops_portal.units import NS_OF_QUARTER
from traces.store.dialects.base import GUARDRAIL_OUTCOMES

from .guardrails import DURATION, RUNS
from .steps import Step, key_sql, steps_of


@dataclass(frozen=True)
class Outcomes:
    """Runs of guardrails, each counted once."""

    runs: int = 0
    allowed: int = 0
    masked: int = 0
    flagged: int = 0
    blocked: int = 0
    failed: int = 0
    unknown: int = 0
    p50_ns: float = 0.0  # of the runs' durations; 0 when nothing ran
    p95_ns: float = 0.0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Outcomes":
        p50, p95 = row["durations"] if row["runs"] else (0.0, 0.0)
        return cls(row["runs"], **{name: row[name] for name in GUARDRAIL_OUTCOMES}, p50_ns=p50, p95_ns=p95)


_COUNTS = ", ".join(f"countIf(outcome = '{name}') AS {name}" for name in GUARDRAIL_OUTCOMES)
_COLUMNS = f"count() AS runs, {_COUNTS}, quantilesExact(0.5, 0.95)(duration) AS durations"


def outcomes(scope: Scope) -> Outcomes:
    """Of all runs that start in the scope."""
    [row] = select(
        f"SELECT {_COLUMNS} FROM (SELECT outcome, {DURATION} AS duration {RUNS})",
        name="guardrail_steps.outcomes_total",
        scope=scope,
    )
    return Outcomes.of(row)


def outcomes_over_time(scope: Scope, step: Step, zone: ZoneInfo) -> dict[datetime, Outcomes]:
    """Of the runs that start in each step, empty steps included."""
    steps = steps_of(scope, step, zone)
    rows = select(
        f"""
        SELECT {key_sql(step)} AS step, {_COLUMNS}
        FROM (
            SELECT outcome, {DURATION} AS duration, intDiv(toUnixTimestamp64Nano(started), {NS_OF_QUARTER}) AS quarter
            {RUNS}
        )
        GROUP BY step
        """,
        name="guardrail_steps.outcomes",
        scope=scope,
        parameters=steps.parameters,
    )
    found = {row["step"]: Outcomes.of(row) for row in rows}
    return {start: found.get(key, Outcomes()) for key, start in steps.starts.items()}
