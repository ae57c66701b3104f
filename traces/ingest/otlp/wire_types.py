"""Fields that a client sent with another wire type than OTLP's definition gives them.

To the protobuf library such a field is an unknown one, which it passes over and keeps; ClickHouse refuses everything
that was sent with it. So whoever sent it is told at the door. Attributes are not looked at there, for that would cost
as much as reading the request: what is odd within them is forgotten when ClickHouse does refuse (decoding.py).
Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from .errors import BadData
from .messages import LogsRequest, MetricsRequest, TraceRequest, item_lists, scopes

# Of ResourceSpans, until OpenTelemetry 1.0 of 2022: what ScopeSpans is now, with the same fields.
OLD_SCOPE_SPANS = 1000
_LENGTH = 2  # wire type
_NAMES = {0: "a varint", 1: "64 bits", 2: "a length and bytes", 3: "a group", 4: "a group's end", 5: "32 bits"}


def check_frame(message: Any) -> None:
    """Raises BadData when a request has such a field outside its items."""
    _refuse(message)
    for holder, scope_holder in scopes(message):
        _refuse(holder)
        _refuse(holder.resource)
        _refuse(scope_holder)
        _refuse(scope_holder.scope)


def leave_out_unreadable(message: Any, parts: Callable[[Any], Iterable[Any]] | None = None) -> list[str]:
    """Remove the items (spans, log records, metrics) with such a field from a request; gives what is wrong with each.

    parts: of an item, which are looked at; of a span unless told.
    """
    faults: list[str] = []
    for items in item_lists(message):
        found = [_fault_of(*(parts or _parts_of_span)(item)) for item in items]
        kept = [item for item, fault in zip(items, found, strict=True) if not fault]
        if len(kept) < len(found):
            faults += filter(None, found)
            del items[:]
            items.extend(kept)
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


def _parts_of_span(span: Any) -> Iterable[Any]:
    return (span, span.status, *span.events, *span.links)


def _fault_of(*parts: Any) -> str:
    return next(filter(None, map(_fault, parts)), "")


def _fault(message: Any) -> str:
    names = _FIELDS[message.DESCRIPTOR.full_name]
    for field in _unknown_fields(message):
        if field.field_number in names:
            what = f"{message.DESCRIPTOR.name}.{names[field.field_number]}"
            return f"{what} was sent as {_NAMES[field.wire_type]}, which is not its type in OTLP."
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
for _kind in (TraceRequest, LogsRequest, MetricsRequest):
    _fields_by_number(_kind.DESCRIPTOR, _FIELDS)
