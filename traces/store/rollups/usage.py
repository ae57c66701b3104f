"""Counts, tokens, cost and latency by quarter of an hour and by what a span is.

A quarter of an hour, because the offset of every time zone is a multiple of it: days and hours can be cut in the time
zone of any reader. Spans of all kinds are in it; LLM calls are those of type `llm` and `embedding`. Requests are traces
(traces/store/queries/requests.py), and not the spans with `is_root`, of which a trace may have several or none.
"""

from agentops_portal.units import NS_OF_QUARTER
from traces.store.dialects.model_names import undated
from traces.store.figures import INGREDIENTS, IS_PRICED

from . import durations
from .rollup import NO_TRACE, Rollup, units_since_1970

_TEXT = "LowCardinality(String)"
# Up to the last time that the store knows, as for traces, and not what a span with an end of 2^64-1 says.
_DURATION = "toUInt64(toUnixTimestamp64Nano(end_timestamp) - toUnixTimestamp64Nano(Timestamp))"
_DONE = "is_llm_call AND StatusCode != 'Error'"
_SUMS = (
    "spans",
    "verdicts",
    "cached_calls",
    "input",
    "output",
    "cached_input",
    "reasoning",
    "tokens",
    "cost",
    "computed",
    "saved",
)

USAGE = Rollup(
    table="usage_quarters",
    keys={
        "project_id": (_TEXT, "project_id"),
        "quarter": ("Int32", units_since_1970("Timestamp", NS_OF_QUARTER)),
        # A request that was refused before it reached a model is no call, though it is an LLM span.
        "type": (_TEXT, "if(is_llm_call OR span_type NOT IN ('llm', 'embedding'), span_type, 'other')"),
        "model": (_TEXT, undated("model")),
        "provider": (_TEXT, "provider"),
        "service": (_TEXT, "ServiceName"),
        "agent": (_TEXT, "agent_name"),
        "status": (_TEXT, "StatusCode"),
        "is_root": ("Bool", "ParentSpanId = ''"),
        "is_priced": ("Bool", IS_PRICED),
    },
    values={
        **{
            name: (f"SimpleAggregateFunction({each.merge}, {each.type})", each.of_span)
            for name, each in INGREDIENTS.items()
            if name in _SUMS
        },
        # Of calls that did not fail.
        "durations": (
            f"SimpleAggregateFunction({durations.MERGE}, {durations.KIND})",
            durations.one(_DURATION, _DONE),
        ),
    },
    time="quarter",
    time_unit_ns=NS_OF_QUARTER,
    partition_by="intDiv(quarter, 2880)",  # 30 days
    shard_by="rand()",
    where=f"NOT is_pending AND TraceId != '{NO_TRACE}'",
    of_verdicts={
        **{name: INGREDIENTS[name].of_verdict for name in _SUMS},
        "durations": durations.one(_DURATION, _DONE, "sign"),
    },
)
