"""What a project used: LLM calls, tokens, cost and latency, by model and in time, from `usage_quarters`.

Rows are counted in quarters of an hour, so a range counts with every quarter that it touches. A call belongs to the
quarter in which it starts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from agentops_portal.clickhouse.gate import Scope, select
from agentops_portal.units import NS_OF_QUARTER
from traces.store.figures import COSTS, Cost, paid
from traces.store.rollups.durations import percentiles_by
from traces.store.rollups.rollup import units_since_1970
from traces.store.rollups.usage import USAGE

from .steps import Step, key_sql, steps_of

IN_RANGE = (
    "project_id = {project_id:String} "
    f"AND quarter >= {units_since_1970('{start:DateTime64(9)}', NS_OF_QUARTER)} "
    f"AND quarter <= {units_since_1970('{end:DateTime64(9)} - INTERVAL 1 NANOSECOND', NS_OF_QUARTER)}"
)
_CALL = "type IN ('llm', 'embedding')"
_FAILED = f"sumIf(spans, {_CALL} AND status = 'Error')"
_ALL = f"sumIf(spans, {_CALL})"
_PRICED = f"sumIf(spans, {_CALL} AND is_priced)"
USAGE_FIGURES = {
    "calls": _ALL,
    "failed_calls": _FAILED,
    "cache_hits": "sum(cached_calls)",
    "input_tokens": "sum(input)",
    "output_tokens": "sum(output)",
    "cached_input_tokens": "sum(cached_input)",
    "reasoning_tokens": "sum(reasoning)",
    "total_tokens": "sum(tokens)",
    "reported_cost": paid("sum(cost)", "sum(verdicts)", _PRICED),
    "computed_cost": paid("sum(computed)", "sum(verdicts)", _PRICED, "ifNull(sum(cost), 0)"),
    "saved_cost": "sum(saved)",
    "unknown_cost_calls": f"greatest(toInt64({_ALL}) - toInt64({_PRICED}), 0)",
}
_COLUMNS = ", ".join(f"{expression} AS figure_{name}" for name, expression in USAGE_FIGURES.items())
_LATENCY = "figure_latency"

# What calls that count elsewhere leave behind is none (traces/store/schema/verdicts.py).
_USED = "(figure_calls > 0 OR ifNull(figure_reported_cost, 0) != 0 OR ifNull(figure_computed_cost, 0) != 0)"
MOST = 1_000  # names that are told one by one

Dimension = Literal["model", "provider", "service", "agent"]


@dataclass(frozen=True)
class Latency:
    """Nanoseconds."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True)
class Usage:
    """Sums over LLM calls."""

    calls: int
    failed_calls: int
    cache_hits: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    reasoning_tokens: int
    total_tokens: int
    cost: Cost
    latency: Latency | None  # of calls that did not fail, each without its layers; None: there was none

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Usage":
        values = {name: row[f"figure_{name}"] for name in USAGE_FIGURES}
        cost = Cost.of(values)
        for name in COSTS:
            values.pop(name)
        percentiles = row[_LATENCY]
        return cls(**values, cost=cost, latency=Latency(*percentiles) if percentiles else None)


NOTHING = Usage(0, 0, 0, 0, 0, 0, 0, 0, Cost(None, 0), None)


def used_by(by: Mapping[str, str], where: str = IN_RANGE) -> str:
    """SELECT of the names of `by`, each an expression over rows of the roll-up, with what `Usage.of` reads."""
    keys, groups = ", ".join(f"{expression} AS {key}" for key, expression in by.items()), ", ".join(by)
    return f"""
        SELECT * FROM (SELECT {keys}, {_COLUMNS} FROM {USAGE.table} WHERE {where} GROUP BY {groups}) AS sums
        LEFT JOIN ({percentiles_by(USAGE.table, by, where, _LATENCY)}) AS latencies USING ({groups})
    """


