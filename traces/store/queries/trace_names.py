"""The traces of a range by the names that they carry: models, agents, users and services, in one question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.figures import FIGURES

from .guardrails import GUARDED_COLUMNS, GUARDED_FIGURES, GuardedTraces
from .summaries import traces_sql
from .trace_metrics import COUNTS, SUM_FIGURES, TraceSums

NameKind = Literal["model", "agent", "user", "service"]
Order = Literal["traces", "blocks"]
_NAMES: Mapping[NameKind, str] = {
    "model": FIGURES["models"],
    "agent": FIGURES["agents"],
    "user": f"[{FIGURES['user_id']}]",
    "service": f"[{FIGURES['service']}]",  # of the root
}
_ORDERS: Mapping[Order, str] = {"traces": "traces DESC", "blocks": "with_blocks DESC, with_calls DESC"}


@dataclass(frozen=True)
class NamedTraces:
    """What the traces that carry a name came to, all of their spans included; one with two models counts for both."""

    name: str
    sums: TraceSums
    guarded: GuardedTraces


def traces_by_name(
    scope: Scope, kinds: Sequence[NameKind], limit: int, order: Order = "traces"
) -> dict[NameKind, list[NamedTraces]]:
    """Of the traces of the scope, at most `limit` names of each kind: those with the most traces, or those
    with the most blocked ones, and of these only what called a model or was looked at by a guardrail.
    """
    names = {f"{kind}_names": _NAMES[kind] for kind in kinds}
    named = ", ".join(f"arrayMap(each -> ('{kind}', each), {kind}_names)" for kind in kinds)
    rows = select(
        f"""
        SELECT tupleElement(named, 1) AS kind, tupleElement(named, 2) AS name, {COUNTS}, {GUARDED_COLUMNS}
        FROM (SELECT *, arrayJoin(arrayConcat({named})) AS named FROM ({_source(scope, names)}))
        WHERE name != ''
        GROUP BY kind, name
        {"HAVING with_calls > 0 OR with_runs > 0" if order == "blocks" else ""}
        ORDER BY {_ORDERS[order]}, name
        LIMIT {{limit:UInt32}} BY kind
        """,
        name="trace_names.by_name",
        scope=scope,
        parameters={"limit": limit},
    )
    found: dict[NameKind, list[NamedTraces]] = {kind: [] for kind in kinds}
    for row in rows:
        guarded = {name: row[name] for name in GuardedTraces.__dataclass_fields__}
        found[row["kind"]].append(NamedTraces(row["name"], TraceSums.of(row), GuardedTraces(**guarded)))
    return found


def _source(scope: Scope, names: Mapping[str, str]) -> str:
    return traces_sql(scope, {**SUM_FIGURES, **GUARDED_FIGURES, **names})
