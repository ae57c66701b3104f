"""Builds OTLP messages: one `Trace` collects its spans, `requests` packs many traces as an exporter would."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, SpanFlags, Status

MILLISECOND = 1_000_000  # in nanoseconds, the unit of every time here
SECOND = 1_000 * MILLISECOND

Kind: TypeAlias = "Span.SpanKind.ValueType"
Code: TypeAlias = "Status.StatusCode.ValueType"

INTERNAL = Span.SPAN_KIND_INTERNAL
SERVER = Span.SPAN_KIND_SERVER
CLIENT = Span.SPAN_KIND_CLIENT
UNSET = Status.STATUS_CODE_UNSET
OK = Status.STATUS_CODE_OK
ERROR = Status.STATUS_CODE_ERROR

# The batch size of OpenTelemetry's BatchSpanProcessor:
# https://opentelemetry.io/docs/specs/otel/trace/sdk/#batching-processor
SPANS_PER_REQUEST = 512

Value = str | bool | int | float | Sequence[str] | Sequence[float]
Attributes = Mapping[str, Value]


@dataclass(frozen=True)
class Scope:
    """The instrumentation library that a span names as its maker."""

    name: str
    version: str = ""
    schema_url: str = ""


@dataclass(frozen=True)
class Service:
    """The process that sends: its resource attributes, the same on every span."""

    attributes: Attributes

    def resource(self) -> Resource:
        return Resource(attributes=key_values(self.attributes))


@dataclass
class Trace:
    """The spans of one trace in the order they were made; `ids` gives the ids, so that a seed gives the same ones."""

    service: Service
    ids: Random
    spans: list[tuple[Scope, Span]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trace_id = self.ids.randbytes(16)

    @property
    def hex_id(self) -> str:
        return self.trace_id.hex()

    def span(
        self,
        name: str,
        scope: Scope,
        start: int,
        end: int,
        *,
        parent: Span | None = None,
        kind: Kind = INTERNAL,
        status: Code = UNSET,
        message: str = "",
        attributes: Attributes | None = None,
        events: Iterable[Span.Event] = (),
    ) -> Span:
        """Add one span; `start` and `end` are nanoseconds since 1970. Returns it, to be the parent of others."""
        span = Span(
            trace_id=self.trace_id,
            span_id=self.ids.randbytes(8),
            parent_span_id=parent.span_id if parent is not None else b"",
            name=name,
            kind=kind,
            start_time_unix_nano=start,
            end_time_unix_nano=end,
            attributes=key_values(attributes or {}),
            events=events,
            status=Status(code=status, message=message),
            flags=SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK,
        )
        self.spans.append((scope, span))
        return span


def event(name: str, time: int, attributes: Attributes) -> Span.Event:
    return Span.Event(name=name, time_unix_nano=time, attributes=key_values(attributes))


def exception(time: int, kind: str, message: str, stacktrace: str = "") -> Span.Event:
    """The event that OpenTelemetry's `record_exception` adds; every value is text, `escaped` too."""
    attributes = {
        "exception.type": kind,
        "exception.message": message,
        "exception.stacktrace": stacktrace or f"Traceback (most recent call last):\n{kind}: {message}\n",
        "exception.escaped": "False",
    }
    return event("exception", time, attributes)


def key_values(attributes: Attributes) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def any_value(value: Value) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, bool):  # before int, which bool is too
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))


def requests(traces: Iterable[Trace]) -> Iterator[ExportTraceServiceRequest]:
    """The messages in which exporters would send `traces`: per service, by end time, 512 spans each.

    So children come before their parents, and one trace may be spread over several messages, as in real life.
    """
    by_service: dict[str, list[tuple[Service, Scope, Span]]] = {}
    for trace in traces:
        spans = by_service.setdefault(str(trace.service.attributes["service.name"]), [])
        spans.extend((trace.service, scope, span) for scope, span in trace.spans)
    for spans in by_service.values():
        spans.sort(key=lambda entry: entry[2].end_time_unix_nano)
        for first in range(0, len(spans), SPANS_PER_REQUEST):
            yield _request(spans[first : first + SPANS_PER_REQUEST])


def _request(spans: Sequence[tuple[Service, Scope, Span]]) -> ExportTraceServiceRequest:
    by_scope: dict[Scope, list[Span]] = {}
    for _, scope, span in spans:
        by_scope.setdefault(scope, []).append(span)
    scope_spans = []
    for scope, members in by_scope.items():
        group = ScopeSpans(spans=members, schema_url=scope.schema_url)
        group.scope.name = scope.name
        group.scope.version = scope.version
        scope_spans.append(group)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=spans[0][0].resource(), scope_spans=scope_spans)]
    )
