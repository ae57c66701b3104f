"""What a span is known by: its trace id, span id and start."""

import struct
from array import array
from collections.abc import Sequence
from typing import Any

from traces.schema.decode import MAX_NANOSECONDS

from .clock import FIRST_PLAUSIBLE, OFFSET_ATTRIBUTE, is_odd, was_moved

SpanId = bytes  # trace id and span id
SPAN_ID_BYTES, TRACE_ID_BYTES = 24, 16
_START_BYTES = 8
# Instead of the start of a span that was moved, or might have been: another request may have moved it elsewhere.
ANYWHERE = -1


def pack_keys(message: Any, body: bytes) -> bytes:
    """The keys of a request's spans, as the store has them, in 32 bytes each: first all ids, then all starts.

    body: of the message. Thousands of requests wait with their keys, and this runs for every span: no more is done
    than must be.
    """
    spans = [
        span
        for resource_spans in message.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    starts = [span.start_time_unix_nano for span in spans]
    if spans and (min(starts) < FIRST_PLAUSIBLE or max(starts) > MAX_NANOSECONDS or OFFSET_ATTRIBUTE in body):
        starts = [_start(span) for span in spans]
    return b"".join([span.trace_id + span.span_id for span in spans]) + array("q", starts).tobytes()


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
    return ANYWHERE if is_odd(start) or was_moved(span) else min(start, MAX_NANOSECONDS)
