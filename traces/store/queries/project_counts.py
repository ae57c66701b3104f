"""How many spans and traces projects hold, of all time: for the list of the projects that somebody sees."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from agentops_portal.clickhouse.gate import select
from projects.counts import ProjectCounts

from .scopes import whole_time_of
from .summaries import IN_DAYS_OF_PROJECTS, TABLE


def project_counts(project_ids: Sequence[UUID]) -> Mapping[UUID, ProjectCounts]:
    """One query for all of them, which reads the summaries of traces and no span. Raises the gate's errors."""
    rows = select(
        "SELECT project_id, sum(spans) AS span_count, uniqExact(trace_hash) AS trace_count "
        f"FROM {TABLE} WHERE {IN_DAYS_OF_PROJECTS} GROUP BY project_id",
        name="project_counts",
        scope=whole_time_of(project_ids),
    )
    return {UUID(row["project_id"]): ProjectCounts(spans=row["span_count"], traces=row["trace_count"]) for row in rows}
