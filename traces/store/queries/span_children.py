"""The spans right below one, with everything that was sent of them."""

from typing import Any

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.dialects.base import attribute

from .shown import IN_ORDER, ONE_EACH
from .span_detail import COLUMNS, SpanDetail, detail_of

LOG_EVENT = "portal.log_event"  # on a span that was told as a log record: its name
MAX_CHILDREN = 20
MAX_OF_LOGS = 200  # as many messages as a page shows


def span_children(scope: Scope, trace_id: str, span_id: str) -> list[SpanDetail]:
    """The earliest first; at most MAX_CHILDREN. scope: of the trace (trace_detail.trace_scope)."""
    rows = _children(scope, IN_ORDER, name="span_children.spans", trace=trace_id, span=span_id, limit=MAX_CHILDREN)
    return [detail_of(row) for row in rows]


def spans_of_logs(scope: Scope, trace_id: str, span_id: str) -> list[SpanDetail]:
    """Those that were told as log records, the earliest first; the last MAX_OF_LOGS."""
    condition = f"AND {attribute(LOG_EVENT)} != '' ORDER BY Timestamp DESC, SpanId DESC {ONE_EACH}"
    rows = _children(scope, condition, name="span_children.logs", trace=trace_id, span=span_id, limit=MAX_OF_LOGS)
    return [detail_of(row) for row in reversed(rows)]


def _children(scope: Scope, condition: str, *, name: str, trace: str, span: str, limit: int) -> list[dict[str, Any]]:
    return select(
        f"""
        SELECT {COLUMNS} FROM otel_traces
        WHERE project_id = {{project_id:String}}
            AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}}
            AND TraceId = {{trace_id:String}} AND ParentSpanId = {{span_id:String}}
        {condition}
        LIMIT {{limit:UInt32}}
        """,
        name=name,
        scope=scope,
        parameters={"trace_id": trace, "span_id": span, "limit": limit},
    )
