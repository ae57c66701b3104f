"""Log records that describe what an LLM application did, as the spans that they stand for (README.md)."""

from typing import Any

from traces.ingest.otlp.messages import TraceRequest

from . import claude_code, genai
from .record import Record

DIALECTS = (claude_code, genai)


def spans_of(request: Any) -> tuple[Any, int]:
    """A TraceRequest with the spans that the records of a LogsRequest stand for, and how many records have one."""
    made, told = TraceRequest(), 0
    for resource_logs in request.resource_logs:
        resource_spans = made.resource_spans.add(resource=resource_logs.resource, schema_url=resource_logs.schema_url)
        for scope_logs in resource_logs.scope_logs:
            records = (Record(raw, scope_logs.scope.name) for raw in scope_logs.log_records)
            if spans := [span for record in records if (span := _span(record))]:
                resource_spans.scope_spans.add(scope=scope_logs.scope, spans=spans, schema_url=scope_logs.schema_url)
                told += len(spans)
    return made, told


def _span(record: Record) -> Any:
    """None for a record that stands for none, and for one of no time."""
    if not record.time_ns:
        return None
    return next((dialect.span(record) for dialect in DIALECTS if dialect.speaks(record)), None)
