"""Ways in which the spans of a request may reach the store."""

import random
from collections.abc import Callable, Iterator
from uuid import UUID

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.kept import stored_once
from tests.pages.spans import store

DAY_NS = 86_400 * 10**9


def pieces(request: ExportTraceServiceRequest) -> Iterator[ExportTraceServiceRequest]:
    """A request for each span."""
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                piece = ExportTraceServiceRequest()
                target = piece.resource_spans.add(resource=resource_spans.resource)
                target.scope_spans.add(scope=scope_spans.scope).spans.append(span)
                yield piece


def in_any_order(request: ExportTraceServiceRequest, seed: int, requests: int) -> Iterator[ExportTraceServiceRequest]:
    """The spans of a request dealt to so many requests, in an order that follows from the seed."""
    dice = random.Random(seed)
    spans = list(pieces(request))
    dice.shuffle(spans)
    for number in range(requests):
        joined = ExportTraceServiceRequest()
        for piece in spans[number::requests]:
            joined.MergeFrom(piece)
        if joined.resource_spans:
            yield joined


def spread_over_days(request: ExportTraceServiceRequest, seed: int) -> ExportTraceServiceRequest:
    """The same, with the start of every span moved by −2 to 2 days: traces that no day holds."""
    dice = random.Random(seed)
    moved = ExportTraceServiceRequest()
    moved.CopyFrom(request)
    for resource_spans in moved.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                shift = dice.choice([-2, -1, 0, 0, 0, 1, 2]) * DAY_NS + dice.randrange(10**9)
                span.start_time_unix_nano += shift
                span.end_time_unix_nano += shift
    return moved


def send(project_id: UUID, request: ExportTraceServiceRequest, seed: int, requests: int = 6) -> None:
    for part in in_any_order(request, seed, requests):
        store(project_id, part)


def sent_once(request: ExportTraceServiceRequest, seed: int = 1, requests: int = 6) -> UUID:
    """The id of a project to which it was sent like this, for reading: other tests have it, too."""
    return stored_once(*in_any_order(request, seed, requests))


_COLUMNS = """
    Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes,
    ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage, `Events.Timestamp`, `Events.Name`,
    `Events.Attributes`, `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, `Links.Attributes`
"""


def copied_by_a_collector(sql: Callable[..., object], project_id: UUID, other: UUID) -> None:
    """The spans of a project again as those of another one, by an INSERT with the columns of the exporter."""
    renamed = _COLUMNS.replace(
        "ResourceAttributes", f"mapUpdate(ResourceAttributes, map('agentops.project.id', '{other}'))"
    )
    sql(f"INSERT INTO otel_traces ({_COLUMNS}) SELECT {renamed} FROM otel_traces WHERE project_id = '{project_id}'")
