"""Cuts an export request into rows of the inbox, without decoding a span.

A row is one ScopeSpans as it came, its Resource, and what the receiver knows: the project and the digest of the
request. `traces.store.schema.otlp_proto` has the message. Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from uuid import UUID

from traces.store.schema.otlp_proto import DIGEST_FIELD, PROJECT_FIELD, RESOURCE_FIELD, SCOPE_SPANS_FIELD

# Numbers in opentelemetry/proto/trace/v1/trace.proto
RESOURCE_SPANS = 1  # of ExportTraceServiceRequest
RESOURCE = 1  # of ResourceSpans
SCOPE_SPANS = 2
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def envelopes(body: bytes, project_id: UUID, digest: bytes) -> bytes:
    """Length-delimited Envelope messages, one for each ScopeSpans of a request that the protobuf library has read."""
    origin = _field(PROJECT_FIELD, str(project_id).encode()) + _field(DIGEST_FIELD, digest)
    parts: list[bytes] = []
    for resource_spans in _payloads(memoryview(body), RESOURCE_SPANS):
        # Of a message field that stands there twice the contents count together, and so do their bytes.
        resource = b"".join(_payloads(resource_spans, RESOURCE))
        tail = _field(RESOURCE_FIELD, resource) + origin
        for scope_spans in _payloads(resource_spans, SCOPE_SPANS):
            head = _tag(SCOPE_SPANS_FIELD) + varint(len(scope_spans))
            parts += (varint(len(head) + len(scope_spans) + len(tail)), head, scope_spans, tail)
    return b"".join(parts)


def _payloads(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """The contents of every length-delimited field of that number."""
    position = 0
    while position < len(message):
        tag, position = _read_varint(message, position)
        wire_type = tag & 7
        if wire_type == _LENGTH:
            length, position = _read_varint(message, position)
            if tag >> 3 == wanted:
                yield message[position : position + length]
            position += length
        elif wire_type == _VARINT:
            _, position = _read_varint(message, position)
        elif wire_type in (_FIXED32, _FIXED64):
            position += 4 if wire_type == _FIXED32 else 8
        else:
            position = _after_group(message, position, tag >> 3)


def _after_group(message: memoryview, position: int, number: int) -> int:
    """The position behind a group, a form of nesting that OTLP never used but any client may send."""
    while True:
        tag, position = _read_varint(message, position)
        wire_type = tag & 7
        if wire_type == 4:
            if tag >> 3 == number:
                return position
        elif wire_type == 3:
            position = _after_group(message, position, tag >> 3)
        elif wire_type == _VARINT:
            _, position = _read_varint(message, position)
        elif wire_type == _LENGTH:
            length, position = _read_varint(message, position)
            position += length
        else:
            position += 4 if wire_type == _FIXED32 else 8


def _read_varint(message: memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _tag(number: int) -> bytes:
    return varint(number << 3 | _LENGTH)


def _field(number: int, content: bytes) -> bytes:
    return _tag(number) + varint(len(content)) + content
