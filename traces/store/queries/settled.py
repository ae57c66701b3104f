"""What traces say of their calls, put into spans as they are shown: a layer of another span's call counts for nothing
(traces/store/schema/verdicts.py), by whatever door it is read, so that the spans of a trace add up to its figures.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, TypeVar

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.schema.verdicts import LEFT_OUT, OF_CALLS, VERDICTS

# By the names that readers have for them.
_NOTHING = OF_CALLS | {
    "computed_cost": None,
    "book_cost": None,
    "book_prompt_cost": None,
    "book_discount": 0.0,
    "cost": None,
    "is_cost_unknown": False,
}


@dataclass(frozen=True)
class Said:
    """Of a span: which one tells the same call and counts, "" when it does itself; in which trace that is, "" for the
    same one; by which rule; whose call it is; which service tells the same calls, where its own is left out.
    """

    same_as: str
    same_trace: str
    why: str
    agent: str
    same_service: str = ""

    @property
    def counts(self) -> bool:
        return not self.same_as and not self.same_service


Span = TypeVar("Span")
Verdicts = Mapping[tuple[str, str], Said]  # (trace id, span id) → what is said of it


def verdicts_of(scope: Scope, trace_ids: Collection[str]) -> Verdicts:
    """Of the spans of these traces that start in the scope; most have none."""
    rows = select(
        f"""
        SELECT TraceId AS trace_id, SpanId AS span_id, argMax((same_as, same_trace, why, agent_name), version) AS said
        FROM {VERDICTS}
        WHERE project_id = {{project_id:String}}
            AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}}
            AND TraceId IN {{trace_ids:Array(String)}} AND sign = 1
        GROUP BY TraceId, SpanId
        """,
        name="settled.verdicts",
        scope=scope,
        parameters={"trace_ids": list(trace_ids)},
    )
    return {(row["trace_id"], row["span_id"]): _said(row["said"]) for row in rows}


def _said(told: Any) -> Said:
    same_as, same_trace, why, agent = told.values() if isinstance(told, dict) else told
    if why.startswith(LEFT_OUT):
        return Said(same_as, same_trace, LEFT_OUT.rstrip(":"), agent, why.removeprefix(LEFT_OUT))
    return Said(same_as, same_trace, why, agent)


def settled(
    spans: Iterable[Span], verdicts: Verdicts, trace_id: str = "", of_layers: Mapping[str, Any] = MappingProxyType({})
) -> list[Span]:
    """Spans of any of the classes that readers have, as they count. trace_id: where they do not have it themselves;
    of_layers: what else becomes of a layer's fields.
    """
    found = list(spans)
    return [_settled(span, verdicts, trace_id, of_layers) for span in found] if verdicts else found


def _settled(span: Span, verdicts: Verdicts, trace_id: str, of_layers: Mapping[str, Any]) -> Span:
    each: Any = span
    said = verdicts.get((trace_id or each.trace_id, each.span_id))
    if said is None:
        return span
    names = {field.name for field in fields(each)}
    changed = {**changes(said), **({} if said.counts else of_layers)}
    settled: Span = replace(each, **{name: value for name, value in changed.items() if name in names})
    return settled


def changes(said: Said) -> dict[str, Any]:
    """What becomes of a span by the names of its fields."""
    changed: dict[str, Any] = {
        "agent_name": said.agent,
        "same_call_as": said.same_as,
        "same_call_trace": said.same_trace,
        "same_call_why": said.why,
        "same_call_service": said.same_service,
    }
    return changed | ({} if said.counts else _NOTHING)
