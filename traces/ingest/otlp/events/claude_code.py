"""Claude Code's events, which for most people are all that it sends: its traces are a beta that is off by default.

https://docs.claude.com/en/docs/claude-code/monitoring-usage#events

Without traces a record names no span; all that belongs to one prompt becomes a trace, as it is one when traces are on,
with the prompt as its root. With traces a record names the span of the prompt, below which its own is put. Calls are
told twice then, by `llm_request` and by `api_request`, which alone has the cost: traces/ingest/inbox/told_twice.py.
Tools are left to the traces, so that each counts once.
"""

from typing import Any

from .record import SPAN_ID_BYTES, TRACE_ID_BYTES, Record, add_attributes, derived_id, fail, new_span, take

_PREFIX = b"claude_code."
_SCOPE = b"com.anthropic.claude_code"
MARKS = (_PREFIX, _SCOPE)
_FRESH, _READ, _WRITTEN = b"input_tokens", b"cache_read_tokens", b"cache_creation_tokens"
# What becomes an attribute of OpenTelemetry's conventions, where `input_tokens` has those of the cache in it.
_RENAMED = {
    b"output_tokens": b"gen_ai.usage.output_tokens",
    _READ: b"gen_ai.usage.cache_read.input_tokens",
    _WRITTEN: b"gen_ai.usage.cache_creation.input_tokens",
    b"cache_creation_1h_tokens": b"gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
}
_COST = b"cost_usd"
_CALLS = (b"api_request", b"api_error")
_LARGEST = 10**15  # tokens


def speaks(record: Record) -> bool:
    return record.scope.startswith(_SCOPE) or record.name.startswith(_PREFIX)


def is_doubtful(record: Record) -> bool:
    """The record becomes a call that its trace may tell, too."""
    return record.is_traced and record.name.removeprefix(_PREFIX) in _CALLS


def span(record: Record) -> Any:
    """The span of a record; None for what is of a session, or of nothing, and no part of what was done in it."""
    event = record.name.removeprefix(_PREFIX)
    if event in _CALLS:
        return _call(record, event)
    if event == b"user_prompt":
        return _prompt(record)
    if event == b"tool_result" and not record.is_traced:
        return _tool(record)
    if record.is_traced or record.text(b"prompt.id"):
        return _other(record, event)
    return None


def _place(record: Record) -> dict[str, Any]:
    """Trace and parent of a record that names none: those of its prompt, else of its session, else its own."""
    session, prompt = record.text(b"session.id").encode(), record.text(b"prompt.id").encode()
    if prompt:
        key = (_SCOPE, session, prompt)
        return {"trace_id": derived_id(TRACE_ID_BYTES, *key), "parent_id": derived_id(SPAN_ID_BYTES, *key)}
    return {"trace_id": derived_id(TRACE_ID_BYTES, _SCOPE, session or record.digest)}


def _call(record: Record, event: bytes) -> Any:
    made = new_span(record, _PREFIX + event, milliseconds=record.number(b"duration_ms"), **_place(record))
    told: dict[bytes, Any] = {b"gen_ai.operation.name": b"chat", b"gen_ai.provider.name": b"anthropic"}
    if model := record.text(b"model"):
        told[b"gen_ai.request.model"] = model.encode()
    if request_id := record.text(b"request_id"):
        told[b"gen_ai.response.id"] = request_id.encode()  # as on the span of the same call
    counts = {name: _count(record, name) for name in (_FRESH, *_RENAMED) if name in record.attributes}
    if counts:
        told[b"gen_ai.usage.input_tokens"] = sum(counts.get(name, 0) for name in (_FRESH, _READ, _WRITTEN))
        told |= {_RENAMED[name]: number for name, number in counts.items() if name in _RENAMED}
    if _COST in record.attributes:
        told[b"gen_ai.usage.cost"] = record.attributes[_COST]
    add_attributes(made, told)
    take(record, made, leave_out=frozenset((*counts, _COST)))
    if event == b"api_error":
        fail(made, record.text(b"error"))
    return made


def _count(record: Record, name: bytes) -> int:
    return min(max(int(record.number(name)), 0), _LARGEST)


def _prompt(record: Record) -> Any:
    """The root of its trace, unless the record names a span, or too little is known to know what belongs to it."""
    place = _place(record)
    is_root = "parent_id" in place and not record.is_traced
    if is_root:
        place["span_id"] = place.pop("parent_id")
    made = new_span(record, _PREFIX + b"user_prompt", **place)
    kind = b"interaction" if is_root else b"user_prompt"
    add_attributes(made, {b"span.type": kind, b"user_prompt": record.text(b"prompt").encode()})
    take(record, made, leave_out=(b"prompt", b"prompt_text"))
    return made


def _tool(record: Record) -> Any:
    made = new_span(record, _PREFIX + b"tool_result", milliseconds=record.number(b"duration_ms"), **_place(record))
    told = {b"gen_ai.operation.name": b"execute_tool", b"gen_ai.tool.name": record.text(b"tool_name").encode()}
    given = record.attributes.get(b"tool_input") or record.attributes.get(b"tool_parameters")
    add_attributes(made, told | ({b"gen_ai.tool.call.arguments": given} if given is not None else {}))
    take(record, made)
    if _is_false(record, b"success"):
        fail(made, record.text(b"error"))
    return made


def _is_false(record: Record, name: bytes) -> bool:
    value = record.attributes.get(name)
    if value is None:
        return False
    is_bool = value.WhichOneof("value") == "bool_value"
    return not value.bool_value if is_bool else value.string_value.lower() == b"false"


def _other(record: Record, event: bytes) -> Any:
    """An answer, a decision, a retry: no call, and shown where it happened."""
    made = new_span(record, _PREFIX + event, **_place(record))
    add_attributes(made, {b"span.type": event})
    if event == b"assistant_response":
        answer = made.events.add(name=b"gen_ai.choice", time_unix_nano=record.time_ns)
        add_attributes(answer, {b"content": record.text(b"response").encode()})
        take(record, made, leave_out=(b"response",))
    else:
        take(record, made)
    return made
