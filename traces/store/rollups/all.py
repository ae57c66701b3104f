"""The roll-ups of `otel_traces`, and the view that is read in the place of the exporter's look-up table."""

from traces.store.schema.objects import SOURCE, View

from .guardrail_runs import GUARDRAIL_RUNS
from .trace_summaries import TRACE_SUMMARIES
from .usage import USAGE

ROLLUPS = (TRACE_SUMMARIES, USAGE, GUARDRAIL_RUNS)

# The name under which the exporter looks up a trace's time range. It fills a table for that with every insert; here
# the summaries have it.
TIMES = "otel_traces_trace_id_ts"
TIMES_VIEW = View(
    name=TIMES,
    text="SELECT project_id, trace_id AS TraceId, min(started) AS Start, max(ended) AS End "
    f"FROM {SOURCE} GROUP BY project_id, trace_id",
    reads=TRACE_SUMMARIES.table,
)
