"""All spans of a trace with everything that was sent of them, and one span by nothing but its id."""

from collections.abc import Iterator
from itertools import groupby
from uuid import UUID

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.schema.rates import priced_in_parts

from .scopes import scope_of, whole_time
from .settled import settled, verdicts_of
from .shown import FINAL_FIRST, IN_ORDER
from .span_detail import COLUMNS, COLUMNS_OF_ONE, SpanDetail, detail_of

# Attributes hold prompts and answers: so many spans of them are what one answer can carry.
MAX_SPANS = 10_000

_OF_PROJECT = """
    FROM otel_traces
    WHERE project_id = {project_id:String}
        AND Timestamp >= {start:DateTime64(9)} AND Timestamp < {end:DateTime64(9)}
"""


def trace_spans(scope: Scope, trace_id: str, limit: int = MAX_SPANS) -> list[SpanDetail]:
    """The spans of a trace, the earliest first, parents before children that start with them; at most `limit`.

    scope: of the trace (trace_detail.trace_scope). [] when its spans are gone (retention).
    """
    rows = select(
        priced_in_parts(f"""
        SELECT {COLUMNS} {_OF_PROJECT} AND TraceId = {{trace_id:String}}
        {IN_ORDER}
        LIMIT {{limit:UInt32}}
        """),
        name="trace_spans.spans",
        scope=scope,
        parameters={"trace_id": trace_id, "limit": limit},
    )
    found = settled(map(detail_of, rows), verdicts_of(scope, [trace_id]))
    return [span for _, together in groupby(found, lambda span: span.start_ns) for span in _parents_first([*together])]


def _parents_first(spans: list[SpanDetail]) -> Iterator[SpanDetail]:
    """Spans that start together, reordered only where a child would come before its parent."""
    by_id = {span.span_id: span for span in reversed(spans)}
    done: set[int] = set()  # of id(): an exporter may use a span id twice, and parents may form a circle
    for span in spans:
        line: list[SpanDetail] = []
        each: SpanDetail | None = span
        while each is not None and id(each) not in done:
            done.add(id(each))
            line.append(each)
            each = by_id.get(each.parent_span_id)
        yield from reversed(line)


def span_by_id(project_id: UUID, span_id: str) -> SpanDetail | None:
    """The span of a project, whenever it was: found by the index of span ids. The earliest when several have the id."""
    rows = select(
        priced_in_parts(f"SELECT {COLUMNS_OF_ONE} {_OF_PROJECT} AND SpanId = {{span_id:String}} {FINAL_FIRST} LIMIT 1"),
        name="trace_spans.span_by_id",
        scope=whole_time(project_id),
        parameters={"span_id": span_id},
    )
    if not rows:
        return None
    span = detail_of(rows[0])
    [counted] = settled([span], verdicts_of(scope_of(project_id, span.start_ns, span.start_ns), [span.trace_id]))
    return counted
