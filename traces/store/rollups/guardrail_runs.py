"""The ledger of guardrail runs: one row per run, however often its span was sent.

LiteLLM sends the span of a run that blocked twice, under two parents. What makes a run the same is the sorting key;
until two such rows are merged both are there, so readers use FINAL. Model, user and session of a run are those of its
trace: the span of a guardrail does not name them.
"""

from .rollup import Rollup

_TEXT = "LowCardinality(String)"

GUARDRAIL_RUNS = Rollup(
    table="guardrail_runs",
    engine="ReplacingMergeTree",
    keys={
        "project_id": (_TEXT, "project_id"),
        "started": ("DateTime64(9)", "Timestamp"),
        "trace_id": ("String", "TraceId"),
        "guardrail": (_TEXT, "guardrail_name"),
        "mode": (_TEXT, "guardrail_mode"),
        "ended": ("DateTime64(9)", "end_timestamp"),
    },
    values={
        "outcome": (_TEXT, "guardrail_outcome"),
        "span_id": ("String", "SpanId"),
        "service": (_TEXT, "ServiceName"),
    },
    time="started",
    time_unit_ns=None,
    partition_by="toYYYYMM(started)",
    shard_by="cityHash64(trace_id)",
    where="guardrail_outcome != '' AND TraceId != ''",
)
