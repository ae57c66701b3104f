"""Log records that describe what an LLM application did, as the spans that they stand for (README.md)."""

from types import ModuleType
from typing import Any, NamedTuple

from traces.ingest.otlp.messages import TraceRequest
from traces.ingest.otlp.span_keys import SpanId

from . import claude_code, genai
from .record import Record

DIALECTS: tuple[ModuleType, ...] = (claude_code, genai)


_MARKS = tuple(mark for dialect in DIALECTS for mark in dialect.MARKS)


class Told(NamedTuple):
    """request: a TraceRequest; records: how many became a span; doubtful: ids of calls that a trace may tell, too."""

    request: Any
    records: int
    doubtful: frozenset[SpanId]


def spans_of(request: Any, body: bytes) -> Told:
    """The spans that the records of a LogsRequest stand for. body: its protobuf, where their marks are found faster."""
    made, told, doubtful = TraceRequest(), 0, set()
    if not any(mark in body for mark in _MARKS):
        return Told(made, told, frozenset())
    for resource_logs in request.resource_logs:
        resource_spans = made.resource_spans.add(resource=resource_logs.resource, schema_url=resource_logs.schema_url)
        for scope_logs in resource_logs.scope_logs:
            spans = []
            for raw in scope_logs.log_records:
                record = Record(raw, scope_logs.scope.name)
                dialect = next((dialect for dialect in DIALECTS if dialect.speaks(record)), None)
                # Nothing is placed that has no time.
                if dialect and record.time_ns and (span := dialect.span(record)):
                    spans.append(span)
                    if dialect.is_doubtful(record):
                        doubtful.add(span.trace_id + span.span_id)
            if spans:
                resource_spans.scope_spans.add(scope=scope_logs.scope, spans=spans, schema_url=scope_logs.schema_url)
                told += len(spans)
    return Told(made, told, frozenset(doubtful))
