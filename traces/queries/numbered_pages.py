"""Traces by page numbers, for clients that count pages; our own lists go on from a cursor (trace_list.py)."""

from dataclasses import dataclass
from typing import Any

from agentops_portal.clickhouse.gate import Scope, select
from traces.figures import FIGURES, TraceFigures

from .filters import TraceFilter
from .summaries import figures_of, traces_sql
from .trace_list import totals


@dataclass(frozen=True)
class AgentFilter(TraceFilter):
    """Traces in which an agent that has a name took part."""

    def __bool__(self) -> bool:
        return True

    def conditions(self) -> dict[str, str]:
        return {**super().conditions(), "has_agents": "arrayExists(name -> name != '', agent_names)"}


def numbered_page(scope: Scope, wanted: TraceFilter, page: int, size: int) -> tuple[list[TraceFigures], int]:
    """The traces of page 1, 2 …, the newest first, and how many there are on all pages."""
    total = totals(scope, wanted).traces
    offset = (page - 1) * size
    if offset >= total:
        return [], total
    conditions = wanted.conditions()
    source = traces_sql(scope, {"id": "trace_id", "start_ns": FIGURES["start_ns"], **conditions})
    parameters: dict[str, Any] = {**wanted.parameters(), "limit": size, "offset": offset}
    rows = select(
        f"""
        SELECT id FROM ({source}) WHERE {" AND ".join(conditions) or "true"}
        ORDER BY start_ns DESC, id DESC LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
        """,
        name="numbered_pages.ids",
        scope=scope,
        parameters=parameters,
    )
    found = figures_of(scope.project_id, [row["id"] for row in rows])
    return [found[row["id"]] for row in rows if row["id"] in found], total
