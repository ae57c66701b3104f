"""Which LLM calls of some traces are stored, and what they cost."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.figures import SPAN_COST
from traces.store.schema.rates import priced


@dataclass(frozen=True)
class ArrivedCalls:
    """(trace id, the proxy's id of the call, '' without one) → US dollars, 0 where nobody knows it."""

    costs: dict[tuple[str, str], Decimal]

    def of(self, trace_id: str, call_id: str) -> Decimal | None:
        """None: not stored. A call whose span carries no id counts as arrived with the first of its trace."""
        return self.costs.get((trace_id, call_id), self.costs.get((trace_id, "")))


def arrived_calls(scope: Scope, trace_ids: Collection[str]) -> ArrivedCalls:
    """Of these traces, the calls that start in the scope. Traces are found by their index; no text is read."""
    rows = select(
        priced(f"""
        SELECT TraceId AS trace_id, call_id, sum(ifNull(cost, 0)) AS cost
        FROM (
            SELECT TraceId, SpanId, any(SpanAttributes['litellm.call_id']) AS call_id,
                any({SPAN_COST}) AS cost
            FROM otel_traces
            WHERE project_id = {{project_id:String}} AND Timestamp >= {{start:DateTime64(9)}}
                AND Timestamp < {{end:DateTime64(9)}} AND TraceId IN {{trace_ids:Array(String)}}
                AND is_llm_call
            GROUP BY TraceId, SpanId
        )
        GROUP BY trace_id, call_id
        """),
        name="arrived_calls",
        scope=scope,
        parameters={"trace_ids": sorted(trace_ids)},
    )
    costs: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        costs[row["trace_id"], row["call_id"]] += Decimal(row["cost"])
    return ArrivedCalls(dict(costs))
