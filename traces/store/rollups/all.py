"""The roll-ups of `otel_traces`, and the statements that create and remove them, for traces/migrations."""

from agentops_portal.clickhouse import ddl

from .guardrail_runs import GUARDRAIL_RUNS
from .trace_summaries import TRACE_SUMMARIES
from .usage import USAGE

ROLLUPS = (TRACE_SUMMARIES, USAGE, GUARDRAIL_RUNS)

# The name under which the exporter looks up a trace's time range. It fills a table for that with every insert; here
# the summaries have it.
TIMES = "otel_traces_trace_id_ts"
_TIMES_SELECT = (
    "SELECT project_id, trace_id AS TraceId, min(started) AS Start, max(ended) AS End "
    f"FROM {TRACE_SUMMARIES.table} GROUP BY project_id, trace_id"
)


def create_statements() -> list[str]:
    return [
        *(statement for rollup in ROLLUPS for statement in (*rollup.create_table(), rollup.create_view())),
        # A store of the first days has the exporter's table.
        ddl.drop_view(f"{TIMES}_mv"),
        *ddl.drop_table(TIMES),
        f"CREATE VIEW IF NOT EXISTS {TIMES} {ddl.on_cluster()} AS {_TIMES_SELECT}",
    ]


def drop_statements() -> list[str]:
    return [ddl.drop_view(TIMES), *(statement for rollup in ROLLUPS for statement in rollup.drop())]
