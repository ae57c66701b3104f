"""Pending spans: what some clients send when a span starts, so that it can be seen before it ends.

Its final span follows when it ends. Most clients give both the same id. Logfire gives the pending one an id of its
own, makes it a child of the final one and writes the real parent onto it; the receiver undoes that
(traces/ingest/otlp/pending.py).
"""

# Attribute → its value, as text, on a span that is pending.
PENDING_MARKS = {
    # https://github.com/pydantic/logfire/blob/main/logfire/_internal/exporters/processor_wrapper.py
    "logfire.span_type": "pending_span",
    "glassflow.span.pending": "true",
}
PENDING_PARENT = "logfire.pending_parent_id"  # hexadecimal; zeros, or nothing, for a root
