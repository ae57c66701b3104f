"""Sessions, users and agents of a project: what their traces came to, from the roll-ups.

A trace belongs to a session or user when its spans name one, and what they used is what their whole traces used. A
trace may have several agents: what an agent used, see agents.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.figures import COSTS, FIGURES, TOKENS, Cost

from .agents import AgentFigures, agent_figures
from .summaries import traces_sql
from .usage import Names

PersonKey = tuple[int, str]  # what pages are sorted by: last seen, id or name

SUMS = ("span_count", "error_count", "llm_calls", "cache_hits", *TOKENS, *COSTS, "blocked_runs")


@dataclass(frozen=True)
class Person:
    """A session or user. Times are nanoseconds since 1970, UTC."""

    id: str
    traces: int
    error_traces: int
    span_count: int
    error_count: int
    llm_calls: int
    cache_hits: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    reasoning_tokens: int
    total_tokens: int
    cost: Cost
    blocked_runs: int
    first_ns: int
    last_ns: int
    others: tuple[str, ...]  # the users of a session (at most 20); of a user, nothing
    other_count: int  # how many users a session has, how many sessions a user has

    @property
    def key(self) -> PersonKey:
        return self.last_ns, self.id


@dataclass(frozen=True)
class Agent:
    """An agent by its name. Times are nanoseconds since 1970, UTC."""

    name: str
    figures: AgentFigures
    first_ns: int
    last_ns: int

    @property
    def key(self) -> PersonKey:
        return self.last_ns, self.name


def sessions(scope: Scope, text: str, after: PersonKey | None, limit: int) -> list[Person]:
    """Sessions with traces of the scope, whose id holds `text`; the last seen first, or behind `after`."""
    return _people(scope, "session", "user", text, after, limit)


def users(scope: Scope, text: str, after: PersonKey | None, limit: int) -> list[Person]:
    """Users with traces of the scope, whose id holds `text`; the last seen first, or behind `after`."""
    return _people(scope, "user", "session", text, after, limit)


def agents(scope: Scope, text: str, after: PersonKey | None, limit: int) -> list[Agent]:
    """Agents of traces of the scope, whose name holds `text`; the last seen first, or behind `after`."""
    source = traces_sql(scope, {"names": FIGURES["agents"], **figures_named("status", "start_ns", "end_ns")})
    rows = select(
        f"""
        SELECT arrayJoin(names) AS who, {COUNTS}
        FROM ({source})
        {_PAGE}
        """,
        name="people.agents",
        scope=scope,
        parameters=_page_parameters(text, after, limit),
    )
    page = Names(
        f"SELECT who FROM (SELECT arrayJoin(names) AS who, {COUNTS} FROM ({source}) {_PAGE})",
        _page_parameters(text, after, limit),
    )
    figures = {each.name: each for each in agent_figures(scope, names=page)} if rows else {}
    return [
        Agent(row["who"], figures[row["who"]], row["first_ns"], row["last_ns"]) for row in rows if row["who"] in figures
    ]


COUNTS = """
    count() AS traces, countIf(figure_status = 'error') AS error_traces, min(figure_start_ns) AS first_ns,
    max(figure_end_ns) AS last_ns
"""
# Compared as text, so that % and _ mean themselves.
_PAGE = """
    WHERE who != '' AND ({text:String} = '' OR positionCaseInsensitiveUTF8(who, {text:String}) > 0)
    GROUP BY who
    HAVING (last_ns, who) < ({after_ns:Int64}, {after_id:String})
    ORDER BY last_ns DESC, who DESC
    LIMIT {limit:UInt32}
"""


def figures_named(*names: str) -> Mapping[str, str]:
    return {f"figure_{name}": FIGURES[name] for name in names}


def _people(scope: Scope, of: str, other: str, text: str, after: PersonKey | None, limit: int) -> list[Person]:
    sums = ", ".join(f"sum(figure_{name}) AS {name}" for name in SUMS)
    source = traces_sql(
        scope,
        {
            "who": FIGURES[f"{of}_id"],
            "other": FIGURES[f"{other}_id"],
            **figures_named("status", "start_ns", "end_ns", *SUMS),
        },
    )
    rows = select(
        f"""
        SELECT who, {COUNTS}, {sums}, arraySort(groupUniqArrayIf(20)(other, other != '')) AS others,
            uniqExactIf(other, other != '') AS other_count
        FROM ({source})
        {_PAGE}
        """,
        name=f"people.{of}s",
        scope=scope,
        parameters=_page_parameters(text, after, limit),
    )
    return [person_of(row) for row in rows]


def person_of(row: dict[str, Any]) -> Person:
    """From a row of COUNTS, the sums of SUMS and who else was there."""
    cost = Cost.of(row)
    for name in COSTS:
        row.pop(name)
    return Person(id=row.pop("who"), cost=cost, others=tuple(row.pop("others")), **row)


def _page_parameters(text: str, after: PersonKey | None, limit: int) -> dict[str, Any]:
    last_ns, name = after or (2**63 - 1, "")
    return {"text": text, "after_ns": last_ns, "after_id": name, "limit": limit}
