"""One row per trace and day: what its spans of that day add to the trace's figures (traces/store/figures.py).

Sorted by day, so that a page of the newest traces reads the newest days only; within a day by a hash of the id, which
finds one trace among a day's in a few steps. A trace that crosses midnight has a row on each of its days, and one that
arrives in several inserts has several rows until they are merged: readers aggregate
(traces/store/queries/summaries.py).
"""

from agentops_portal.units import NS_OF_DAY
from traces.store.figures import INGREDIENTS
from traces.store.schema.objects import Index

from .rollup import IN_A_TRACE, Rollup, units_since_1970

TRACE_SUMMARIES = Rollup(
    table="trace_summaries",
    keys={
        "project_id": ("LowCardinality(String)", "project_id"),
        "day": ("Int32", units_since_1970("Timestamp", NS_OF_DAY)),
        "trace_hash": ("UInt64", "cityHash64(TraceId)"),
        "trace_id": ("String", "TraceId"),
    },
    values={
        name: (f"SimpleAggregateFunction({each.merge}, {each.type})", each.of_span)
        for name, each in INGREDIENTS.items()
    },
    time="day",
    time_unit_ns=NS_OF_DAY,
    partition_by="intDiv(day, 30)",
    shard_by="trace_hash",
    where=IN_A_TRACE,
    of_verdicts={name: each.of_verdict for name, each in INGREDIENTS.items()},
    # A page picks its traces from all over a day; the fewer neighbours come along the better.
    index_granularity=512,
    # What reaches into a range from the days before it: nearly nothing of a day lasts until the next.
    indexes={"idx_ended": Index("ended", "minmax", 1)},
)
