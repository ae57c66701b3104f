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

from .naive_layers import settled

Row = dict[str, Any]
DAY_NS = 86_400 * 10**9

_COLUMNS = """
    TraceId, SpanId, ParentSpanId, ScopeName, SpanName, SpanKind, ServiceName, StatusCode, StatusMessage, Duration,
    span_type, is_llm_call, model, provider, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens,
    total_tokens, reported_cost, cache_hit, session_id, user_id, agent_name, guardrail_name, guardrail_mode,
    guardrail_outcome,
    http_status, SpanAttributes, toUnixTimestamp64Nano(Timestamp) AS start, toUnixTimestamp64Nano(end_timestamp) AS end
"""


def spans_of(project_id: UUID, *more: str) -> list[Row]:
    """more: other columns that the store has."""
    rows = select(
        f"SELECT {', '.join([_COLUMNS, *more])} FROM otel_traces WHERE project_id = {{project_id:String}} "
        "AND Timestamp >= {start:DateTime64(9)} AND Timestamp < {end:DateTime64(9)}",
        name="test.spans",
        scope=whole_time(project_id),
    )
    spans = [row | {"counted_model": undated(row["model"]), "tells_a_call": row["is_llm_call"]} for row in rows]
    return settled(spans)


def traces_of(spans: Iterable[Row]) -> dict[str, list[Row]]:
    traces: dict[str, list[Row]] = defaultdict(list)
    for span in spans:
        if span["TraceId"]:
            traces[span["TraceId"]].append(span)
    return traces


def in_range(spans: list[Row], start: int, end: int) -> bool:
    """Whether the trace overlaps [start, end): what it began by the last day of the range ends in it or later."""
    last_day = (end - 1) // DAY_NS
    return min(s["start"] for s in spans) < end and any(
        s["end"] >= start and s["start"] // DAY_NS <= last_day for s in spans
    )


def figures_in(project_id: UUID, start: int, end: int) -> list[TraceFigures]:
    """The traces of a project that overlap [start, end), the newest first."""
    traces = traces_of(spans_of(project_id))
    return [t for t in figures(project_id) if in_range(traces[t.trace_id], start, end)]


def figures(project_id: UUID) -> list[TraceFigures]:
    """All traces of a project, the newest first."""
    found = [trace_figures(spans) for spans in traces_of(spans_of(project_id)).values()]
    return sorted(found, key=lambda trace: (trace.start_ns, trace.trace_id), reverse=True)


def trace_figures(spans: list[Row]) -> TraceFigures:
    root = min(spans, key=lambda s: (s["ParentSpanId"] != "", s["start"], -s["Duration"], s["SpanId"]))
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
        status="error" if is_failed(root, spans) else "ok",
        span_count=len(spans),
        ok_count=sum(s["StatusCode"] == "Ok" for s in spans),
        error_count=sum(s["StatusCode"] == "Error" for s in spans),
        llm_calls=len(calls),
        cache_hits=sum(s["cache_hit"] for s in spans),
        input_tokens=tokens_of("input_tokens", spans),
        output_tokens=tokens_of("output_tokens", spans),
        cached_input_tokens=tokens_of("cached_input_tokens", spans),
        reasoning_tokens=tokens_of("reasoning_tokens", spans),
        total_tokens=tokens_of("total_tokens", spans),
        cost=cost_of(spans, calls),
        models=tuple(sorted({s["counted_model"] for s in spans if s["tells_a_call"]} - {""})),
        agents=tuple(sorted({s["agent_name"] for s in spans} - {""})),
        session_id=of_root("session_id", spans),
        user_id=of_root("user_id", spans),
        tags=tuple(sorted({tag for s in spans for tag in tags_of(s["SpanAttributes"])})),
        guardrail_runs=len(runs),
        **{
            f"{outcome}_runs": sum(run.outcome == outcome for run in runs)
            for outcome in ("blocked", "masked", "flagged", "failed", "unknown")
        },
    )


def undated(model: str) -> str:
    """gpt-4o-mini for gpt-4o-mini-2024-07-18."""
    return re.sub(r"[-@]20\d\d-?[01]\d-?[0-3]\d$", "", model)


def is_failed(root: Row, spans: list[Row]) -> bool:
    if how_it_ended(root) == "Error" or any(s["SpanKind"] == "Server" and s["http_status"] >= 400 for s in spans):
        return True
    if how_it_ended(root) == "Indeterminate" and any(s["StatusCode"] == "Error" for s in spans):
        return True
    work = [s for s in spans if is_work(s)]
    return bool(work) and how_it_ended(max(work, key=lambda s: (s["end"], s["SpanId"]))) == "Error"


def is_work(span: Row) -> bool:
    if span["span_type"] in ("llm", "embedding", "tool"):
        return True
    if how_it_ended(span) == "Error":
        return span["span_type"] in ("agent", "task", "chain", "workflow", "session")
    return span["span_type"] == "session" and how_it_ended(span) == "Ok"


def how_it_ended(span: Row) -> str:
    attributes = span["SpanAttributes"]
    if span["span_type"] == "session":
        match attributes.get("agentops.session.end_state", "").lower():
            case "error" | "fail" | "failure":
                return "Error"
            case "success":
                return "Ok"
            case "indeterminate":
                return "Error" if attributes.get("agentops.entity.input") else "Indeterminate"
    if attributes.get("error", "") not in ("", "false", "False", "null", "None", "{}"):
        return "Error"
    return str(span["StatusCode"])


def of_root(name: str, spans: list[Row]) -> str:
    """What the root says, else the earliest span that says something."""
    said = [s for s in spans if s[name].lower() not in ("", "unknown", "none", "null", "undefined", "n/a")]
    return min(said, key=lambda s: (s["ParentSpanId"] != "", s["start"], s[name]))[name] if said else ""


def tags_of(attributes: dict[str, str]) -> list[str]:
    for key in ("agentops.tags", "tag.tags", "langfuse.trace.tags", "ai.telemetry.metadata.tags"):
        if key in attributes:
            return list(json.loads(attributes[key]))
    metadata = ast.literal_eval(attributes.get("metadata.requester_metadata") or "{}")
    return list(metadata.get("tags", []))


def llm_calls(spans: Iterable[Row]) -> list[Row]:
    return [span for span in spans if span["is_llm_call"]]


def tokens_of(name: str, spans: Iterable[Row]) -> int:
    """Of what was asked of a model; an answer from a cache was not."""
    return sum(int(span[name]) for span in spans if not span["cache_hit"])


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
    spans = list(spans)
    # openai-agents: {'guardrail': 'no_math'} in the message of the span above
    tripped = {
        (s["TraceId"], s["SpanId"], re.findall(r"guardrail\W+(\w+)", s["StatusMessage"])[-1])
        for s in spans
        if s["StatusMessage"].startswith("Guardrail tripwire triggered")
    }
    return {
        Run(
            s["TraceId"],
            s["guardrail_name"],
            s["guardrail_mode"],
            s["start"],
            s["end"],
            "blocked" if (s["TraceId"], s["ParentSpanId"], s["guardrail_name"]) in tripped else s["guardrail_outcome"],
        )
        for s in spans
        if s["guardrail_outcome"]
    }
