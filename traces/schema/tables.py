"""DDL of the span store: statements that create it and statements that remove it, for traces/migrations.

Column names and types of `otel_traces` are those of the OpenTelemetry Collector's ClickHouse exporter, so that a
Collector can write it and AgentOps' queries can read it:
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
"""

from agentops_portal.clickhouse import ddl

from .decode import DECODE_SELECT
from .otlp_proto import ENVELOPE_COLUMNS
from .typed_columns import typed_columns

SPANS = "otel_traces"
INBOX = "otlp"
DECODER = "otlp_to_otel_traces"

_MAP = "Map(LowCardinality(String), String)"
_EXPORTER_COLUMNS = f"""
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes {_MAP} CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes {_MAP} CODEC(ZSTD(1)),
    Duration UInt64 CODEC(ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    `Events.Timestamp` Array(DateTime64(9)) CODEC(ZSTD(1)),
    `Events.Name` Array(LowCardinality(String)) CODEC(ZSTD(1)),
    `Events.Attributes` Array({_MAP}) CODEC(ZSTD(1)),
    `Links.TraceId` Array(String) CODEC(ZSTD(1)),
    `Links.SpanId` Array(String) CODEC(ZSTD(1)),
    `Links.TraceState` Array(String) CODEC(ZSTD(1)),
    `Links.Attributes` Array({_MAP}) CODEC(ZSTD(1))"""
# Scope attributes: the exporter drops them, but whoever sends them may want them back. The digest stands in the rows
# themselves, because one row is the most that ClickHouse writes all or nothing: a request is known to be stored if,
# and only if, its spans are (traces/otlp/duplicates.py).
_OWN_COLUMNS = f"""
    ScopeAttributes {_MAP} CODEC(ZSTD(1)),
    request_digest FixedString(16) CODEC(ZSTD(1)),
    received_at DateTime64(3) MATERIALIZED now64(3) CODEC(Delta(8), ZSTD(1))"""
_INDEXES = """
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 16,
    INDEX idx_span_id SpanId TYPE bloom_filter(0.01) GRANULARITY 32,
    INDEX idx_received_at received_at TYPE minmax GRANULARITY 1,
    INDEX idx_request_digest request_digest TYPE bloom_filter(0.001) GRANULARITY 1"""
_PARTS = "PARTITION BY toYYYYMM(Timestamp) ORDER BY (project_id, Timestamp)"


def create_statements() -> list[str]:
    typed = ",\n    ".join(
        f"{name} {kind} MATERIALIZED {expression}" for name, (kind, expression) in typed_columns().items()
    )
    columns = ",".join((_EXPORTER_COLUMNS, _OWN_COLUMNS, typed, _INDEXES))
    return [
        *ddl.create_table(SPANS, columns, ddl.merge_tree(), _PARTS, shard_by="cityHash64(TraceId)"),
        *ddl.create_table(INBOX, ENVELOPE_COLUMNS, "Null"),
        ddl.create_materialized_view(DECODER, to=SPANS, select=DECODE_SELECT.format(source=ddl.local(INBOX))),
    ]


def drop_statements() -> list[str]:
    return [
        ddl.drop_view(DECODER),
        *ddl.drop_table(INBOX),
        *ddl.drop_table(SPANS),
    ]
