"""Recognises pending spans in a request, and gives those that have an id of their own the id of their final span."""

from typing import Any

from traces.store.dialects.pending import PENDING_MARKS, PENDING_PARENT

_MARKS = {key.encode(): value.encode() for key, value in PENDING_MARKS.items()}
_PARENT = PENDING_PARENT.encode()
_TYPE, _TYPE_VALUE = b"logfire.span_type", b"pending_span"
SPAN_ID_BYTES = 8


def is_pending(span: Any) -> bool:
    return any(pair.key in _MARKS and text_of(pair.value) == _MARKS[pair.key] for pair in span.attributes)


def take_final_ids(message: Any, body: bytes) -> bool:
    """Give the pending spans of Logfire the ids that their final ones will have; True if there was one.

    body: of the message, in which the mark is found faster.
    """
    if _TYPE_VALUE not in body:
        return False
    changed = False
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                changed |= _take_final_ids(span)
    return changed


def _take_final_ids(span: Any) -> bool:
    values = {pair.key: text_of(pair.value) for pair in span.attributes if pair.key in (_TYPE, _PARENT)}
    final_id = span.parent_span_id
    if values.get(_TYPE) != _TYPE_VALUE or not _is_id(final_id):
        return False
    try:
        parent = bytes.fromhex(values.get(_PARENT, b"").decode())
    except ValueError:
        return False
    span.span_id = final_id
    span.parent_span_id = parent if _is_id(parent) else b""
    return True


def _is_id(value: bytes) -> bool:
    return len(value) == SPAN_ID_BYTES and any(value)


def text_of(value: Any) -> bytes:
    if value.WhichOneof("value") == "bool_value":
        return b"true" if value.bool_value else b"false"
    return bytes(value.string_value)
