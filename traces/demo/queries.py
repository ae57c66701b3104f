"""ClickHouse queries of the sample traffic."""

from uuid import UUID

from agentops_portal.clickhouse.gate import select
from traces.store.queries.scopes import whole_time

HOLDS_SAMPLE = """
SELECT 1 AS found
FROM otel_traces
WHERE project_id = {project_id:String}
  AND Timestamp >= {start:DateTime64(9)} AND Timestamp < {end:DateTime64(9)}
  AND ResourceAttributes['portal.sample'] = 'true'
LIMIT 1
"""


def holds_sample_traffic(project_id: UUID) -> bool:
    """Whether the project has any span that `manage.py demo` sent."""
    return bool(select(HOLDS_SAMPLE, name="demo_holds_sample_traffic", scope=whole_time(project_id)))