def usage_total(scope: Scope) -> Usage:
    """All of the range."""
    return _all_of(select(used_by({"project": "project_id"}), name="usage.total", scope=scope))


def _all_of(rows: Sequence[Mapping[str, Any]]) -> Usage:
    return Usage.of(rows[0]) if rows else NOTHING


@dataclass(frozen=True)
class Names:
    """Which names of a dimension are asked for: those that the query `sql` gives, with `parameters` of its own."""

    sql: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def usage_by(scope: Scope, dimension: Dimension, limit: int = MOST, names: Names | None = None) -> dict[str, Usage]:
    """By the name of a model, provider, service or agent, the most called first; '' holds what names none.

    A client may name any number of them: the first `limit` are told, usage_of_others tells the rest. `names` asks for
    certain ones instead, however many.
    """
    wanted = names or most_called(dimension, limit)
    rows = select(
        f"""
        {used_by({"name": f"toString({dimension})"}, f"{IN_RANGE} AND toString({dimension}) GLOBAL IN ({wanted.sql})")}
        WHERE {_USED}
        ORDER BY figure_calls DESC, name
        """,
        name=f"usage.by_{dimension}",
        scope=scope,
        parameters=wanted.parameters,
    )
    return {row["name"]: Usage.of(row) for row in rows}


def most_called(dimension: Dimension, limit: int) -> Names:
    """The `limit` most called. Cheap: nothing is kept of a name but what it is sorted by."""
    return _first(dimension, limit, "figure_calls DESC, name")


def dearest(dimension: Dimension, limit: int) -> Names:
    """The `limit` that cost most; of those of which nothing is known the most called."""
    known = "ifNull(figure_reported_cost, 0) + ifNull(figure_computed_cost, 0)"
    return _first(dimension, limit, f"{known} DESC, figure_calls DESC, name")


def _first(dimension: Dimension, limit: int, order: str) -> Names:
    sorted_by = ", ".join(
        f"{USAGE_FIGURES[name]} AS figure_{name}" for name in ("calls", "reported_cost", "computed_cost")
    )
    sql = f"""
        SELECT name FROM (
            SELECT toString({dimension}) AS name, {sorted_by} FROM {USAGE.table} WHERE {IN_RANGE}
            GROUP BY name
            HAVING {_USED}
            ORDER BY {order}
            LIMIT {{most:UInt32}}
        )
    """
    return Names(sql, {"most": limit})


def usage_of_others(scope: Scope, dimension: Dimension, names: Names) -> Usage:
    """What all the other names came to together."""
    others = f"{IN_RANGE} AND toString({dimension}) GLOBAL NOT IN ({names.sql})"
    rows = select(
        used_by({"project": "project_id"}, others),
        name=f"usage.others_by_{dimension}",
        scope=scope,
        parameters=names.parameters,
    )
    return _all_of(rows)


def usage_over_time(scope: Scope, step: Step, zone: ZoneInfo) -> dict[datetime, Usage]:
    """By quarters of an hour, hours or days as they are cut in a time zone: start → usage, empty ones included."""
    steps = steps_of(scope, step, zone)
    rows = select(
        used_by({"step": key_sql(step)}),
        name="usage.over_time",
        scope=scope,
        parameters=steps.parameters,
    )
    found = {row["step"]: Usage.of(row) for row in rows}
    return {start: found.get(key, NOTHING) for key, start in steps.starts.items()}


def models_called(scope: Scope, limit: int) -> list[str]:
    """The models of LLM calls, the most called first."""
    rows = select(
        f"""
        SELECT toString(model) AS name FROM {USAGE.table}
        WHERE {IN_RANGE} AND {_CALL} AND model != ''
        GROUP BY name
        HAVING sum(spans) > 0
        ORDER BY sum(spans) DESC, name
        LIMIT {{limit:UInt32}}
        """,
        name="usage.models",
        scope=scope,
        parameters={"limit": limit},
    )
    return [row["name"] for row in rows]
