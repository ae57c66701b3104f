"""Events of OpenTelemetry's GenAI conventions, which some instrumentations write as log records.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/

A record that names a span tells what was said in the call of that span: it becomes a span below it with the record as
its event, which is no call and has no tokens of its own. One with all of a call and without a span is the call.
"""

from typing import Any

from traces.ingest.otlp.plain_text import make_text

from .record import TRACE_ID_BYTES, Record, add_attributes, derived_id, fail, new_span, take

_PREFIX = b"gen_ai."
MARKS = (_PREFIX,)
_DETAILS = b"gen_ai.client.inference.operation.details"
_OPERATION = b"gen_ai.operation.name"
_MODELS = (b"gen_ai.request.model", b"gen_ai.response.model")
# Whose it was: on spans below others, too, they say nothing new.
_PEOPLE = (b"session.id", b"gen_ai.conversation.id", b"user.id", b"enduser.id")


def speaks(record: Record) -> bool:
    return record.name.startswith(_PREFIX)


def is_doubtful(record: Record) -> bool:
    """Never: what is within a trace is no call."""
    return False


def span(record: Record) -> Any:
    """The span of a record; None for a message that belongs to no call."""
    if record.has_parent:
        return _message(record)
    if record.name == _DETAILS and any(record.text(model) for model in _MODELS):
        return _call(record)
    return None


def _message(record: Record) -> Any:
    made = new_span(record, record.name)
    add_attributes(made, {name: record.attributes[name] for name in _PEOPLE if name in record.attributes})
    event = made.events.add(name=record.name, time_unix_nano=record.time_ns)
    add_attributes(event, {**record.body, **record.attributes})
    return made


def _call(record: Record) -> Any:
    operation = record.text(_OPERATION) or "chat"
    model = next(filter(None, map(record.text, _MODELS)))
    trace_id = derived_id(TRACE_ID_BYTES, _DETAILS, record.digest)
    made = new_span(record, _DETAILS, name=f"{operation} {model}".encode(), trace_id=trace_id)
    if _OPERATION not in record.attributes:
        add_attributes(made, {_OPERATION: operation.encode()})
    add_attributes(made, {name: value for name, value in record.body.items() if name not in record.attributes})
    take(record, made)
    make_text(made.attributes)  # messages are nested
    if error := record.text(b"error.type"):
        fail(made, error)
    return made
