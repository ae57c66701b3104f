"""Which models, agents, users and services guardrails looked at and blocked: traces by name, from their summaries."""

from dataclasses import dataclass, fields
from typing import Literal

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.figures import FIGURES

from .guardrails import GUARDED_COLUMNS, GUARDED_FIGURES, GuardedTraces
from .summaries import traces_sql

Named = Literal["model", "agent", "user", "service"]
# A trace with two models counts for both.
_NAMES = {
    "model": FIGURES["models"],
    "agent": FIGURES["agents"],
    "user": f"[{FIGURES['user_id']}]",
    "service": f"[{FIGURES['service']}]",
}


@dataclass(frozen=True)
class GuardedName:
    name: str
    traces: GuardedTraces


def guarded_by(scope: Scope, dimension: Named, limit: int) -> list[GuardedName]:
    """Of the traces that start in the scope: the names with the most blocks, then with the most calls, at most
    `limit`; those without a call and a run are left out.
    """
    columns = {**GUARDED_FIGURES, "names": _NAMES[dimension]}
    rows = select(
        f"""
        SELECT arrayJoin(names) AS name, {GUARDED_COLUMNS}
        FROM ({traces_sql(scope, columns)})
        WHERE has_llm_calls OR has_guardrail_runs
        GROUP BY name
        HAVING name != ''
        ORDER BY with_blocks DESC, with_calls DESC, name
        LIMIT {{limit:UInt32}}
        """,
        name=f"guarded_names.by_{dimension}",
        scope=scope,
        parameters={"limit": limit},
    )
    names = [each.name for each in fields(GuardedTraces)]
    return [GuardedName(row["name"], GuardedTraces(**{name: row[name] for name in names})) for row in rows]
