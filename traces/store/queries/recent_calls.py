"""The newest LLM calls with all that was sent of them: what a rule can be tried on."""

from agentops_portal.clickhouse.gate import Scope, select

from .span_detail import COLUMNS_OF_ONE, SpanDetail, detail_of


def recent_calls(scope: Scope, limit: int) -> list[SpanDetail]:
    """The newest first; at most `limit`."""
    rows = select(
        f"""
        SELECT {COLUMNS_OF_ONE}
        FROM otel_traces
        WHERE project_id = {{project_id:String}}
            AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}} AND is_llm_call
        ORDER BY Timestamp DESC
        LIMIT {{limit:UInt32}}
        """,
        name="recent_calls",
        scope=scope,
        parameters={"limit": limit},
    )
    return [detail_of(row) for row in rows]
