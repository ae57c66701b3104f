"""The ledger of guardrail runs: one row per run, however often its span was sent.

LiteLLM sends the span of a run that blocked twice, under two parents. What makes a run the same is the sorting key;
until two such rows are merged both are there, so readers use FINAL. Model, user and session of a run are those of its
trace: the span of a guardrail does not name them.

The span above a guardrail may say that it stopped the run (`tripped_guardrail`). It has a row of its own, with outcome
TRIPWIRE; `teller` is the same in both rows, and readers put them together (traces/store/queries/guardrails.py).
"""

from traces.store.figures import TELLER

from .rollup import Rollup

TRIPWIRE = "tripwire"
_TEXT = "LowCardinality(String)"

GUARDRAIL_RUNS = Rollup(
    table="guardrail_runs",
    engine="ReplacingMergeTree",
    keys={
        "project_id": (_TEXT, "project_id"),
        "started": ("DateTime64(9)", "Timestamp"),
        "trace_id": ("String", "TraceId"),
        "guardrail": (_TEXT, "if(tripped_guardrail = '', guardrail_name, tripped_guardrail)"),
        "mode": (_TEXT, "guardrail_mode"),
        "ended": ("DateTime64(9)", "end_timestamp"),
    },
    values={
        "outcome": (_TEXT, f"if(tripped_guardrail = '', guardrail_outcome, '{TRIPWIRE}')"),
        "span_id": ("String", "SpanId"),
        "service": (_TEXT, "ServiceName"),
        "teller": ("UInt64", f"if(tripped_guardrail = '', {TELLER}, cityHash64(SpanId, tripped_guardrail))"),
    },
    time="started",
    time_unit_ns=None,
    partition_by="toYYYYMM(started)",
    shard_by="cityHash64(trace_id)",
    where="(guardrail_outcome != '' OR tripped_guardrail != '') AND TraceId != ''",
)
