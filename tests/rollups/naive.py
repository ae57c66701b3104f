"""The figures again, written down as the rules say (DESIGN: what the numbers mean), over plain rows of spans.

Slow, and nothing of it is shared with the roll-ups: what both say is right.
"""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from agentops_portal.clickhouse.gate import select
from traces.store.figures import Cost, TraceFigures
from traces.store.queries.scopes import whole_time

Row = dict[str, Any]

_COLUMNS = """
    TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, StatusCode, Duration, span_type, is_llm_call, model,
    provider, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, total_tokens, reported_cost,
    cache_hit, session_id, user_id, agent_name, guardrail_name, guardrail_mode, guardrail_outcome, http_status,
    SpanAttributes, toUnixTimestamp64Nano(Timestamp) AS start, toUnixTimestamp64Nano(end_timestamp) AS end
"""


def spans_of(project_id: UUID) -> list[Row]:
    rows = select(
        f"SELECT {_COLUMNS} FROM otel_traces WHERE project_id = {{project_id:String}} "
        "AND Timestamp >= {start:DateTime64(9)} AND Timestamp < {end:DateTime64(9)}",
        name="test.spans",
        scope=whole_time(project_id),
    )
    return [row | {"counted_model": undated(row["model"])} for row in rows]


def traces_of(spans: Iterable[Row]) -> dict[str, list[Row]]:
    traces: dict[str, list[Row]] = defaultdict(list)
    for span in spans:
        if span["TraceId"]:
            traces[span["TraceId"]].append(span)
    return traces


def figures(project_id: UUID) -> list[TraceFigures]:
    """All traces of a project, the newest first."""
    found = [trace_figures(spans) for spans in traces_of(spans_of(project_id)).values()]
    return sorted(found, key=lambda trace: (trace.start_ns, trace.trace_id), reverse=True)


def trace_figures(spans: list[Row]) -> TraceFigures:
    root = min(spans, key=lambda s: (s["ParentSpanId"] != "", s["start"], -s["Duration"], s["SpanId"]))
    work = [s for s in spans if s["span_type"] in ("llm", "embedding", "agent", "tool")]
    last_work = max(work, key=lambda s: (s["end"], s["SpanId"]), default={"StatusCode": ""})
    is_error = (
        root["StatusCode"] == "Error"
        or any(s["SpanKind"] == "Server" and s["http_status"] >= 400 for s in spans)
        or (root["StatusCode"] == "Unset" and last_work["StatusCode"] == "Error")
    )
    calls = llm_calls(spans)
    runs = guardrail_runs(spans)
    return TraceFigures(
        trace_id=root["TraceId"],
        name=root["SpanName"],
        service=root["ServiceName"],
        root_span_id=root["SpanId"],
        has_root=root["ParentSpanId"] == "",
        start_ns=min(s["start"] for s in spans),
        end_ns=max(s["end"] for s in spans),
        status="error" if is_error else "ok",
        span_count=len(spans),
        ok_count=sum(s["StatusCode"] == "Ok" for s in spans),
        error_count=sum(s["StatusCode"] == "Error" for s in spans),
        llm_calls=len(calls),
        cache_hits=sum(s["cache_hit"] for s in spans),
        input_tokens=sum(s["input_tokens"] for s in spans),
        output_tokens=sum(s["output_tokens"] for s in spans),
        cached_input_tokens=sum(s["cached_input_tokens"] for s in spans),
        reasoning_tokens=sum(s["reasoning_tokens"] for s in spans),
        total_tokens=sum(s["total_tokens"] for s in spans),
        cost=cost_of(spans, calls),
        models=tuple(sorted({s["counted_model"] for s in spans if s["is_llm_call"]} - {""})),
        agents=tuple(sorted({s["agent_name"] for s in spans} - {""})),
        session_id=max(s["session_id"] for s in spans),
        user_id=max(s["user_id"] for s in spans),
        tags=tuple(sorted({tag for s in spans for tag in tags_of(s["SpanAttributes"])})),
        guardrail_runs=len(runs),
        **{
            f"{outcome}_runs": sum(run.outcome == outcome for run in runs)
            for outcome in ("blocked", "masked", "flagged", "failed")
        },
    )


def undated(model: str) -> str:
    """gpt-4o-mini for gpt-4o-mini-2024-07-18."""
    return re.sub(r"[-@]20\d\d-?[01]\d-?[0-3]\d$", "", model)


def tags_of(attributes: dict[str, str]) -> list[str]:
    for key in ("agentops.tags", "tag.tags", "langfuse.trace.tags"):
        if key in attributes:
            return list(json.loads(attributes[key]))
    metadata = ast.literal_eval(attributes.get("metadata.requester_metadata") or "{}")
    return list(metadata.get("tags", []))


def llm_calls(spans: Iterable[Row]) -> list[Row]:
    calls: dict[Any, Row] = {}
    for span in spans:
        if span["is_llm_call"]:
            failed_call = (span["TraceId"], span["ParentSpanId"], span["start"], span["model"])
            calls[failed_call if span["StatusCode"] == "Error" else id(span)] = span
    return list(calls.values())


def cost_of(spans: Iterable[Row], calls: Iterable[Row]) -> Cost:
    reported = [
        Decimal(0) if s["cache_hit"] else s["reported_cost"]
        for s in spans
        if s["cache_hit"] or s["reported_cost"] is not None
    ]
    saved = [s["reported_cost"] for s in spans if s["cache_hit"] and s["reported_cost"] is not None]
    unknown = [s for s in calls if s["reported_cost"] is None and not s["cache_hit"]]
    return Cost(
        sum(reported, Decimal(0)) if reported else None, len(unknown), sum(saved, Decimal(0)) if saved else None
    )


@dataclass(frozen=True)
class Run:
    trace_id: str
    guardrail: str
    mode: str
    start: int
    end: int
    outcome: str


def guardrail_runs(spans: Iterable[Row]) -> set[Run]:
    return {
        Run(s["TraceId"], s["guardrail_name"], s["guardrail_mode"], s["start"], s["end"], s["guardrail_outcome"])
        for s in spans
        if s["guardrail_outcome"]
    }
