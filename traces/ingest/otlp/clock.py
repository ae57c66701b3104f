"""Puts spans where they belong whose clock does not count from 1970.

LiteLLM 1.80 times its `router` spans with the machine's monotonic clock, which counts from its start: stored as they
came, they would lie in 1970 and their traces would last for decades. Their durations are right, so they are moved as a
whole, and what they were moved by is written on them.
"""

from typing import Any

FIRST_PLAUSIBLE = 946_684_800 * 10**9  # 2000-01-01; there was no OpenTelemetry before
OFFSET_ATTRIBUTE = b"portal.clock_offset_ns"


def is_odd(start_ns: int) -> bool:
    """0 is no clock's time: it says that nobody knows."""
    return 0 < start_ns < FIRST_PLAUSIBLE


def was_moved(span: Any) -> bool:
    return bool(span.attributes) and span.attributes[-1].key == OFFSET_ATTRIBUTE


def place_odd_spans(message: Any) -> bool:
    """Move the odd spans of a request (which come from one process, with one clock); True if there was one to move.

    A child lies within its parent, so the parents in the request say how far; where none is, the spans that were sent
    together ended together. A request of odd spans alone is left as it is.
    """
    spans = [span for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans]
    odd = [span for span in spans if is_odd(span.start_time_unix_nano)]
    plausible = {(span.trace_id, span.span_id): span for span in spans if span.start_time_unix_nano >= FIRST_PLAUSIBLE}
    if not odd or not plausible:
        return False
    parents = [(span, plausible.get((span.trace_id, span.parent_span_id))) for span in odd]
    offsets = [
        parent.start_time_unix_nano - span.start_time_unix_nano for span, parent in parents if parent is not None
    ]
    last = max(span.end_time_unix_nano for span in plausible.values())
    # No child starts before its parent: each offset is a lower bound, so the greatest is the closest.
    offset = max(offsets, default=last - max(span.end_time_unix_nano for span in odd))
    for span in odd:
        _move(span, max(offset, 0))
    return True


def _move(span: Any, offset: int) -> None:
    span.start_time_unix_nano = min(span.start_time_unix_nano + offset, 2**64 - 1)
    if span.end_time_unix_nano:
        span.end_time_unix_nano = min(span.end_time_unix_nano + offset, 2**64 - 1)
    span.attributes.add(key=OFFSET_ATTRIBUTE).value.int_value = min(offset, 2**63 - 1)
