"""The spans right below one, with everything that was sent of them."""

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.schema.rates import priced

from .shown import IN_ORDER
from .span_detail import COLUMNS, SpanDetail, detail_of

MAX_CHILDREN = 20


def span_children(scope: Scope, trace_id: str, span_id: str) -> list[SpanDetail]:
    """The earliest first; at most MAX_CHILDREN. scope: of the trace (trace_detail.trace_scope)."""
    rows = select(
        priced(f"""
        SELECT {COLUMNS} FROM otel_traces
        WHERE project_id = {{project_id:String}}
            AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}}
            AND TraceId = {{trace_id:String}} AND ParentSpanId = {{span_id:String}}
        {IN_ORDER}
        LIMIT {{limit:UInt32}}
        """),
        name="span_children.spans",
        scope=scope,
        parameters={"trace_id": trace_id, "span_id": span_id, "limit": MAX_CHILDREN},
    )
    return [detail_of(row) for row in rows]
