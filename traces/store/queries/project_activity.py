"""What happened in several projects in the last days, in one question: for the list of the projects somebody sees."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from agentops_portal.clickhouse.gate import Limits, ProjectsScope, select
from agentops_portal.units import NS_OF_QUARTER, datetime_of
from projects.activity import DAYS, ProjectActivity
from traces.store.figures import COSTS, FIGURES, Cost

from .scopes import until_now
from .steps import Steps, key_sql, steps_of
from .summaries import traces_sql
from .trace_metrics import COUNTED_NS

LIMITS = Limits(seconds=3)  # the list is there without it: nobody waits long for a store that hangs


def project_activity(project_ids: Sequence[UUID], zone: ZoneInfo) -> Mapping[UUID, ProjectActivity]:
    """Of the traces of the last days. It reads their summaries and no span. Raises the gate's errors."""
    now = timezone.now()
    scope = ProjectsScope(tuple(project_ids), now - timedelta(days=DAYS), until_now(now))
    steps = steps_of(scope, "day", zone)
    columns = {
        "project": "project_id",
        "quarter": f"intDiv({COUNTED_NS}, {NS_OF_QUARTER})",
        "has_failed": f"({FIGURES['status']}) = 'error'",
        "has_blocks": f"{FIGURES['blocked_runs']} > 0",
        "figure_end_ns": FIGURES["end_ns"],
        **{f"figure_{name}": FIGURES[name] for name in COSTS},
    }
    rows = select(
        f"""
        SELECT project, {key_sql("day")} AS step, count() AS requests, countIf(has_failed) AS failed,
            countIf(has_blocks) AS blocked, sum(figure_reported_cost) AS reported_cost,
            sum(figure_computed_cost) AS computed_cost, sum(figure_unknown_cost_calls) AS unknown_cost_calls,
            max(figure_end_ns) AS end_ns
        FROM ({traces_sql(scope, columns)})
        GROUP BY project, step
        """,
        name="project_activity",
        scope=scope,
        parameters=steps.parameters,
        limits=LIMITS,
    )
    by_project: dict[UUID, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_project.setdefault(UUID(row["project"]), []).append(row)
    return {project_id: _activity(days, steps) for project_id, days in by_project.items()}


def _activity(days: Sequence[Mapping[str, Any]], steps: Steps) -> ProjectActivity:
    costs = [cost for day in days if (cost := Cost.of(day).known) is not None]
    requests = {day["step"]: day["requests"] for day in days}
    return ProjectActivity(
        requests=sum(requests.values()),
        failed=sum(day["failed"] for day in days),
        blocked=sum(day["blocked"] for day in days),
        cost=sum(costs[1:], costs[0]) if costs else None,
        unknown_cost_calls=sum(day["unknown_cost_calls"] for day in days),
        last_seen=datetime_of(max(day["end_ns"] for day in days)),
        steps=tuple(requests.get(key, 0) for key in steps.starts),
    )
