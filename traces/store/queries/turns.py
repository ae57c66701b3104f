"""What was said in some traces, by few of their spans; and all their spans with what was said, for a replay."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.figures import TraceFigures
from traces.store.schema.rates import priced_in_parts

from .scopes import scope_of
from .settled import settled, verdicts_of
from .shown import IN_ORDER, ONE_EACH, ORDER
from .span_detail import COLUMNS_OF_MANY, SpanDetail, detail_of

# Attributes that are longer are not read: a page shows the beginning of a text.
MOST_BYTES = 100_000

_OF_TRACES = """
    FROM otel_traces
    WHERE project_id = {project_id:String}
        AND Timestamp >= {start:DateTime64(9)} AND Timestamp < {end:DateTime64(9)}
        AND TraceId IN {trace_ids:Array(String)}
"""


@dataclass(frozen=True)
class Speakers:
    """Of one trace: its root and its first and last LLM call, where there are."""

    root: SpanDetail | None = None
    first: SpanDetail | None = None
    last: SpanDetail | None = None


def speakers(scope: Scope, traces: Sequence[TraceFigures]) -> dict[str, Speakers]:
    """By trace id. scope: of the project; at most three spans of a trace are read with what they say."""
    if not traces:
        return {}
    rows = select(
        priced_in_parts(f"""
        SELECT {COLUMNS_OF_MANY} {_OF_TRACES} AND (TraceId, SpanId) IN (
            SELECT TraceId, arrayJoin([
                argMinIf(SpanId, Timestamp, is_llm_call), argMaxIf(SpanId, Timestamp, is_llm_call),
                argMinIf(SpanId, (Timestamp, bitNot(Duration)), ParentSpanId = '')
            ])
            {_OF_TRACES} AND NOT is_pending GROUP BY TraceId
        )
        ORDER BY {ORDER} {ONE_EACH}
        LIMIT {{limit:UInt32}}
        """),
        name="turns.speakers",
        scope=_around(scope, traces),
        parameters={
            "trace_ids": [each.trace_id for each in traces],
            "most_bytes": MOST_BYTES,
            "limit": 3 * len(traces),
        },
    )
    found: dict[str, list[SpanDetail]] = defaultdict(list)
    for span in map(detail_of, rows):
        found[span.trace_id].append(span)
    return {each.trace_id: _speakers(each, found[each.trace_id]) for each in traces if each.trace_id in found}


def moments(scope: Scope, traces: Sequence[TraceFigures], limit: int) -> list[SpanDetail]:
    """The spans of the traces, the earliest first; at most `limit`. scope: of the project."""
    if not traces:
        return []
    around, trace_ids = _around(scope, traces), [each.trace_id for each in traces]
    rows = select(
        priced_in_parts(f"SELECT {COLUMNS_OF_MANY} {_OF_TRACES} {IN_ORDER} LIMIT {{limit:UInt32}}"),
        name="turns.moments",
        scope=around,
        parameters={
            "trace_ids": trace_ids,
            "most_bytes": MOST_BYTES,
            "limit": limit,
        },
    )
    return settled(map(detail_of, rows), verdicts_of(around, trace_ids))


def _around(scope: Scope, traces: Sequence[TraceFigures]) -> Scope:
    """The range that holds the traces."""
    start, end = min(each.start_ns for each in traces), max(each.end_ns for each in traces)
    return scope_of(scope.project_id, start, end)


def _speakers(trace: TraceFigures, spans: Sequence[SpanDetail]) -> Speakers:
    calls = [span for span in spans if span.is_llm_call]
    root = next((span for span in spans if span.span_id == trace.root_span_id), None)
    return Speakers(root, calls[0] if calls else None, calls[-1] if calls else None)
