"""Attribute values that ClickHouse's decoder cannot hold: maps, and lists in lists. They become JSON text.

The OpenTelemetry Collector's ClickHouse exporter stores them the same way. Such values are rare, so only requests
that hold one come here (traces/schema/decode.py refuses the others' batch first).
"""

import base64
import math
from collections.abc import Iterator
from typing import Any

import orjson

SCALARS = frozenset({"string_value", "bool_value", "int_value", "double_value", "bytes_value", None})


def flatten_nested(message: Any) -> bool:
    """Replace every nested value of a TraceRequest by a string value with its JSON text; True if there was one."""
    changed = False
    for value in _values(message):
        if _is_nested(value):
            value.string_value = orjson.dumps(_plain(value))
            changed = True
    return changed


def _values(message: Any) -> Iterator[Any]:
    for resource_spans in message.resource_spans:
        yield from (pair.value for pair in resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            yield from (pair.value for pair in scope_spans.scope.attributes)
            for span in scope_spans.spans:
                yield from (pair.value for pair in span.attributes)
                for part in (*span.events, *span.links):
                    yield from (pair.value for pair in part.attributes)


def _is_nested(value: Any) -> bool:
    kind = value.WhichOneof("value")
    if kind == "kvlist_value":
        return True
    return kind == "array_value" and any(leaf.WhichOneof("value") not in SCALARS for leaf in value.array_value.values)


def _plain(value: Any) -> Any:
    """The value as JSON has it: bytes as base64, NaN and infinities as text, of a repeated key the first value."""
    kind = value.WhichOneof("value")
    if kind == "kvlist_value":
        pairs = reversed(value.kvlist_value.values)
        return {_text(pair.key): _plain(pair.value) for pair in pairs}
    if kind == "array_value":
        return [_plain(leaf) for leaf in value.array_value.values]
    if kind == "string_value":
        return _text(value.string_value)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if kind == "double_value" and not math.isfinite(value.double_value):
        return str(value.double_value)
    return getattr(value, kind) if kind else None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
