"""A trace as a film: one event for each span, with what people want to read of it.

What kind of event a span is follows from its type (traces/store/schema/typed_columns.py), never from words in its name
or its attributes:

llm_call    an LLM call or an embedding
tool_use    a tool or a retriever
decision    a guardrail that ran, or an agent's decision (agentops.span.kind = agent.decision)
error       any other span with status Error
span_start  every other span; and, with the reason as `unshown`, one of which more cannot be said
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentops_portal.units import milliseconds
from traces.store.dialects.base import GUARDRAIL_OUTCOMES
from traces.store.guard import shown_or
from traces.store.queries.span_children import LOG_EVENT, MAX_CHILDREN, MAX_OF_LOGS, REQUEST_ID
from traces.store.queries.span_detail import SpanDetail

from .messages import Message, PartKind, conversation, payload
from .messages.below import completed, told_in_logs
from .messages.parts import label

TOOLS = ("tool", "retriever")


@dataclass(frozen=True)
class ReplayEvent:
    """When a span starts; `data` depends on the type."""

    type: str
    span: SpanDetail
    relative_ms: float  # since the start of the trace
    data: dict[str, Any]


def replay(spans: Sequence[SpanDetail], start_ns: int) -> list[ReplayEvent]:
    """The events of a trace that begins at `start_ns`, in the order of the spans."""
    around = _Around(spans)
    return [_event(span, start_ns, around) for span in spans]


class _Around:
    """The other spans of a trace that tell of a call."""

    def __init__(self, spans: Sequence[SpanDetail]) -> None:
        self._below: dict[str, list[SpanDetail]] = defaultdict(list)
        self._of_request: dict[str, list[SpanDetail]] = defaultdict(list)
        for span in spans:
            self._below[span.parent_span_id].append(span)
            if LOG_EVENT in span.attributes:
                self._of_request[span.attributes.get(REQUEST_ID, "")].append(span)

    def below(self, span: SpanDetail) -> list[SpanDetail]:
        return self._below.get(span.span_id, [])[:MAX_CHILDREN]

    def logs(self, span: SpanDetail) -> list[SpanDetail]:
        request = span.attributes.get(REQUEST_ID)
        of_request = self._of_request.get(request, []) if request else []
        return (self._below.get(span.span_id, []) + of_request)[-MAX_OF_LOGS:]


def _event(span: SpanDetail, start_ns: int, around: _Around) -> ReplayEvent:
    kind, data = shown_or(
        lambda reason: ("span_start", {**_span_start(span), "unshown": reason}),
        lambda: _described(span, around),
        where="replay",
        trace_id=span.trace_id,
        span_id=span.span_id,
    )
    return ReplayEvent(kind, span, milliseconds(span.start_ns - start_ns), data)


def _described(span: SpanDetail, around: _Around) -> tuple[str, dict[str, Any]]:
    kind = event_type(span)
    return kind, _llm_call(span, around) if kind == "llm_call" else _DATA[kind](span)


def event_type(span: SpanDetail) -> str:
    if span.is_llm_call:
        return "llm_call"
    if span.type in TOOLS:
        return "tool_use"
    if span.guardrail_outcome or span.attributes.get("agentops.span.kind") == "agent.decision":
        return "decision"
    return "error" if span.is_error else "span_start"


def _llm_call(span: SpanDetail, others: _Around) -> dict[str, Any]:
    own = conversation(span.attributes, span.events)
    talk, teller = completed(own, lambda: others.below(span))
    if not teller:
        talk, teller = told_in_logs(talk, lambda: others.logs(span))
    around = payload(span.attributes, span.events)
    return {
        "model": span.model,
        "prompt": "\n".join(map(text_of, talk.asked)) or around.input,
        "response": (text_of(talk.answered[0]) if talk.answered else "") or around.output,
        "prompt_tokens": span.input_tokens,
        "completion_tokens": span.output_tokens,
        "total_tokens": span.total_tokens,
        "cost": float(span.cost.known or 0),
        "cost_known": not span.cost.unknown_calls,
        "latency": milliseconds(span.duration_ns),
        "status": outcome(span),
        "error_message": error_of(span).message if span.is_error else None,
    }


def _tool_use(span: SpanDetail) -> dict[str, Any]:
    said = payload(span.attributes, span.events)
    return {
        "tool_name": span.tool_name or span.name,
        "input": said.input,
        "output": said.output,
        "duration": milliseconds(span.duration_ns),
        "status": outcome(span),
        "error_message": error_of(span).message if span.is_error else None,
    }


def _decision(span: SpanDetail) -> dict[str, Any]:
    said = payload(span.attributes, span.events)
    if span.guardrail_outcome:
        return {
            "decision_type": "guardrail",
            "reasoning": said.guardrail_response,
            "selected_option": span.guardrail_outcome,
            "alternatives": [name for name in GUARDRAIL_OUTCOMES if name not in (span.guardrail_outcome, "unknown")],
            "guardrail": span.guardrail_name,
            "mode": span.guardrail_mode,
            "duration": milliseconds(span.duration_ns),
            "status": outcome(span),
        }
    return {
        "decision_type": "agent",
        "reasoning": said.input,
        "selected_option": said.output,
        "alternatives": [],
        "guardrail": "",
        "mode": "",
        "duration": milliseconds(span.duration_ns),
        "status": outcome(span),
    }


def _error(span: SpanDetail) -> dict[str, Any]:
    error = error_of(span)
    return {
        "error_type": error.type,
        "error_message": error.message,
        "stack_trace": error.stack_trace,
        "span_id": span.span_id,
    }


def _span_start(span: SpanDetail) -> dict[str, Any]:
    return {
        "span_id": span.span_id,
        "span_name": span.name,
        "status": span.status,
        "duration": milliseconds(span.duration_ns),
    }


_DATA = {
    "tool_use": _tool_use,
    "decision": _decision,
    "error": _error,
    "span_start": _span_start,
}


def outcome(span: SpanDetail) -> str:
    return "error" if span.is_error else "success"


@dataclass(frozen=True)
class SpanError:
    type: str
    message: str
    stack_trace: str | None


def error_of(span: SpanDetail) -> SpanError:
    """What went wrong, from the span's last exception, else from its error.* attributes, else from its status."""
    raised = next((event.attributes for event in reversed(span.events) if event.name == "exception"), {})
    said = span.attributes
    return SpanError(
        type=raised.get("exception.type") or said.get("error.type") or "Error",
        message=raised.get("exception.message") or said.get("error.message") or span.status_message,
        stack_trace=raised.get("exception.stacktrace") or said.get("error.stack_trace") or None,
    )


def text_of(message: Message) -> str:
    """A message as plain text, a line for each part: what a model thought is left out, media are named."""
    lines = (label(part) for part in message.parts if part.kind is not PartKind.REASONING)
    return "\n".join(line for line in lines if line)
