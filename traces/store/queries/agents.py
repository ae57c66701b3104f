"""What agents did: the traces in which they took part, and what these used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from agentops_portal.clickhouse.gate import ProjectsScope, Scope, select
from traces.store.figures import FIGURES, Cost
from traces.store.rollups.usage import USAGE

from .filters import TraceFilter
from .summaries import traces_sql
from .trace_metrics import DURATION, DURATION_COLUMNS, Durations
from .usage import IN_RANGE, MOST, Names, Usage, usage_by, usage_of_others


@dataclass(frozen=True)
class AgentFilter(TraceFilter):
    """Traces in which an agent that has a name took part."""

    def __bool__(self) -> bool:
        return True

    def conditions(self) -> dict[str, str]:
        return {**super().conditions(), "has_agents": "arrayExists(name -> name != '', agent_names)"}


@dataclass(frozen=True)
class AgentFigures:
    """An agent in a range of time.

    Counts and durations are of the traces of the range in which a span names the agent. Tokens and cost
    are those of LLM calls that name the agent or lie below it (traces/store/calls); where there are more in the traces
    in which it is the only agent, those of all LLM calls of these. So no call counts for two agents.
    """

    name: str
    traces: int
    error_traces: int  # with status error
    span_count: int
    error_count: int  # spans with status Error
    durations: Durations
    llm_calls: int
    input_tokens: int
    output_tokens: int
    total_tokens: int
    cost: Cost

    @property
    def success_rate(self) -> float | None:
        """Percent of the traces that did not end in an error, 0 to 100; None when there is no trace."""
        return 100 * (self.traces - self.error_traces) / self.traces if self.traces else None


_ALONE = (
    "llm_calls",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "reported_cost",
    "computed_cost",
    "unknown_cost_calls",
)
_FIGURES = {
    **{f"figure_{name}": FIGURES[name] for name in ("agents", "status", "span_count", "error_count", *_ALONE)},
    "figure_duration": DURATION,
}
_ALONE_COLUMNS = ", ".join(f"sumIf(figure_{name}, length(figure_agents) = 1) AS {name}" for name in _ALONE)


_SUMS = f"""
    count() AS traces, countIf(figure_status = 'error') AS error_traces, sum(figure_span_count) AS span_count,
    sum(figure_error_count) AS error_count, {DURATION_COLUMNS}, {_ALONE_COLUMNS}
"""


def agent_figures(scope: Scope, name: str = "", names: Names | None = None) -> list[AgentFigures]:
    """The MOST agents that took part in traces of the scope, the busiest first; only the named one if there is a name,
    those that `names` asks for if it is given. `others` tells the rest.
    """
    wanted = Names("SELECT {agent:String}", {"agent": name}) if name else names
    condition = f"agent GLOBAL IN ({wanted.sql})" if wanted else "true"
    rows = select(
        f"""
        SELECT arrayJoin(figure_agents) AS agent, {_SUMS}
        FROM ({traces_sql(scope, _FIGURES)})
        WHERE {condition}
        GROUP BY agent
        ORDER BY traces DESC, agent
        LIMIT {{most:UInt32}}
        """,
        name="agents.figures",
        scope=scope,
        parameters={**(wanted.parameters if wanted else {}), "most": MOST + 1 if names else MOST},
    )
    if len(rows) == MOST and wanted is None:
        wanted = busiest(scope)  # the most called ones may be others
    by_name = usage_by(scope, "agent", names=wanted) if rows else {}
    return [_figures_of(row, by_name.get(row["agent"])) for row in rows]


def projects_of_agent(scope: ProjectsScope, name: str) -> set[UUID]:
    """Those of the projects in which the agent took part in a trace: one query, however many projects there are."""
    source = traces_sql(scope, {"project": "project_id", "figure_agents": FIGURES["agents"]})
    rows = select(
        f"SELECT DISTINCT project FROM ({source}) WHERE has(figure_agents, {{agent:String}})",
        name="agents.projects",
        scope=scope,
        parameters={"agent": name},
    )
    return {UUID(row["project"]) for row in rows}


def busiest(scope: Scope, limit: int = MOST) -> Names:
    """The agents in the most traces."""
    sql = f"""
        SELECT agent FROM (
            SELECT arrayJoin(figure_agents) AS agent, count() AS traces
            FROM ({traces_sql(scope, {"figure_agents": FIGURES["agents"]})})
            GROUP BY agent
            ORDER BY traces DESC, agent
            LIMIT {{busiest:UInt32}}
        )
    """
    return Names(sql, {"busiest": limit})


def other_agents(scope: Scope) -> tuple[int, AgentFigures]:
    """How many agents there are beside the MOST busiest, and their rows added up, as an agent without a name. A trace
    with two of them counts twice in it, as it does in a sum over rows.
    """
    [row] = select(
        f"""
        SELECT '' AS agent, uniqExact(each) AS agents, {_SUMS}
        FROM (SELECT *, arrayJoin(figure_agents) AS each FROM ({traces_sql(scope, _FIGURES)}))
        WHERE each GLOBAL NOT IN ({busiest(scope).sql})
        """,
        name="agents.others",
        scope=scope,
        parameters=busiest(scope).parameters,
    )
    if not row["agents"]:
        return 0, _figures_of(row, None)
    named = Names(f"{busiest(scope).sql} UNION ALL SELECT ''", busiest(scope).parameters)
    return row["agents"], _figures_of(row, usage_of_others(scope, "agent", named))


def _figures_of(row: Mapping[str, Any], named: Usage | None) -> AgentFigures:
    counts = {name: row[name] for name in ("traces", "error_traces", "span_count", "error_count")}
    if named is not None and named.calls >= row["llm_calls"]:
        used: dict[str, Any] = {
            name: getattr(named, name) for name in ("input_tokens", "output_tokens", "total_tokens", "cost")
        }
        used["llm_calls"] = named.calls
    else:
        used = {name: row[name] for name in ("llm_calls", "input_tokens", "output_tokens", "total_tokens")}
        used["cost"] = Cost.of(row)
    return AgentFigures(name=row["agent"], **counts, durations=Durations.of(row), **used)


def agent_calls(scope: Scope) -> int:
    """How often agents were called: their spans, in the quarters of an hour that the scope touches."""
    [row] = select(
        f"SELECT sumIf(spans, type = 'agent') AS calls FROM {USAGE.table} WHERE {IN_RANGE}",
        name="agents.calls",
        scope=scope,
    )
    return int(row["calls"])
