"""What the traces of a range add up to by their outcome, and how their figures are spread.

Sums are over all traces. Where an answer has an entry for each trace, a long range is sampled by a hash of the ids:
every k-th trace, whatever its outcome or time, so that shares and shapes stay what they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from agentops_portal.clickhouse.gate import Scope, select
from agentops_portal.units import EPOCH_DAY, NS_OF_DAY
from traces.store.figures import FIGURES, KNOWN_COST

from .summaries import traces_sql
from .trace_metrics import COUNTED_NS, DURATION, SUMS, TraceSums


@dataclass(frozen=True)
class Outcome:
    """The traces with one status. Times are nanoseconds; all are 0 when there is no such trace."""

    sums: TraceSums = TraceSums()  # noqa: RUF009  (it is frozen)
    first_start_ns: int = 0
    last_start_ns: int = 0
    shortest_ns: int = 0
    longest_ns: int = 0
    total_duration_ns: int = 0
    most_spans: int = 0


@dataclass(frozen=True)
class ProjectMetrics:
    """Traces by status."""

    ok: Outcome = field(default_factory=Outcome)
    error: Outcome = field(default_factory=Outcome)

    @property
    def both(self) -> TraceSums:
        return self.ok.sums + self.error.sums

    @property
    def outcomes(self) -> list[Outcome]:
        """Those that have traces."""
        return [outcome for outcome in (self.ok, self.error) if outcome.sums.traces]


def project_metrics(scope: Scope) -> ProjectMetrics:
    """Of all traces of the scope."""
    columns = {f"figure_{name}": FIGURES[name] for name in ("status", "start_ns", *SUMS)}
    sums = ", ".join(f"sum(figure_{name}) AS {name}" for name in SUMS)
    rows = select(
        f"""
        SELECT figure_status AS status, count() AS traces, countIf(figure_status = 'error') AS error_traces, {sums},
            min(figure_start_ns) AS first_start_ns, max(figure_start_ns) AS last_start_ns,
            min(figure_duration) AS shortest_ns, max(figure_duration) AS longest_ns,
            sum(figure_duration) AS total_duration_ns, max(figure_span_count) AS most_spans
        FROM ({traces_sql(scope, {**columns, "figure_duration": DURATION})})
        GROUP BY status
        """,
        name="project_metrics.outcomes",
        scope=scope,
    )
    return ProjectMetrics(**{row["status"]: _outcome(row) for row in rows})


def _outcome(row: Mapping[str, Any]) -> Outcome:
    plain = ("first_start_ns", "last_start_ns", "shortest_ns", "longest_ns", "total_duration_ns", "most_spans")
    return Outcome(TraceSums.of(row), **{name: row[name] for name in plain})


def spans_per_trace(scope: Scope, width: int) -> dict[int, int]:
    """Number of spans, rounded down to a multiple of `width` → traces with so many; only what there is."""
    rows = select(
        f"""
        SELECT intDiv(figure_spans, {{width:UInt64}}) * {{width:UInt64}} AS bucket, count() AS traces
        FROM ({traces_sql(scope, {"figure_spans": FIGURES["span_count"]})})
        GROUP BY bucket
        ORDER BY bucket
        """,
        name="project_metrics.spans_per_trace",
        scope=scope,
        parameters={"width": width},
    )
    return {row["bucket"]: row["traces"] for row in rows}


def cost_by_day(scope: Scope) -> dict[date, Decimal]:
    """Day (UTC) → US dollars that are known of the traces that start in it; only days of which something is known.

    A trace that began before the scope counts on its first day.
    """
    columns = {"counted_ns": COUNTED_NS, "figure_cost": KNOWN_COST}
    rows = select(
        f"""
        SELECT intDiv(counted_ns, {NS_OF_DAY}) AS day, sum(figure_cost) AS cost
        FROM ({traces_sql(scope, columns)})
        GROUP BY day
        HAVING isNotNull(cost)
        ORDER BY day
        """,
        name="project_metrics.cost_by_day",
        scope=scope,
    )
    return {EPOCH_DAY + timedelta(days=row["day"]): row["cost"] for row in rows}


@dataclass(frozen=True)
class SampledTrace:
    """Nanoseconds; status is ok or error."""

    start_ns: int
    duration_ns: int
    status: str


def sampled_traces(scope: Scope, one_of: int) -> list[SampledTrace]:
    """Every `one_of`-th trace, the earliest first."""
    columns = {
        "id": "trace_id",
        "start_ns": FIGURES["start_ns"],
        "duration_ns": DURATION,
        "figure_status": FIGURES["status"],
    }
    rows = select(
        f"""
        SELECT start_ns, duration_ns, figure_status FROM ({traces_sql(scope, columns)})
        WHERE cityHash64(id) % {{one_of:UInt64}} = 0
        ORDER BY start_ns, id
        """,
        name="project_metrics.sampled_traces",
        scope=scope,
        parameters={"one_of": one_of},
    )
    return [SampledTrace(row["start_ns"], row["duration_ns"], row["figure_status"]) for row in rows]
