"""The spans of one trace, page by page."""

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.schema.rates import priced_in_parts

from .settled import settled, verdicts_of
from .shown import NOT_SUPERSEDED
from .span_detail import COLUMNS, COLUMNS_WITHOUT_CONTENT, SpanDetail, detail_of

SpanKey = tuple[int, int, str]  # what pages are sorted by: start, shortness, span id


def key_of(span: SpanDetail) -> SpanKey:
    return span.start_ns, 2**63 - 1 - min(span.duration_ns, 2**63 - 1), span.span_id


def span_page(scope: Scope, trace_id: str, after: SpanKey | None, limit: int, *, attributes: bool) -> list[SpanDetail]:
    """The earliest spans first, or those behind `after`; the longer of two that start together goes first.

    scope: of the trace (trace_detail.trace_scope). Without `attributes` the maps, events and links stay empty and
    are not read.
    """
    columns = COLUMNS if attributes else COLUMNS_WITHOUT_CONTENT
    key = "toUnixTimestamp64Nano(Timestamp), 9223372036854775807 - least(Duration, 9223372036854775807), SpanId"
    rows = select(
        priced_in_parts(f"""
        SELECT {columns} FROM otel_traces
        WHERE project_id = {{project_id:String}}
            AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}}
            AND TraceId = {{trace_id:String}}
            AND {NOT_SUPERSEDED}
            AND ({key}) > ({{after_ns:Int64}}, {{after_shortness:UInt64}}, {{after_id:String}})
        ORDER BY {key}
        LIMIT {{limit:UInt32}}
        """),
        name="span_pages.spans",
        scope=scope,
        parameters=dict(zip(("after_ns", "after_shortness", "after_id"), after or (-(2**63), 0, ""), strict=True))
        | {"trace_id": trace_id, "limit": limit},
    )
    return settled(map(detail_of, rows), verdicts_of(scope, [trace_id]))
