"""A page of traces sorted by any column: for tables that count rows. Our own lists go on from a cursor (trace_list.py).

Read from the summaries, so sorting costs what the traces of the range cost, never their spans.
"""

from typing import Any, Literal, get_args

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.figures import FIGURES, KNOWN_COST, TraceFigures

from .filters import TraceFilter
from .summaries import figures_of, traces_sql
from .trace_list import trace_page

Order = Literal["trace_id", "service", "name", "start", "end", "duration", "span_count", "error_count", "cost"]
ORDERS: tuple[Order, ...] = get_args(Order)
_KEYS: dict[Order, str] = {
    "trace_id": FIGURES["trace_id"],
    "service": FIGURES["service"],
    "name": FIGURES["name"],
    "start": FIGURES["start_ns"],
    "end": FIGURES["end_ns"],
    "duration": f"{FIGURES['end_ns']} - {FIGURES['start_ns']}",
    "span_count": FIGURES["span_count"],
    "error_count": FIGURES["error_count"],
    "cost": KNOWN_COST,
}
# So many of the newest traces are found without looking at all of the range.
_NEAR = 500


def trace_table(
    scope: Scope, wanted: TraceFilter, *, order: Order, descending: bool, limit: int, offset: int
) -> list[TraceFigures]:
    """Rows `offset` to `offset + limit` of the traces of the scope that fit the filter.

    Traces that are equal stand in the order of their ids; those of whose cost nothing is known come last.
    """
    if order == "start" and descending and offset + limit <= _NEAR:
        return trace_page(scope, wanted, None, offset + limit).traces[offset:]
    conditions = wanted.conditions()
    direction = "DESC" if descending else "ASC"
    parameters: dict[str, Any] = {**wanted.parameters(), "limit": limit, "offset": offset}
    rows = select(
        f"""
        SELECT id FROM ({traces_sql(scope, {"id": "trace_id", "sort_key": _KEYS[order], **conditions})})
        WHERE {" AND ".join(conditions) or "true"}
        ORDER BY sort_key {direction} NULLS LAST, id {direction}
        LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
        """,
        name=f"trace_table.by_{order}",
        scope=scope,
        parameters=parameters,
    )
    figures = figures_of(scope.project_id, [row["id"] for row in rows])
    return [figures[row["id"]] for row in rows if row["id"] in figures]
