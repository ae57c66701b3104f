"""One trace: when it was, its figures, its spans without their attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from uuid import UUID

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.figures import SPAN_COST, TraceFigures
from traces.store.schema.rates import DISCOUNT, priced

from .scopes import scope_of, whole_time_of
from .settled import settled, verdicts_of
from .shown import IN_ORDER, OUTCOME
from .span_detail import percent
from .summaries import IN_DAYS_OF_PROJECTS, TABLE, figures_of

# Rows of the waterfall. A browser draws this many without a pause; the page says when there are more.
MAX_SPANS = 5_000

_OF_TRACE = """
    FROM otel_traces
    WHERE project_id = {project_id:String}
        AND Timestamp >= {start:DateTime64(9)} AND Timestamp < {end:DateTime64(9)}
        AND TraceId = {trace_id:String}
"""


@dataclass(frozen=True)
class SpanRow:
    """A span as the waterfall shows it. Times are nanoseconds."""

    span_id: str
    parent_span_id: str
    name: str
    service: str
    kind: str
    start_ns: int
    duration_ns: int
    status: str  # Unset | Ok | Error
    status_message: str
    type: str
    is_llm_call: bool
    model: str
    total_tokens: int
    cost: Decimal | None  # known of it, reported or computed
    tool_name: str
    agent_name: str
    guardrail_name: str
    guardrail_mode: str
    guardrail_outcome: str
    http_status: int
    same_call_as: str = ""  # the span that tells the same call and counts
    same_call_service: str = ""  # the service that tells the same calls, where this span's is left out

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.duration_ns

    @property
    def is_error(self) -> bool:
        return self.status == "Error"


_SPAN_COLUMNS: Mapping[str, str] = {
    "span_id": "SpanId",
    "parent_span_id": "ParentSpanId",
    "name": "SpanName",
    "service": "ServiceName",
    "kind": "SpanKind",
    "start_ns": "toUnixTimestamp64Nano(Timestamp)",
    "duration_ns": "toUnixTimestamp64Nano(end_timestamp) - toUnixTimestamp64Nano(Timestamp)",
    "status": "StatusCode",
    "status_message": "substringUTF8(StatusMessage, 1, 300)",
    "type": "span_type",
    "cost": SPAN_COST,
    "guardrail_outcome": OUTCOME,
    "same_call_as": "''",
    "same_call_service": "''",
}


def trace_scope(project_id: UUID, trace_id: str) -> Scope | None:
    """The time range of a trace, from its summary; None when the project has no such trace."""
    return trace_scope_among((project_id,), trace_id)


def trace_scope_among(project_ids: Sequence[UUID], trace_id: str) -> Scope | None:
    """Project and time range of a trace: for addresses and links that name a trace and no project.

    One query, however many projects there are. None when none of them has the trace; of several that have it, for
    ids are the clients', it is the first.
    """
    rows = select(
        f"""
        SELECT project_id, toUnixTimestamp64Nano(min(started)) AS start_ns, toUnixTimestamp64Nano(max(ended)) AS end_ns
        FROM {TABLE}
        WHERE {IN_DAYS_OF_PROJECTS} AND trace_hash = cityHash64({{trace_id:String}}) AND trace_id = {{trace_id:String}}
        GROUP BY project_id
        """,
        name="trace_detail.scope",
        scope=whole_time_of(project_ids),
        parameters={"trace_id": trace_id},
    )
    if not rows:
        return None
    found = {UUID(row["project_id"]): row for row in rows}
    first = next(project_id for project_id in project_ids if project_id in found)
    return scope_of(first, found[first]["start_ns"], found[first]["end_ns"])


def trace_figures(scope: Scope, trace_id: str) -> TraceFigures | None:
    """The figures of one trace, the same as the list shows, and which discounts its cost has; None when its spans are
    gone (retention).
    """
    figures = figures_of(scope.project_id, [trace_id]).get(trace_id)
    if figures is None or figures.cost.computed is None:
        return figures
    return replace(figures, cost=replace(figures.cost, discounts=_discounts(scope, trace_id)))


def _discounts(scope: Scope, trace_id: str) -> tuple[Decimal, ...]:
    layers = [span_id for (_, span_id), said in verdicts_of(scope, [trace_id]).items() if said.same_as]
    rows = select(
        priced(f"""
        SELECT DISTINCT {DISCOUNT} AS discount {_OF_TRACE}
            AND isNotNull(computed_cost) AND discount > 0 AND NOT has({{layers:Array(String)}}, SpanId)
        ORDER BY discount
        """),
        name="trace_detail.discounts",
        scope=scope,
        parameters={"trace_id": trace_id, "layers": layers},
    )
    return tuple(percent(row["discount"]) for row in rows)


def spans(scope: Scope, trace_id: str, limit: int = MAX_SPANS) -> list[SpanRow]:
    """The spans of one trace, the earliest first, parents before children that start with them; at most `limit`."""
    columns = ", ".join(f"{_SPAN_COLUMNS.get(each.name, each.name)} AS span_{each.name}" for each in fields(SpanRow))
    rows = select(
        priced(f"SELECT {columns} {_OF_TRACE} {IN_ORDER} LIMIT {{limit:UInt32}}"),
        name="trace_detail.spans",
        scope=scope,
        parameters={"trace_id": trace_id, "limit": limit},
    )
    found = (SpanRow(**{name.removeprefix("span_"): value for name, value in row.items()}) for row in rows)
    return settled(found, verdicts_of(scope, [trace_id]), trace_id)
