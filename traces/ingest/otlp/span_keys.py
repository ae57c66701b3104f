"""What a span is known by: its trace id, span id and start."""

import struct
from array import array
from collections.abc import Sequence
from typing import Any

from agentops_portal.units import LAST_NS

from .clock import FIRST_PLAUSIBLE, is_odd, was_moved

SpanId = bytes  # trace id and span id
SPAN_ID_BYTES, TRACE_ID_BYTES = 24, 16
_START_BYTES = 8
# Instead of the start of a span that was moved, or might have been: another request may have moved it elsewhere.
ANYWHERE = -1


def pack_keys(ids: Sequence[SpanId], starts: Sequence[int]) -> bytes:
    """Keys in 32 bytes each: first all ids, then all starts, for thousands of requests wait with theirs.

    b"" when a start is not what the store will have: keys_of looks closer.
    """
    if starts and (min(starts) < FIRST_PLAUSIBLE or max(starts) > LAST_NS):
        return b""
    return b"".join(ids) + array("q", starts).tobytes()


def keys_of(message: Any) -> bytes:
    """The keys of a request's spans, as the store has them."""
    spans = [
        span
        for resource_spans in message.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    ids = [span.trace_id + span.span_id for span in spans]
    return b"".join(ids) + array("q", map(_start, spans)).tobytes()


def ids_of(keys: bytes) -> bytes:
    return keys[: len(keys) // (SPAN_ID_BYTES + _START_BYTES) * SPAN_ID_BYTES]


def starts_of(keys: bytes) -> Sequence[int]:
    """In nanoseconds since 1970, or ANYWHERE."""
    starts = array("q")
    starts.frombytes(keys[len(ids_of(keys)) :])
    return starts


def split_ids(ids: bytes) -> tuple[SpanId, ...]:
    return struct.unpack(f"{SPAN_ID_BYTES}s" * (len(ids) // SPAN_ID_BYTES), ids)


def _start(span: Any) -> int:
    start = int(span.start_time_unix_nano)
    return ANYWHERE if is_odd(start) or was_moved(span) else min(start, LAST_NS)
