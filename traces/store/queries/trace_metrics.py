"""Sums, trends and durations of the traces of a range that fit a filter, exact to the nanosecond.

One source for all: what a trend shows adds up to what the metrics of the same range say. A trace counts where it
starts, with all of its spans; one that began before the range, where the range does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from agentops_portal.clickhouse.gate import Scope, select
from agentops_portal.units import NS_OF_QUARTER
from traces.store.figures import COSTS, FIGURES, TOKENS, Cost

from .filters import TraceFilter
from .steps import Step, key_sql, steps_of
from .summaries import traces_sql

Interval = Literal["hour", "day", "week"]
BINS = 20  # of a histogram

COUNTED_NS = f"greatest({FIGURES['start_ns']}, toUnixTimestamp64Nano({{start:DateTime64(9)}}))"
DURATION = f"greatest({FIGURES['end_ns']} - {FIGURES['start_ns']}, 0)"
# Between two of them lies their weighted mean, as spreadsheets compute percentiles.
PERCENTILES = "quantilesExactInclusive(0.5, 0.95, 0.99)"
SUMS = ("span_count", "ok_count", "error_count", "llm_calls", *TOKENS, *COSTS)
SUM_FIGURES = {f"figure_{name}": FIGURES[name] for name in ("status", *SUMS)} | {"figure_duration": DURATION}
_SUM_COLUMNS = ", ".join(f"sum(figure_{name}) AS {name}" for name in SUMS)
COUNTS = f"count() AS traces, countIf(figure_status = 'error') AS error_traces, {_SUM_COLUMNS}"


@dataclass(frozen=True)
class TraceSums:
    """Over some traces."""

    traces: int = 0
    error_traces: int = 0
    span_count: int = 0
    ok_count: int = 0  # spans with status Ok
    error_count: int = 0  # spans with status Error
    llm_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0
    total_tokens: int = 0
    cost: Cost = Cost(None, 0)  # noqa: RUF009  (it is frozen)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "TraceSums":
        counts = {name: row[name] for name in cls.__dataclass_fields__ if name in row}
        return cls(**counts, cost=Cost.of(row))

    def __add__(self, other: "TraceSums") -> "TraceSums":
        counts = {
            name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__ if name != "cost"
        }
        return TraceSums(**counts, cost=sum_of_costs([self.cost, other.cost]))


def sum_of_costs(costs: Sequence[Cost]) -> Cost:
    """What is known is added up, and so is what is not."""
    return Cost(
        _added(cost.reported for cost in costs),
        sum(cost.unknown_calls for cost in costs),
        _added(cost.saved for cost in costs),
        _added(cost.computed for cost in costs),
    )


def _added(amounts: Iterable[Decimal | None]) -> Decimal | None:
    there = [amount for amount in amounts if amount is not None]
    return sum(there[1:], there[0]) if there else None


@dataclass(frozen=True)
class Durations:
    """Of traces, from the first start to the last end, in nanoseconds; all 0 when there is no trace."""

    average: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    shortest: int = 0
    longest: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Durations":
        if not row["traces"]:
            return cls()
        p50, p95, p99 = row["percentiles"]
        return cls(row["average"], p50, p95, p99, row["shortest"], row["longest"])


DURATION_COLUMNS = (
    f"avg(figure_duration) AS average, {PERCENTILES}(figure_duration) AS percentiles, "
    "min(figure_duration) AS shortest, max(figure_duration) AS longest"
)


EVERY = TraceFilter()


def _fitting(scope: Scope, columns: Mapping[str, str], wanted: TraceFilter) -> str:
    """A source of one row for each trace of the scope that fits; needs the parameters of the filter."""
    conditions = wanted.conditions()
    fits = " AND ".join(conditions) or "true"
    return f"SELECT * FROM ({traces_sql(scope, {**columns, **conditions})}) WHERE {fits}"


def trace_sums(scope: Scope, wanted: TraceFilter = EVERY) -> tuple[TraceSums, Durations]:
    """Of the traces of the scope that fit the filter."""
    [row] = select(
        f"SELECT {COUNTS}, {DURATION_COLUMNS} FROM ({_fitting(scope, SUM_FIGURES, wanted)})",
        name="trace_metrics.sums",
        scope=scope,
        parameters=wanted.parameters(),
    )
    return TraceSums.of(row), Durations.of(row)


def filtered_sums(scope: Scope, wanted: TraceFilter) -> TraceSums:
    """Of the traces of the scope that fit the filter."""
    [row] = select(
        f"SELECT {COUNTS} FROM ({_fitting(scope, SUM_FIGURES, wanted)})",
        name="trace_metrics.filtered_sums",
        scope=scope,
        parameters=wanted.parameters(),
    )
    return TraceSums.of(row)


def trace_count(scope: Scope, wanted: TraceFilter) -> int:
    """How many traces of the scope fit the filter."""
    [row] = select(
        f"SELECT count() AS traces FROM ({_fitting(scope, {'id': 'trace_id'}, wanted)})",
        name="trace_metrics.count",
        scope=scope,
        parameters=wanted.parameters(),
    )
    return int(row["traces"])


def trace_trend(
    scope: Scope, interval: Interval, zone: ZoneInfo, wanted: TraceFilter = EVERY
) -> dict[datetime, TraceSums]:
    """By hours, days or weeks as the clocks of a zone cut them: start → sums, those without traces included.

    A week starts on its Monday, maybe before the scope.
    """
    step: Step = "hour" if interval == "hour" else "day"
    steps = steps_of(scope, step, zone)
    columns = {**SUM_FIGURES, "quarter": f"intDiv({COUNTED_NS}, {NS_OF_QUARTER})"}
    parameters: dict[str, Any] = {**steps.parameters, **wanted.parameters()}
    rows = select(
        f"SELECT {key_sql(step)} AS step, {COUNTS} FROM ({_fitting(scope, columns, wanted)}) GROUP BY step",
        name="trace_metrics.trend",
        scope=scope,
        parameters=parameters,
    )
    found = {row["step"]: TraceSums.of(row) for row in rows}
    trend = {start: found.get(key, TraceSums()) for key, start in steps.starts.items()}
    return _by_weeks(trend, zone) if interval == "week" else trend


def _by_weeks(days: Mapping[datetime, TraceSums], zone: ZoneInfo) -> dict[datetime, TraceSums]:
    weeks: dict[datetime, TraceSums] = {}
    for day, sums in days.items():
        monday = datetime.combine(day.date() - timedelta(days=day.weekday()), time(), zone)
        weeks[monday] = weeks.get(monday, TraceSums()) + sums
    return weeks


@dataclass(frozen=True)
class TraceDuration:
    """How long a trace took and how it ended. Nanoseconds; status is ok or error."""

    trace_id: str
    start_ns: int
    duration_ns: int
    status: str


def trace_durations(scope: Scope, limit: int, wanted: TraceFilter = EVERY) -> list[TraceDuration]:
    """The newest traces of the scope that fit the filter first, at most `limit`."""
    columns = {"id": "trace_id", "start_ns": FIGURES["start_ns"]} | {
        name: SUM_FIGURES[name] for name in ("figure_duration", "figure_status")
    }
    rows = select(
        f"""
        SELECT id, start_ns, figure_duration, figure_status FROM ({_fitting(scope, columns, wanted)})
        ORDER BY start_ns DESC, id DESC LIMIT {{limit:UInt32}}
        """,
        name="trace_metrics.durations",
        scope=scope,
        parameters={"limit": limit, **wanted.parameters()},
    )
    return [TraceDuration(row["id"], row["start_ns"], row["figure_duration"], row["figure_status"]) for row in rows]


def duration_histogram(scope: Scope, shortest: int, longest: int, wanted: TraceFilter = EVERY) -> list[int]:
    """How many fitting traces lie in each of BINS equally wide bins between two durations in nanoseconds."""
    rows = select(
        f"""
        SELECT least(toUInt8(floor((figure_duration - {{shortest:Int64}}) / {{width:Float64}})), {BINS - 1}) AS bin,
            count() AS traces
        FROM ({_fitting(scope, {"figure_duration": DURATION}, wanted)})
        WHERE figure_duration BETWEEN {{shortest:Int64}} AND {{longest:Int64}}
        GROUP BY bin
        """,
        name="trace_metrics.histogram",
        scope=scope,
        parameters={
            "shortest": shortest,
            "longest": longest,
            "width": max(longest - shortest, 1) / BINS,
            **wanted.parameters(),
        },
    )
    found = {row["bin"]: row["traces"] for row in rows}
    return [found.get(number, 0) for number in range(BINS)]
