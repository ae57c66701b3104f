"""One export request, checked: what may be stored of it, and what may not."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from .clock import is_odd, place_odd_spans
from .errors import BadData
from .events import spans_of
from .json_body import read_json
from .messages import TraceRequest
from .other_signals import count, other_signal, read_others
from .pending import take_final_ids
from .plain_text import make_text
from .repairs import put_right
from .signals import LOGS, METRICS, TRACES, Signal
from .span_keys import SpanId, keys_of, pack_keys
from .usage_metrics import points_of
from .wire_types import adopt_old_scopes, check_frame, leave_out_unreadable

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8


@dataclass(slots=True)
class ExportRequest:
    """A readable request. `body` is protobuf whatever it came as; `spans` counts those that can be stored."""

    project_id: UUID
    digest: bytes  # of the bytes that the client sent, so that the same request sent again is known
    message: Any
    body: bytes
    spans: int
    rejected: int
    keys: bytes  # of its spans (span_keys.py)
    fault: str = ""  # the first field that could not be read, where ids are not all that was wrong
    signal: Signal = TRACES
    not_stored: int = 0  # log records or data points that say nothing that the store has a place for
    doubtful: frozenset[SpanId] = frozenset()  # calls told by log records that a trace may tell, too

    @property
    def rejection(self) -> str:
        """Why items were left out, for the client and the receipt."""
        if self.signal is not TRACES:
            return f"{self.rejected} {self.signal.items} cannot be read. The first: {self.fault}"
        total = self.rejected + self.spans
        if self.fault:
            return f"{self.rejected} of {total} spans cannot be stored. The first: {self.fault}"
        return f"{self.rejected} of {total} spans have no valid trace id (16 bytes) or span id (8 bytes)."

    @property
    def latest_end(self) -> int:
        """End of the last span in Unix nanoseconds, 0 without one. Exporters send spans as they end."""
        for resource_spans in reversed(self.message.resource_spans):
            for scope_spans in reversed(resource_spans.scope_spans):
                if scope_spans.spans:
                    return int(scope_spans.spans[-1].end_time_unix_nano)
        return 0


def read_request(body: bytes, content_type: str, project_id: UUID, signal: Signal = TRACES) -> ExportRequest:
    """Read a protobuf or JSON body; items that are unreadable, and spans without valid ids, are left out and counted.

    Raises BadData when the body is no request of that signal, and when it has items and none is readable.
    """
    try:
        if signal is TRACES:
            return _read_traces(body, content_type, project_id)
        return _read_others(body, content_type, project_id, signal)
    except BadData:
        if content_type != JSON and (other := other_signal(body, signal)):
            raise BadData(f"The body holds {other}; this address receives {signal.name}.") from None
        raise


def _read_others(body: bytes, content_type: str, project_id: UUID, signal: Signal) -> ExportRequest:
    is_json = content_type == JSON
    message, faults = read_others(body, is_json, signal)
    made, told, doubtful = TraceRequest(), 0, frozenset[SpanId]()
    if signal is LOGS:
        made, told, doubtful = spans_of(message, message.SerializeToString() if is_json else body)
    elif signal is METRICS:
        made, told = points_of(message)
    _check(made)
    return ExportRequest(
        project_id,
        digest=_digest(body, project_id),
        message=made,
        body=made.SerializeToString(),
        spans=told,
        rejected=len(faults),
        keys=keys_of(made),
        fault="".join(faults[:1]),
        signal=signal,
        not_stored=count(message, signal) - told,
        doubtful=doubtful,
    )


def _digest(body: bytes, project_id: UUID) -> bytes:
    return blake2b(body, digest_size=16, key=project_id.bytes).digest()


def _read_traces(body: bytes, content_type: str, project_id: UUID) -> ExportRequest:
    digest = _digest(body, project_id)
    if content_type == JSON:
        (message, faults), changed = read_json(body), True
    else:
        message, faults, changed = _read_protobuf(body)
    found = _check(message)
    if found.unknown_fields and (misfits := leave_out_unreadable(message)):
        faults, changed = faults + misfits, True
        found = _check(message)
    if faults and not found.valid:
        raise BadData(faults[0])
    changed |= take_final_ids(message, body) | put_right(message, body)
    if found.invalid:
        _leave_out_invalid(message)
    if changed or found.changed or found.invalid:
        body = message.SerializeToString()
        keys = keys_of(message)
    else:
        keys = pack_keys(found.ids, found.starts) or keys_of(message)
    rejected = found.invalid + len(faults)
    return ExportRequest(project_id, digest, message, body, found.valid, rejected, keys, "".join(faults[:1]))


def _read_protobuf(body: bytes) -> tuple[Any, list[str], bool]:
    """The message, no faults yet, and whether it differs from the body."""
    try:
        message = TraceRequest.FromString(body)
    except DecodeError:
        raise BadData("The body is not an OTLP ExportTraceServiceRequest in protobuf encoding.") from None
    changed = adopt_old_scopes(message)
    check_frame(message)
    return message, [], changed


def are_valid(trace_id: bytes, span_id: bytes) -> bool:
    """The ids are there and not all zero: https://www.w3.org/TR/trace-context/#trace-id"""
    return len(trace_id) == TRACE_ID_BYTES and len(span_id) == SPAN_ID_BYTES and any(trace_id) and any(span_id)


class _Found(NamedTuple):
    valid: int  # spans with valid ids
    invalid: int
    changed: bool  # something had to be
    unknown_fields: int  # in spans, outside attributes
    ids: list[bytes]  # of all spans, trace id and span id
    starts: list[int]


def _check(message: Any) -> _Found:
    """One pass: it is the hot loop."""
    valid = unknown = 0
    changed = False
    ids: list[bytes] = []
    starts: list[int] = []
    for resource_spans in message.resource_spans:
        changed |= make_text(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            changed |= make_text(scope_spans.scope.attributes)
            for span in scope_spans.spans:
                trace_id, span_id = span.trace_id, span.span_id
                valid += are_valid(trace_id, span_id)
                ids.append(trace_id + span_id)
                starts.append(span.start_time_unix_nano)
                unknown += len(UnknownFieldSet(span))
                if span.HasField("status"):
                    unknown += len(UnknownFieldSet(span.status))
                if span.events or span.links:  # most spans have none
                    for part in (*span.events, *span.links):
                        unknown += len(UnknownFieldSet(part))
                        changed |= make_text(part.attributes)
    if any(map(is_odd, starts)):
        changed |= place_odd_spans(message)
    return _Found(valid, len(ids) - valid, changed, unknown, ids, starts)


def _leave_out_invalid(message: Any) -> None:
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            kept = [span for span in scope_spans.spans if are_valid(span.trace_id, span.span_id)]
            if len(kept) < len(scope_spans.spans):
                del scope_spans.spans[:]
                scope_spans.spans.extend(kept)
