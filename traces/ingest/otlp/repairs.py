"""What clients write in the place of a parent or a name, put right before it is stored."""

from typing import Any

from .pending import text_of

_TEMPLATE, _MESSAGE = b"logfire.msg_template", b"logfire.msg"
_ZEROS = bytes(8)
# A parent of zeros, as it stands in a body of protobuf and in one of JSON.
_ZERO_PARENTS = (b'"\x08' + _ZEROS, b"0" * 16)


def put_right(message: Any, body: bytes) -> bool:
    """Take the names of Logfire's spans from their messages, and the parents of zeros away; True if there was one.

    Logfire names a span by its template, "Chat Completion with {request_data[model]!r}", and keeps what it says in an
    attribute; the template has one, too. body: of the message, in which marks are found faster.
    """
    has_templates = _TEMPLATE in body
    has_zeros = any(zeros in body for zeros in _ZERO_PARENTS)
    if not (has_templates or has_zeros):
        return False
    changed = False
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                changed |= _drop_zero_parent(span) | (has_templates and _take_message(span))
    return changed


def _drop_zero_parent(span: Any) -> bool:
    if span.parent_span_id != _ZEROS:
        return False
    span.parent_span_id = b""
    return True


def _take_message(span: Any) -> bool:
    if b"{" not in span.name:
        return False
    said = next((text_of(pair.value) for pair in span.attributes if pair.key == _MESSAGE), b"")
    if not said or said == span.name:
        return False
    span.name = said
    return True
