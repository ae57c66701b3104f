"""The tables of the span store, and the view that decodes what is inserted.

Column names and types of `otel_traces` are those of the OpenTelemetry Collector's ClickHouse exporter, so that a
Collector can write it and AgentOps' queries can read it:
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter

A change here needs a migration: traces/store/shape/README.md.
"""

from collections.abc import Iterable

from traces.store.dialects import DIALECTS, Dialect

from .objects import Column, Index, Table, View, read_columns
from .otlp_proto import ENVELOPE_COLUMNS
from .otlp_rows import decode_select
from .told import COLUMN as TOLD
from .told import TYPE as TOLD_TYPE
from .typed_columns import told_by, typed_columns

SPANS = "otel_traces"
MESSAGES = "otlp"  # decodes what is inserted, and keeps none of it
DECODER = "otlp_to_otel_traces"
INBOX = "otlp_inbox"  # requests as they came, until their spans are stored
UNREADABLE = "otlp_unreadable"  # requests that ClickHouse cannot decode

_MAP = "Map(LowCardinality(String), String)"
_EXPORTER = read_columns(f"""
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
    `Links.Attributes` Array({_MAP}) CODEC(ZSTD(1))""")
EXPORTER_COLUMNS = tuple(_EXPORTER)
# Scope attributes: the exporter drops them, but whoever sends them may want them back. The digest says which request
# brought a span.
_OWN = read_columns(f"""
    ScopeAttributes {_MAP} CODEC(ZSTD(1)),
    request_digest FixedString(16) CODEC(ZSTD(1)),
    received_at DateTime64(3) MATERIALIZED now64(3) CODEC(Delta(8), ZSTD(1))""")
_REQUEST = read_columns("""
    received_at DateTime64(3) DEFAULT now64(3),
    project_id UUID,
    key_id UUID,
    digest FixedString(16),
    spans UInt32,
    body String CODEC(LZ4)""")


def spans_table(dialects: Iterable[Dialect] = DIALECTS) -> Table:
    # A default, because the decoder fills it: a column that ClickHouse works out itself it works out anew for each that
    # is made of it. Texts that stand among the attributes, too, and that only columns read: the smaller the better.
    told = Column(TOLD_TYPE, "DEFAULT", told_by(dialects).expression(), "ZSTD(1)")
    typed = {name: Column(kind, "MATERIALIZED", value) for name, (kind, value) in typed_columns(dialects).items()}
    return Table(
        name=SPANS,
        columns={**_EXPORTER, **_OWN, TOLD: told, **typed},
        indexes={
            "idx_trace_id": Index("TraceId", "bloom_filter(0.001)", 16),
            "idx_span_id": Index("SpanId", "bloom_filter(0.01)", 32),
            "idx_received_at": Index("received_at", "minmax", 1),
        },
        partition_by="toYYYYMM(Timestamp)",
        order_by="project_id, Timestamp",
        shard_by="cityHash64(TraceId)",
    )


def decoder_view(dialects: Iterable[Dialect] = DIALECTS) -> View:
    text = decode_select({TOLD: told_by(dialects).expression()})
    return View(name=DECODER, text=text, reads=MESSAGES, to=SPANS)


MESSAGES_TABLE = Table(name=MESSAGES, columns=read_columns(ENVELOPE_COLUMNS), engine="Null")
INBOX_TABLE = Table(
    name=INBOX,
    columns={
        "segment": Column("String"),
        **_REQUEST,
        # Trace id and span id in one: by them a span is found that another receiver was told first.
        **read_columns("span_ids Array(FixedString(24)) CODEC(NONE)"),
    },
    partition_by="segment",
    # A segment lives for a second or so and is dropped whole, so merging its parts would be work for nothing.
    settings={
        "max_bytes_to_merge_at_max_space_in_pool": 1,
        "max_bytes_to_merge_at_min_space_in_pool": 1,
        "old_parts_lifetime": 10,
    },
)
UNREADABLE_TABLE = Table(
    name=UNREADABLE,
    columns={**_REQUEST, "reason": Column("String")},
    partition_by="toYYYYMM(received_at)",
    order_by="received_at",
    ttl="toDateTime(received_at) + toIntervalDay(30)",
)


def create_statements() -> list[str]:
    """DDL of spans and of what decodes them, for benchmarks of the engine alone."""
    return [*spans_table().create(), *MESSAGES_TABLE.create(), decoder_view().create()]
