"""What traces say of spans that these do not know themselves: that a call is a layer of another one, and whose it is.

traces/store/calls decides. A span that a trace changes has rows here: the first takes back what the span told of itself
(`sign` -1), the next says what counts instead; when more of the trace arrives and it says something else, two more
follow. The roll-ups add these rows to those of the spans, so the columns have the names that spans have
(traces/store/rollups/rollup.py). What counts of a span is its newest row with `sign` 1;
`same_trace` says where the span is that tells the same call, when it is in another trace.
"""

from .objects import Table, read_columns

VERDICTS = "span_verdicts"
# A layer counts for none of these.
OF_CALLS = {
    "is_llm_call": False,
    "input_tokens": 0,
    "output_tokens": 0,
    "cached_input_tokens": 0,
    "cache_write_tokens": 0,
    "reasoning_tokens": 0,
    "token_details": {},
    "total_tokens": 0,
    "units": 0.0,
    "reported_cost": None,
    "cache_hit": False,
}
# `why` of a call that counts nowhere, before the service that tells the same calls (traces/store/calls/leaving_out.py).
LEFT_OUT = "left_out:"
_TEXT = "LowCardinality(String)"
VERDICTS_TABLE = Table(
    name=VERDICTS,
    columns=read_columns(f"""
        project_id {_TEXT},
        Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
        end_timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
        TraceId String CODEC(ZSTD(1)),
        SpanId String CODEC(ZSTD(1)),
        ParentSpanId String CODEC(ZSTD(1)),
        ServiceName {_TEXT},
        StatusCode {_TEXT},
        span_type {_TEXT},
        model {_TEXT},
        provider {_TEXT},
        operation {_TEXT},
        agent_name {_TEXT},
        is_llm_call Bool,
        input_tokens UInt64,
        output_tokens UInt64,
        cached_input_tokens UInt64,
        cache_write_tokens UInt64,
        reasoning_tokens UInt64,
        token_details Map({_TEXT}, UInt64),
        total_tokens UInt64,
        units Float64,
        reported_cost Nullable(Decimal(18, 12)),
        cache_hit Bool,
        sign Int8,
        version UInt32,
        same_as String,
        same_trace String,
        why {_TEXT},
        is_pending Bool DEFAULT false,
        received_at DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))"""),
    partition_by="toYYYYMM(Timestamp)",
    order_by="project_id, Timestamp",
    shard_by="cityHash64(TraceId)",
)
# Of a span, in the order in which rows are written.
SPAN_COLUMNS = tuple(VERDICTS_TABLE.columns)[: tuple(VERDICTS_TABLE.columns).index("sign")]
