"""The spans right below one and what logs tell of it, with everything that was sent of them."""

from typing import Any

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.dialects.base import attribute
from traces.store.schema.rates import priced_in_parts

from .settled import settled, verdicts_of
from .shown import IN_ORDER, ONE_EACH
from .span_detail import COLUMNS, SpanDetail, detail_of

LOG_EVENT = "portal.log_event"  # on a span that was told as a log record: its name
REQUEST_ID = "request_id"  # Claude Code's: on a call's span, and on what its log says of the call
MAX_CHILDREN = 20
MAX_OF_LOGS = 200  # as many messages as a page shows


def span_children(scope: Scope, trace_id: str, span_id: str) -> list[SpanDetail]:
    """The earliest first; at most MAX_CHILDREN. scope: of the trace (trace_detail.trace_scope)."""
    rows = _spans(
        scope,
        "ParentSpanId = {span_id:String}",
        IN_ORDER,
        name="span_children.spans",
        trace_id=trace_id,
        span_id=span_id,
        limit=MAX_CHILDREN,
    )
    return settled(map(detail_of, rows), verdicts_of(scope, [trace_id]))


def spans_of_logs(scope: Scope, span: SpanDetail) -> list[SpanDetail]:
    """What was told as log records of a span, below it or with its request id, the earliest first; the last
    MAX_OF_LOGS. scope: of the trace.
    """
    rows = _spans(
        scope,
        f"{attribute(LOG_EVENT)} != '' AND (ParentSpanId = {{span_id:String}} "
        f"OR ({{request:String}} != '' AND {attribute(REQUEST_ID)} = {{request:String}}))",
        f"ORDER BY Timestamp DESC, SpanId DESC {ONE_EACH}",
        name="span_children.logs",
        trace_id=span.trace_id,
        span_id=span.span_id,
        request=span.attributes.get(REQUEST_ID, ""),
        limit=MAX_OF_LOGS,
    )
    return [detail_of(row) for row in reversed(rows)]


def _spans(scope: Scope, condition: str, order: str, *, name: str, **parameters: str | int) -> list[dict[str, Any]]:
    return select(
        priced_in_parts(f"""
        SELECT {COLUMNS} FROM otel_traces
        WHERE project_id = {{project_id:String}}
            AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}}
            AND TraceId = {{trace_id:String}} AND {condition}
        {order}
        LIMIT {{limit:UInt32}}
        """),
        name=name,
        scope=scope,
        parameters=parameters,
    )
