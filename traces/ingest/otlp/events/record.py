"""A log record as the dialects of events read it, and the span that it becomes."""

import math
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from hashlib import blake2b
from typing import Any

from traces.ingest.otlp.messages import SpanMessage
from traces.store.queries.span_children import LOG_EVENT

TRACE_ID_BYTES, SPAN_ID_BYTES = 16, 8
_NAME = b"event.name"
_ERROR = 2  # of opentelemetry.proto.trace.v1.Status
_LONGEST_NS = 24 * 3600 * 10**9


def _by_name(pairs: Iterable[Any]) -> dict[bytes, Any]:
    found: dict[bytes, Any] = {}
    for pair in pairs:
        found.setdefault(pair.key, pair.value)
    return found


class Record:
    """raw: the LogRecord; scope: the name of its instrumentation."""

    def __init__(self, raw: Any, scope: bytes) -> None:
        self.raw = raw
        self.scope = scope

    @cached_property
    def attributes(self) -> dict[bytes, Any]:
        """Name → AnyValue; of a name that stands there twice the first."""
        return _by_name(self.raw.attributes)

    @cached_property
    def body(self) -> dict[bytes, Any]:
        """The fields of a body that has fields; any other is one, called body."""
        kind = self.raw.body.WhichOneof("value")
        if kind == "kvlist_value":
            return _by_name(self.raw.body.kvlist_value.values)
        return {b"body": self.raw.body} if kind and self.raw.body.string_value != self.name else {}

    @cached_property
    def name(self) -> bytes:
        """Until 1.36 of the conventions an attribute; Claude Code repeats it, with its own name before, as the body."""
        return bytes(self.raw.event_name or self.text(_NAME).encode() or self.raw.body.string_value)

    @property
    def time_ns(self) -> int:
        return int(self.raw.time_unix_nano or self.raw.observed_time_unix_nano)

    @property
    def is_traced(self) -> bool:
        """It names the span within which it was written."""
        return len(self.raw.trace_id) == TRACE_ID_BYTES and any(self.raw.trace_id)

    @property
    def has_parent(self) -> bool:
        return self.is_traced and len(self.raw.span_id) == SPAN_ID_BYTES and any(self.raw.span_id)

    def text(self, name: bytes) -> str:
        value = self.attributes.get(name)
        return value.string_value.decode("utf-8", "replace") if value is not None else ""

    def number(self, name: bytes) -> float:
        """Of a number or the text of one; 0 when it is none."""
        value = self.attributes.get(name)
        kind = value.WhichOneof("value") if value is not None else None
        if kind not in ("int_value", "double_value", "string_value"):
            return 0
        try:
            number = float(getattr(value, kind))
        except (ValueError, OverflowError):
            return 0
        return number if math.isfinite(number) else 0

    @cached_property
    def digest(self) -> bytes:
        """Of all that a sender says of it: the same record sent again has the same."""
        said = type(self.raw)()
        said.CopyFrom(self.raw)
        said.ClearField("observed_time_unix_nano")  # a Collector's own time
        return blake2b(said.SerializeToString(deterministic=True)).digest()


def derived_id(length: int, *parts: bytes) -> bytes:
    """An id that is the same wherever and whenever it is made of these parts."""
    digest = blake2b(digest_size=length)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.digest()


def new_span(
    record: Record,
    event: bytes,
    *,
    name: bytes = b"",
    trace_id: bytes = b"",
    parent_id: bytes = b"",
    span_id: bytes = b"",
    milliseconds: float = 0,
) -> Any:
    """The span that ended when the record was written, after some time. The record's own trace and parent go first.

    event: the record's full name, and the span's unless told; span_id: of the record's content unless told.
    """
    if record.is_traced:
        trace_id = record.raw.trace_id
        parent_id = record.raw.span_id if record.has_parent else b""
    span = SpanMessage(trace_id=trace_id, parent_span_id=parent_id, name=name or event)
    span.span_id = span_id or derived_id(SPAN_ID_BYTES, trace_id, record.digest)
    span.end_time_unix_nano = record.time_ns
    duration = int(milliseconds * 1_000_000)
    is_plausible = 0 <= duration <= min(_LONGEST_NS, record.time_ns)
    span.start_time_unix_nano = record.time_ns - (duration if is_plausible else 0)
    add_attributes(span, {LOG_EVENT.encode(): event})
    return span


def add_attributes(target: Any, values: Mapping[bytes, Any]) -> None:
    """values: name → AnyValue, or a plain value."""
    for name, value in values.items():
        pair = target.attributes.add(key=name)
        if isinstance(value, bytes):
            pair.value.string_value = value
        elif isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.CopyFrom(value)


def take(record: Record, span: Any, leave_out: Collection[bytes] = ()) -> None:
    """Give a span the attributes of the record."""
    if leave_out:
        span.attributes.extend(pair for pair in record.raw.attributes if pair.key not in leave_out)
    else:
        span.attributes.extend(record.raw.attributes)


def fail(span: Any, message: str) -> None:
    span.status.code = _ERROR
    span.status.message = message.encode()
