"""The traces of a range, of its steps and of the range that it is compared with: all of it in one question.

The figures are those of trace_metrics.py and guardrails.py: a trace counts in each range that it overlaps, with all of
its spans, in the step in which it starts or, if it began before the range, in the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from agentops_portal.clickhouse.gate import Scope, select
from agentops_portal.units import EPOCH, NS_OF_QUARTER
from traces.store.figures import FIGURES

from .guardrails import GUARDED_COLUMNS, GUARDED_FIGURES, GuardedTraces
from .steps import Step, key_sql, steps_of
from .summaries import traces_sql
from .trace_metrics import COUNTS, DURATION_COLUMNS, SUM_FIGURES, Durations, TraceSums

# Of the range and the one that it is compared with those that a trace overlaps: whether it is the range, and its start.
_OVERLAPPED = """arrayFilter(
    each -> end_ns >= tupleElement(each, 2) AND start_ns < tupleElement(each, 3),
    [(true, {now_from:Int64}, {now_until:Int64}), (false, {before_from:Int64}, {before_until:Int64})])"""


@dataclass(frozen=True)
class TracesFigures:
    """Of some traces."""

    sums: TraceSums = TraceSums()  # noqa: RUF009  (it is frozen)
    durations: Durations = Durations()  # noqa: RUF009
    guarded: GuardedTraces = GuardedTraces()  # noqa: RUF009

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "TracesFigures":
        guarded = {name: row[name] for name in GuardedTraces.__dataclass_fields__}
        return cls(TraceSums.of(row), Durations.of(row), GuardedTraces(**guarded))


@dataclass(frozen=True)
class Compared:
    """`before` is of the range that is compared with; `steps` are those of the range itself, empty ones included."""

    now: TracesFigures
    before: TracesFigures | None
    steps: Mapping[datetime, TracesFigures]


def compared(scope: Scope, before: Scope | None, step: Step, zone: ZoneInfo) -> Compared:
    """`before`: of the same project; it begins before the scope does, and None compares with nothing."""
    if before and scope.start - before.end > scope.end - scope.start:
        # What lies between the two is more than they are: they are asked one by one.
        earlier = compared(before, None, step, zone)
        return replace(compared(scope, None, step, zone), before=earlier.now)
    both = Scope(scope.project_id, before.start, max(scope.end, before.end)) if before else scope
    steps = steps_of(scope, step, zone)
    columns = {**SUM_FIGURES, **GUARDED_FIGURES, "start_ns": FIGURES["start_ns"], "end_ns": FIGURES["end_ns"]}
    rows = select(
        f"""
        SELECT is_now, if(is_now, {key_sql(step)}, 0) AS step, grouping(step) AS is_total,
            {COUNTS}, {DURATION_COLUMNS}, {GUARDED_COLUMNS}
        FROM (
            SELECT *, tupleElement(overlapped, 1) AS is_now,
                intDiv(greatest(start_ns, tupleElement(overlapped, 2)), {NS_OF_QUARTER}) AS quarter
            FROM (SELECT *, arrayJoin({_OVERLAPPED}) AS overlapped FROM ({traces_sql(both, columns)}))
        )
        GROUP BY GROUPING SETS ((is_now), (is_now, step))
        """,
        name="compared.traces",
        scope=both,
        parameters={**steps_of(both, step, zone).parameters, **_times("now", scope), **_times("before", before)},
    )
    totals = {bool(row["is_now"]): TracesFigures.of(row) for row in rows if row["is_total"]}
    found = {row["step"]: TracesFigures.of(row) for row in rows if row["is_now"] and not row["is_total"]}
    return Compared(
        now=totals.get(True, TracesFigures()),
        before=totals.get(False, TracesFigures()) if before else None,
        steps={start: found.get(key, TracesFigures()) for key, start in steps.starts.items()},
    )


def _times(name: str, scope: Scope | None) -> dict[str, int]:
    """Nanoseconds since 1970; of no scope no moment lies between them."""
    times = (_nanoseconds(scope.start), _nanoseconds(scope.end)) if scope else (0, 0)
    return {f"{name}_from": times[0], f"{name}_until": times[1]}


def _nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
