"""The tables of ClickHouse as Django knows them: every column, to be read within a scope (`objects.within(scope)`).

The tables belong to traces/store/schema/ and traces/store/rollups/; a system check (traces/store/shape/fields.py)
compares the fields with them. A column that merges with others (SimpleAggregateFunction) is a field of its plain type,
and a roll-up has several rows for what is one until ClickHouse merges them: whoever adds up, aggregates. Questions that
pages and APIs ask stay in traces/store/queries/.
"""

from .fields import BytesField, DurationsField, HexField, SpanIdsField
from .inbox import InboxRequest, UnreadableRequest
from .rollups import GuardrailRun, Trace, UsageQuarter
from .spans import Span, SpanVerdict

__all__ = [
    "BytesField",
    "DurationsField",
    "GuardrailRun",
    "HexField",
    "InboxRequest",
    "Span",
    "SpanIdsField",
    "SpanVerdict",
    "Trace",
    "UnreadableRequest",
    "UsageQuarter",
]
