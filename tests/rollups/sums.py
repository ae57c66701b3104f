"""What the roll-ups say of all projects of a store at once, by the definitions of pages: traces/store/figures.py,
traces/store/queries/usage.py.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from agentops_portal.clickhouse.client import get_client
from traces.store.figures import FIGURES, TraceFigures, merged_ingredients
from traces.store.queries.usage import USAGE_FIGURES


@dataclass(frozen=True)
class Found:
    """What the store says of a project."""

    traces: dict[str, TraceFigures]
    usage: dict[tuple[str, str], dict[str, Any]]  # by agent and model
    written: int  # tokens written to a cache


_TRACES = f"""
    SELECT project, {", ".join(f"{sql} AS figure_{name}" for name, sql in FIGURES.items())}
    FROM (SELECT project_id AS project, {merged_ingredients()} FROM trace_summaries GROUP BY project_id, trace_id)
"""
_USAGE = f"""
    SELECT project_id, agent, model, {", ".join(f"{sql} AS figure_{name}" for name, sql in USAGE_FIGURES.items())}
    FROM usage_quarters GROUP BY project_id, agent, model
    HAVING figure_calls > 0 OR ifNull(figure_reported_cost, 0) != 0 OR ifNull(figure_computed_cost, 0) != 0
"""
_WRITTEN = """
    SELECT project_id, sum(tokens) AS written FROM (
        SELECT project_id, toInt64(cache_write_tokens) AS tokens FROM otel_traces
        WHERE NOT is_pending AND NOT cache_hit
        UNION ALL
        SELECT project_id, cache_write_tokens * sign FROM span_verdicts WHERE NOT cache_hit
    ) GROUP BY project_id
"""


def found() -> dict[str, Found]:
    """By project."""
    client = get_client()
    traces: dict[str, dict[str, TraceFigures]] = defaultdict(dict)
    for row in client.query(_TRACES).named_results():
        project = str(row.pop("project"))
        figures = TraceFigures.of(dict(row))
        traces[project][figures.trace_id] = figures
    usage: dict[str, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)
    for row in client.query(_USAGE).named_results():
        usage[str(row["project_id"])][row["agent"], row["model"]] = {
            name: row[f"figure_{name}"] for name in USAGE_FIGURES
        }
    written = {row["project_id"]: int(row["written"]) for row in client.query(_WRITTEN).named_results()}
    return {project: Found(of, usage[project], written[project]) for project, of in traces.items()}
