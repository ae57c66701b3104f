"""Where guardrails stepped in and where none looked: by model, agent and user of the traces, and over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.dialects.base import GUARDRAIL_OUTCOMES
from traces.store.figures import FIGURES

from .guardrails import RUNS
from .steps import Step, key_sql, steps_of
from .summaries import traces_sql

COUNTED = tuple(outcome for outcome in GUARDRAIL_OUTCOMES if outcome != "allowed")
_ACTED = "blocked + masked + flagged + failed"  # an unknown outcome is no act
Place = Literal["model", "agent", "user"]
PLACES: tuple[Place, ...] = ("model", "agent", "user")


@dataclass(frozen=True)
class GuardedPlace:
    """A model, agent or user: its traces that called a model, those of them with a guardrail run, and the runs of all
    its traces by what came of them.
    """

    place: Place
    name: str
    with_calls: int
    with_calls_and_runs: int
    masked: int
    flagged: int
    blocked: int
    failed: int
    unknown: int

    @property
    def coverage(self) -> float | None:
        """As of GuardedTraces; None when no trace called a model."""
        return self.with_calls_and_runs / self.with_calls if self.with_calls else None


def most_stepped_in(scope: Scope, limit: int) -> dict[Place, list[GuardedPlace]]:
    """Of each kind the `limit` with the most blocks, then masks, flags and failures; those without any are left out."""
    found = _places(scope, "stepped_in", f"{_ACTED} > 0", "blocked DESC, acted DESC", PLACES, limit)
    return {place: [each for each in found if each.place == place] for place in PLACES}


def least_covered(scope: Scope, limit: int) -> list[GuardedPlace]:
    """Models and agents with traces that called a model and that no guardrail saw, the most such traces first."""
    unseen = "with_calls - with_calls_and_runs"
    return _places(scope, "unseen", f"{unseen} > 0", f"{unseen} DESC", ("model", "agent"), limit)


def runs_over_time(scope: Scope, step: Step, zone: ZoneInfo) -> dict[datetime, dict[str, int]]:
    """Start of each step that the scope touches, as a time zone cuts it → runs that start in it, by outcome."""
    steps = steps_of(scope, step, zone)
    counts = ", ".join(f"countIf(outcome = '{name}') AS {name}" for name in GUARDRAIL_OUTCOMES)
    rows = select(
        f"""
        SELECT {key_sql(step)} AS step, count() AS runs, {counts}
        FROM (SELECT intDiv(toUnixTimestamp64Nano(started), 900000000000) AS quarter, outcome {RUNS})
        GROUP BY step
        """,
        name="guarded.runs_over_time",
        scope=scope,
        parameters=steps.parameters,
    )
    found = {row.pop("step"): dict(row) for row in rows}
    nothing = dict.fromkeys(("runs", *GUARDRAIL_OUTCOMES), 0)
    return {start: found.get(key, nothing) for key, start in steps.starts.items()}


def _places(
    scope: Scope, name: str, having: str, order: str, places: Sequence[Place], limit: int
) -> list[GuardedPlace]:
    arrays = {
        "model": "arrayMap(name -> ('model', name), of_models)",
        "agent": "arrayMap(name -> ('agent', name), of_agents)",
        "user": "if(of_user = '', [], [('user', of_user)])",
    }
    columns = {
        "of_models": FIGURES["models"],
        "of_agents": FIGURES["agents"],
        "of_user": FIGURES["user_id"],
        "has_calls": f"{FIGURES['llm_calls']} > 0",
        "has_runs": f"{FIGURES['guardrail_runs']} > 0",
        **{f"of_{outcome}": FIGURES[f"{outcome}_runs"] for outcome in COUNTED},
    }
    sums = ", ".join(f"sum(of_{outcome}) AS {outcome}" for outcome in COUNTED)
    rows = select(
        f"""
        SELECT who.1 AS place, who.2 AS name, countIf(has_calls) AS with_calls,
            countIf(has_calls AND has_runs) AS with_calls_and_runs, {sums}, {_ACTED} AS acted
        FROM ({traces_sql(scope, columns)})
        ARRAY JOIN arrayConcat({", ".join(arrays[place] for place in places)}) AS who
        GROUP BY place, name
        HAVING {having}
        ORDER BY {order}, place, name
        LIMIT {{limit:UInt32}} BY place
        """,
        name=f"guarded.{name}",
        scope=scope,
        parameters={"limit": limit},
    )
    for row in rows:
        row.pop("acted")
    return [GuardedPlace(**row) for row in rows]
