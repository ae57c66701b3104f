"""DDL of the span store: statements that create it and statements that remove it, for traces/migrations.

Column names and types of `otel_traces` are those of the OpenTelemetry Collector's ClickHouse exporter, so that a
Collector can write it and AgentOps' queries can read it:
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
"""

from agentops_portal.clickhouse import ddl

from .otlp_proto import ENVELOPE_COLUMNS
from .otlp_rows import DECODE_SELECT
from .typed_columns import typed_columns

SPANS = "otel_traces"
MESSAGES = "otlp"  # decodes what is inserted, and keeps none of it
DECODER = "otlp_to_otel_traces"
INBOX = "otlp_inbox"  # requests as they came, until their spans are stored
UNREADABLE = "otlp_unreadable"  # requests that ClickHouse cannot decode

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
EXPORTER_COLUMNS = tuple(line.split()[0].strip("`") for line in _EXPORTER_COLUMNS.strip().splitlines())
# Scope attributes: the exporter drops them, but whoever sends them may want them back. The digest says which request
# brought a span.
_OWN_COLUMNS = f"""
    ScopeAttributes {_MAP} CODEC(ZSTD(1)),
    request_digest FixedString(16) CODEC(ZSTD(1)),
    received_at DateTime64(3) MATERIALIZED now64(3) CODEC(Delta(8), ZSTD(1))"""
_INDEXES = """
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 16,
    INDEX idx_span_id SpanId TYPE bloom_filter(0.01) GRANULARITY 32,
    INDEX idx_received_at received_at TYPE minmax GRANULARITY 1"""
_PARTS = "PARTITION BY toYYYYMM(Timestamp) ORDER BY (project_id, Timestamp)"


def create_statements() -> list[str]:
    typed = ",\n    ".join(
        f"{name} {kind} MATERIALIZED {expression}" for name, (kind, expression) in typed_columns().items()
    )
    columns = ",".join((_EXPORTER_COLUMNS, _OWN_COLUMNS, typed, _INDEXES))
    return [
        *ddl.create_table(SPANS, columns, ddl.merge_tree(), _PARTS, shard_by="cityHash64(TraceId)"),
        *ddl.create_table(MESSAGES, ENVELOPE_COLUMNS, "Null"),
        ddl.create_materialized_view(DECODER, to=SPANS, select=DECODE_SELECT.format(source=ddl.local(MESSAGES))),
    ]


def drop_statements() -> list[str]:
    return [
        ddl.drop_view(DECODER),
        *ddl.drop_table(MESSAGES),
        *ddl.drop_table(SPANS),
    ]


_REQUEST_COLUMNS = """
    received_at DateTime64(3) DEFAULT now64(3),
    project_id UUID,
    key_id UUID,
    digest FixedString(16),
    spans UInt32,
    body String CODEC(LZ4)"""
# Trace id and span id in one: by them a span is found that another receiver was told first.
INBOX_SPAN_IDS = "span_ids Array(FixedString(24)) CODEC(NONE)"
# A segment lives for a second or so and is dropped whole, so merging its parts would be work for nothing.
_SEGMENTS = (
    "PARTITION BY segment ORDER BY tuple() "
    "SETTINGS max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1, "
    "old_parts_lifetime = 10"
)
_KEPT_FOR_A_WHILE = (
    "PARTITION BY toYYYYMM(received_at) ORDER BY received_at TTL toDateTime(received_at) + toIntervalDay(30)"
)


def create_inbox_statements() -> list[str]:
    inbox = f"segment String,{_REQUEST_COLUMNS}, {INBOX_SPAN_IDS}"
    unreadable = f"{_REQUEST_COLUMNS}, reason String"
    return [
        *ddl.create_table(INBOX, inbox, ddl.merge_tree(), _SEGMENTS),
        *ddl.create_table(UNREADABLE, unreadable, ddl.merge_tree(), _KEPT_FOR_A_WHILE),
    ]


def drop_inbox_statements() -> list[str]:
    return [*ddl.drop_table(INBOX), *ddl.drop_table(UNREADABLE)]
