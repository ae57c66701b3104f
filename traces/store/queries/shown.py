"""Which rows of a span are shown: one. A pending span lies beside its final one, and in a night between two repairs
(traces/store/rollups/repair.py) a span may be there twice.
"""

# The longer of two spans that start together comes first: a parent before its children, a final span before its
# pending one.
ORDER = "Timestamp, Duration DESC, SpanId, is_pending"
ONE_EACH = "LIMIT 1 BY TraceId, SpanId, Timestamp"
IN_ORDER = f"ORDER BY {ORDER} {ONE_EACH}"
FINAL_FIRST = "ORDER BY is_pending, Timestamp"

# For pages of one trace, where the row before may be on the page before.
NOT_SUPERSEDED = """(NOT is_pending OR SpanId NOT IN (
    SELECT SpanId FROM otel_traces
    WHERE project_id = {project_id:String}
        AND Timestamp >= {start:DateTime64(9)} AND Timestamp < {end:DateTime64(9)}
        AND TraceId = {trace_id:String} AND NOT is_pending
))"""

_OUTCOME = """if(otel_traces.guardrail_outcome IN ('allowed', 'unknown')
    AND (TraceId, ParentSpanId, guardrail_name) GLOBAL IN (
        SELECT TraceId, SpanId, tripped_guardrail FROM otel_traces
        WHERE project_id = {project_id:String}
            AND Timestamp >= {start:DateTime64(9)} AND Timestamp < {end:DateTime64(9)}
            AND OF_TRACES AND tripped_guardrail != ''
    ), 'blocked', toString(otel_traces.guardrail_outcome))"""
# What came of a guardrail run, which for some the span above says (traces/store/figures.py).
OUTCOME = _OUTCOME.replace("OF_TRACES", "TraceId = {trace_id:String}")
OUTCOME_OF_MANY = _OUTCOME.replace("OF_TRACES", "TraceId IN {trace_ids:Array(String)}")
