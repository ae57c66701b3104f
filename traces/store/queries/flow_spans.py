"""The spans of some traces, with what the flow between their stages needs (traces/reading/agent_flow.py)."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.figures import IS_COST_UNKNOWN, SPAN_COST, TraceFigures, tokens_used
from traces.store.schema.rates import priced

from .filters import TraceFilter
from .scopes import scope_of
from .settled import settled, verdicts_of
from .shown import IN_ORDER, OUTCOME_OF_MANY
from .trace_list import trace_page

# What the flow of a range looks at: the newest traces in which something was done, until their spans are so many.
MAX_TRACES = 200
MAX_SPANS = 20_000

_COLUMNS = f"""
    TraceId AS trace_id, SpanId AS span_id, ParentSpanId AS parent_span_id, SpanName AS name, ServiceName AS service,
    if(is_llm_call OR span_type NOT IN ('llm', 'embedding'), span_type, 'other') AS type,
    toUnixTimestamp64Nano(Timestamp) AS start_ns, toUnixTimestamp64Nano(end_timestamp) AS end_ns,
    StatusCode AS status, model, tool_name, agent_name, guardrail_name, guardrail_mode,
    {OUTCOME_OF_MANY} AS guardrail_outcome,
    {tokens_used("input_tokens")} AS used_input, {tokens_used("output_tokens")} AS used_output,
    {tokens_used("total_tokens")} AS used_tokens,
    {SPAN_COST} AS cost, {IS_COST_UNKNOWN} AS is_cost_unknown
"""


@dataclass(frozen=True)
class FlowSpan:
    """What the flow needs to know of a span. Times are nanoseconds."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    service: str
    type: str
    start_ns: int
    end_ns: int
    status: str
    model: str
    tool_name: str
    agent_name: str
    guardrail_name: str
    guardrail_mode: str
    guardrail_outcome: str
    used_input: int  # tokens that it adds to sums
    used_output: int
    used_tokens: int
    cost: Decimal | None
    is_cost_unknown: bool


@dataclass(frozen=True)
class WorkFilter(TraceFilter):
    """Traces in which an LLM, an agent, a tool or a guardrail did something: no health probes."""

    work_only: bool = True

    def __bool__(self) -> bool:
        return True

    def conditions(self) -> dict[str, str]:
        did_work = (
            "(done_calls > 0 OR failed_calls > 0 OR last_work.is_work OR notEmpty(runs) "
            "OR arrayExists(name -> name != '', agent_names))"
        )
        return {**super().conditions(), "did_work": did_work}


def flow_spans(scope: Scope, trace_ids: Collection[str], limit: int = MAX_SPANS) -> list[list[FlowSpan]]:
    """The spans of each trace in the order of their starts; at most `limit` spans, the earliest of all traces."""
    rows: list[dict[str, Any]] = select(
        priced(f"""
        SELECT {_COLUMNS} FROM otel_traces
        WHERE project_id = {{project_id:String}}
            AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}}
            AND TraceId IN {{trace_ids:Array(String)}}
        {IN_ORDER}
        LIMIT {{limit:UInt32}}
        """),
        name="flow_spans.spans",
        scope=scope,
        parameters={"trace_ids": list(trace_ids), "limit": limit},
    )
    traces: dict[str, list[FlowSpan]] = {}
    # As a request that was refused before it reached a model: an LLM span, and no call.
    no_call = {"type": "other", "used_input": 0, "used_output": 0, "used_tokens": 0}
    for span in settled((FlowSpan(**row) for row in rows), verdicts_of(scope, trace_ids), of_layers=no_call):
        traces.setdefault(span.trace_id, []).append(span)
    return list(traces.values())


def newest_flow_spans(scope: Scope) -> tuple[list[list[FlowSpan]], bool]:
    """The spans of the newest traces of the scope, whole traces only; and whether there are more traces.

    At most MAX_TRACES, and fewer when they have more than MAX_SPANS spans together.
    """
    page = trace_page(scope, WorkFilter(), None, size=MAX_TRACES)
    chosen = _whole(page.traces)
    if not chosen:
        return [], bool(page.traces)
    around = scope_of(scope.project_id, min(each.start_ns for each in chosen), max(each.end_ns for each in chosen))
    spans = flow_spans(around, [each.trace_id for each in chosen])
    return spans, page.next_cursor is not None or len(chosen) < len(page.traces)


def _whole(newest: Collection[TraceFigures]) -> list[TraceFigures]:
    chosen: list[TraceFigures] = []
    spans = 0
    for trace in newest:
        spans += trace.span_count
        if spans > MAX_SPANS:
            break
        chosen.append(trace)
    return chosen
