"""Fields that a client sent with another wire type than OTLP's definition gives them.

To the protobuf library such a field is an unknown one, which it passes over and keeps; ClickHouse refuses everything
that was sent with it. So whoever sent it is told at the door. Attributes are not looked at there, for that would cost
as much as reading the request: what is odd within them is forgotten when ClickHouse does refuse (decoding.py).
Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterable
from typing import Any, cast

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from .errors import BadData
from .messages import TraceRequest

# Of ResourceSpans, until OpenTelemetry 1.0 of 2022: what ScopeSpans is now, with the same fields.
OLD_SCOPE_SPANS = 1000
_LENGTH = 2  # wire type
_NAMES = {0: "a varint", 1: "64 bits", 2: "a length and bytes", 3: "a group", 4: "a group's end", 5: "32 bits"}


def check_frame(message: Any) -> None:
    """Raises BadData when a TraceRequest has such a field outside its spans."""
    _refuse(message)
    for resource_spans in message.resource_spans:
        _refuse(resource_spans)
        _refuse(resource_spans.resource)
        for scope_spans in resource_spans.scope_spans:
            _refuse(scope_spans)
            _refuse(scope_spans.scope)


def leave_out_unreadable(message: Any) -> list[str]:
    """Remove the spans with such a field from a TraceRequest; gives what is wrong with each."""
    faults: list[str] = []
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            found = [_fault_of_span(span) for span in scope_spans.spans]
            kept = [span for span, fault in zip(scope_spans.spans, found, strict=True) if not fault]
            if len(kept) < len(found):
                faults += filter(None, found)
                del scope_spans.spans[:]
                scope_spans.spans.extend(kept)
    return faults


def adopt_old_scopes(message: Any) -> bool:
    """Make ScopeSpans of what senders of 2021 call InstrumentationLibrarySpans; True if there was one."""
    found = False
    for resource_spans in message.resource_spans:
        for field in _unknown_fields(resource_spans):
            if field.field_number == OLD_SCOPE_SPANS and field.wire_type == _LENGTH:
                found = True
                try:
                    resource_spans.scope_spans.add().MergeFromString(field.data)
                except DecodeError:
                    raise BadData("instrumentation_library_spans is not readable.") from None
    return found


def forget_unknown(message: Any) -> bool:
    """Remove what the protobuf library passed over."""
    message.DiscardUnknownFields()
    return True


def _refuse(message: Any) -> None:
    fault = _fault(message)
    if fault:
        raise BadData(fault)


def _fault_of_span(span: Any) -> str:
    return next(filter(None, map(_fault, (span, span.status, *span.events, *span.links))), "")


def _fault(message: Any) -> str:
    names = _FIELDS[message.DESCRIPTOR.full_name]
    for field in _unknown_fields(message):
        if field.field_number in names:
            what = f"{message.DESCRIPTOR.name}.{names[field.field_number]}"
            return f"{what} was sent as {_NAMES[field.wire_type]}, which is not its type in OTLP's trace messages."
    return ""


def _unknown_fields(message: Any) -> Iterable[Any]:
    return cast(Iterable[Any], UnknownFieldSet(message))


def _fields_by_number(descriptor: Any, known: dict[str, dict[int, str]]) -> None:
    if descriptor.full_name in known:
        return
    known[descriptor.full_name] = {field.number: field.name for field in descriptor.fields}
    for field in descriptor.fields:
        if field.message_type is not None:
            _fields_by_number(field.message_type, known)


_FIELDS: dict[str, dict[int, str]] = {}
_fields_by_number(TraceRequest.DESCRIPTOR, _FIELDS)
