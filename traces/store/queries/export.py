"""Spans of many traces at once, block by block, for exports."""

from collections.abc import Iterator, Sequence
from typing import Any

from agentops_portal.clickhouse.gate import Scope, stream
from traces.store.figures import SPAN_COST
from traces.store.schema.rates import COMPUTED, DISCOUNT, priced

from .settled import changes, verdicts_of
from .shown import ONE_EACH, ORDER, OUTCOME_OF_MANY

_COLUMNS = {
    "span_id": "SpanId",
    "parent_span_id": "ParentSpanId",
    "name": "SpanName",
    "service": "ServiceName",
    "kind": "SpanKind",
    "type": "span_type",
    "start_ns": "toUnixTimestamp64Nano(Timestamp)",
    "end_ns": "toUnixTimestamp64Nano(end_timestamp)",
    "status": "StatusCode",
    "status_message": "StatusMessage",
    "model": "model",
    "provider": "provider",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cached_input_tokens": "cached_input_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "total_tokens": "total_tokens",
    "cost": SPAN_COST,
    "book_discount": f"if(isNull({COMPUTED}), 0, {DISCOUNT})",
    "agent": "agent_name",
    "tool": "tool_name",
    "guardrail": "guardrail_name",
    "guardrail_mode": "guardrail_mode",
    "guardrail_outcome": OUTCOME_OF_MANY,
    "http_status": "http_status",
}
_CONTENT = {
    "attributes": "SpanAttributes",
    "resource_attributes": "ResourceAttributes",
    "event_times": "arrayMap(time -> toUnixTimestamp64Nano(time), `Events.Timestamp`)",
    "event_names": "`Events.Name`",
    "event_attributes": "`Events.Attributes`",
}
_SAID = ("same_call_as", "same_call_service")


def spans_of_traces(scope: Scope, trace_ids: Sequence[str], *, attributes: bool) -> Iterator[dict[str, Any]]:
    """The spans in the order of their traces, within one the earliest first, each with its `trace_id`.

    scope: a range that holds every span of the traces. Costs are US dollars or None, times nanoseconds since 1970.
    With `attributes` also attributes, resource_attributes, event_times, event_names and event_attributes.
    A layer of another span's call has no tokens and no cost, and `same_call_as`; one whose service is left out has
    `same_call_service`. Both are "" for others.
    """
    said = verdicts_of(scope, trace_ids)
    columns = _COLUMNS | (_CONTENT if attributes else {})
    # The prefix keeps an alias from hiding a column of the same name.
    wanted = ", ".join(f"{expression} AS out_{name}" for name, expression in columns.items())
    rows = stream(
        priced(f"""
        SELECT TraceId AS out_trace_id, {wanted}
        FROM otel_traces
        WHERE project_id = {{project_id:String}}
            AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}}
            AND TraceId IN {{trace_ids:Array(String)}}
        ORDER BY {"" if len(trace_ids) == 1 else "indexOf({trace_ids:Array(String)}, TraceId), "}
            {ORDER}
        {ONE_EACH}
        SETTINGS max_block_size = 256
        """),
        name="export.spans",
        scope=scope,
        parameters={"trace_ids": list(trace_ids)},
    )
    for row in rows:
        span = {name.removeprefix("out_"): value for name, value in row.items()} | dict.fromkeys(_SAID, "")
        about = said.get((span["trace_id"], span["span_id"]))
        if about is not None:
            changed = changes(about)
            span |= {name: changed[name] for name in changed.keys() & span.keys()} | {"agent": about.agent}
        yield span
