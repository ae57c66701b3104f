"""How many spans and traces projects hold, of all time: for the list of the projects that somebody sees."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from agentops_portal.clickhouse.gate import unscoped_admin_select
from projects.counts import ProjectCounts
from traces.store.rollups.trace_summaries import TRACE_SUMMARIES


def project_counts(project_ids: Sequence[UUID]) -> Mapping[UUID, ProjectCounts]:
    """One query for all of them, which reads the summaries of traces and no span. Raises the gate's errors.

    The gate's own `select` takes one project; this takes those that the caller has found visible, by their ids.
    """
    rows = unscoped_admin_select(
        "SELECT project_id, sum(spans) AS span_count, uniqExact(trace_hash) AS trace_count "
        f"FROM {TRACE_SUMMARIES.table} WHERE project_id IN {{projects:Array(String)}} GROUP BY project_id",
        name="project_counts",
        parameters={"projects": [str(project_id) for project_id in project_ids]},
    )
    return {UUID(row["project_id"]): ProjectCounts(spans=row["span_count"], traces=row["trace_count"]) for row in rows}
