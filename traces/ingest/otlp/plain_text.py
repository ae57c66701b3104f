"""Turns attribute values into text where ClickHouse's decoder expects text: see traces/store/schema/otlp_proto.py.

The forms are those in which ClickHouse writes the attributes of spans, and the OpenTelemetry Collector's exporter all
of them: numbers and booleans in plain form, bytes as base64, lists and maps as JSON.
"""

import base64
import math
from collections.abc import Iterable
from typing import Any

import orjson

SCALARS = frozenset({"string_value", "bool_value", "int_value", "double_value", "bytes_value", None})
TEXT = frozenset({"string_value", None})


def make_text(attributes: Iterable[Any]) -> bool:
    """Make every value that is not text a string value; True if there was one."""
    changed = False
    for pair in attributes:
        if pair.value.WhichOneof("value") not in TEXT:
            pair.value.string_value = _as_text(pair.value)
            changed = True
    return changed


def flatten_nested(message: Any) -> bool:
    """The same for those attributes of spans that are nested deeper than a list of scalars; True if there was one."""
    changed = False
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                changed |= make_text(pair for pair in span.attributes if _is_nested(pair.value))
    return changed


def _is_nested(value: Any) -> bool:
    kind = value.WhichOneof("value")
    if kind == "kvlist_value":
        return True
    return kind == "array_value" and any(leaf.WhichOneof("value") not in SCALARS for leaf in value.array_value.values)


def _as_text(value: Any) -> bytes:
    kind = value.WhichOneof("value")
    plain = _plain(value)
    if kind in ("kvlist_value", "array_value"):
        return orjson.dumps(plain)
    if kind == "bool_value":
        return b"true" if plain else b"false"
    return str(plain).encode()


def _plain(value: Any) -> Any:
    """The value as JSON has it: bytes as base64, NaN and infinities as text, of a repeated key the first value."""
    kind = value.WhichOneof("value")
    if kind == "kvlist_value":
        pairs = reversed(value.kvlist_value.values)
        return {_decoded(pair.key): _plain(pair.value) for pair in pairs}
    if kind == "array_value":
        return [_plain(leaf) for leaf in value.array_value.values]
    if kind == "string_value":
        return _decoded(value.string_value)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if kind == "double_value" and not math.isfinite(value.double_value):
        return str(value.double_value)
    return getattr(value, kind) if kind else None


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")
