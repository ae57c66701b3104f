"""One export request, checked: what may be stored of it, and what may not."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from uuid import UUID

from google.protobuf.message import DecodeError

from .clock import is_odd, place_odd_spans
from .errors import BadData
from .json_body import read_json
from .messages import TraceRequest
from .plain_text import make_text

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

    @property
    def rejection(self) -> str:
        """Why spans were left out, for the client and the receipt."""
        return (
            f"{self.rejected} of {self.rejected + self.spans} spans have no valid trace id (16 bytes) "
            "or span id (8 bytes)."
        )

    @property
    def latest_end(self) -> int:
        """End of the last span in Unix nanoseconds, 0 without one. Exporters send spans as they end."""
        for resource_spans in reversed(self.message.resource_spans):
            for scope_spans in reversed(resource_spans.scope_spans):
                if scope_spans.spans:
                    return int(scope_spans.spans[-1].end_time_unix_nano)
        return 0


def read_request(body: bytes, content_type: str, project_id: UUID) -> ExportRequest:
    """Read a protobuf or JSON body; spans without a valid trace and span id are left out and counted.

    Raises BadData when the body is not an ExportTraceServiceRequest.
    """
    digest = blake2b(body, digest_size=16, key=project_id.bytes).digest()
    if content_type == JSON:
        message = read_json(body)
        body = message.SerializeToString()
    else:
        try:
            message = TraceRequest.FromString(body)
        except DecodeError:
            raise BadData("The body is not an OTLP ExportTraceServiceRequest in protobuf encoding.") from None
    spans, rejected, changed = _check(message)
    if rejected:
        _leave_out_invalid(message)
    if rejected or changed:
        body = message.SerializeToString()
    return ExportRequest(project_id, digest, message, body, spans, rejected)


def is_valid(span: Any) -> bool:
    """The ids are there and not all zero: https://www.w3.org/TR/trace-context/#trace-id"""
    return (
        len(span.trace_id) == TRACE_ID_BYTES
        and len(span.span_id) == SPAN_ID_BYTES
        and any(span.trace_id)
        and any(span.span_id)
    )


def _check(message: Any) -> tuple[int, int, bool]:
    """Spans with valid ids, spans without, and whether something had to be changed. One pass: it is the hot loop."""
    valid = total = 0
    changed = odd = False
    for resource_spans in message.resource_spans:
        changed |= make_text(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            changed |= make_text(scope_spans.scope.attributes)
            total += len(scope_spans.spans)
            for span in scope_spans.spans:
                valid += is_valid(span)
                odd |= is_odd(span.start_time_unix_nano)
                for part in (*span.events, *span.links):
                    changed |= make_text(part.attributes)
    if odd:
        changed |= place_odd_spans(message)
    return valid, total - valid, changed


def _leave_out_invalid(message: Any) -> None:
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            kept = [span for span in scope_spans.spans if is_valid(span)]
            if len(kept) < len(scope_spans.spans):
                del scope_spans.spans[:]
                scope_spans.spans.extend(kept)
