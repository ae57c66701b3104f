"""Spans for tests: small OTLP requests, and the way into the store that the receiver takes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from tests.receiver import store_body

PAYLOADS = Path(__file__).parent.parent / "payloads"
RECORDED_DAY = "?start=2026-11-23T00:00:00Z&end=2026-11-24T00:00:00Z"  # when tests/payloads were recorded
MS = 1_000_000  # nanoseconds

Value = str | int | float | bool | Sequence[str]


@dataclass
class Spanlet:
    """One span. Times are milliseconds after the start of its trace."""

    name: str
    id: int = 1
    parent: int = 0
    start: float = 0
    end: float = 10
    kind: int = Span.SPAN_KIND_INTERNAL
    status: int = Status.STATUS_CODE_UNSET
    message: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    events: Sequence[tuple[str, Mapping[str, Value]]] = ()


def recorded(name: str) -> ExportTraceServiceRequest:
    """A body of tests/payloads, such as `recorded("agentops-0.4.21-session")`."""
    return ExportTraceServiceRequest.FromString((PAYLOADS / f"{name}.pb").read_bytes())


def store(project_id: UUID, request: ExportTraceServiceRequest) -> None:
    """What the receiver does with an authenticated request."""
    store_body(project_id, request.SerializeToString())


def request_of(traces: Mapping[int, Sequence[Spanlet]], starts: Mapping[int, int] | int) -> ExportTraceServiceRequest:
    """A request with traces by number; `starts` in nanoseconds since 1970, one for all or one a trace."""
    spans = [
        _span(number, each, starts if isinstance(starts, int) else starts[number])
        for number, spanlets in traces.items()
        for each in spanlets
    ]
    resource = Resource(attributes=_attributes({"service.name": "tests"}))
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=spans)])]
    )


def store_trace(project_id: UUID, spanlets: Sequence[Spanlet], number: int = 1, start_ns: int | None = None) -> str:
    """Store one trace, a minute old unless told; gives its id."""
    start_ns = start_ns if start_ns is not None else time.time_ns() - 60_000 * MS
    store(project_id, request_of({number: spanlets}, start_ns))
    return trace_id(number)


def trace_id(number: int) -> str:
    return f"{number:032x}"


def span_id(number: int) -> str:
    return f"{number:016x}"


def _span(trace: int, spanlet: Spanlet, start_ns: int) -> Span:
    return Span(
        trace_id=trace.to_bytes(16, "big"),
        span_id=spanlet.id.to_bytes(8, "big"),
        parent_span_id=spanlet.parent.to_bytes(8, "big") if spanlet.parent else b"",
        name=spanlet.name,
        kind=spanlet.kind,  # type: ignore[arg-type]
        start_time_unix_nano=start_ns + int(spanlet.start * MS),
        end_time_unix_nano=start_ns + int(spanlet.end * MS),
        attributes=_attributes(spanlet.attributes),
        status=Status(code=spanlet.status, message=spanlet.message),  # type: ignore[arg-type]
        events=[
            Span.Event(time_unix_nano=start_ns, name=name, attributes=_attributes(values))
            for name, values in spanlet.events
        ],
    )


def _attributes(values: Mapping[str, Value]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items()]


def _value(value: Value) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=each) for each in value]))
