"""Metrics that tell tokens or cost: kept for clients that send no traces of their calls.

A data point becomes a row of the store that is in no trace (NO_TRACE), so that it is acknowledged, kept once, and
removed as spans are, and counts in no figure of traces and calls (traces/store/queries/metric_usage.py reads it). Of
its resource and attributes only service and model are kept: nobody is named in it, and nothing needs to be erased.

Names: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/, OpenLIT's and Traceloop's before those,
https://docs.claude.com/en/docs/claude-code/monitoring-usage#metrics
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from traces.store.queries.metric_usage import NO_TRACE, Point

from .messages import SpanMessage, TraceRequest

_TYPES = (b"gen_ai.token.type", b"llm.usage.token_type", b"llm.token.type", b"type")
_MODELS = (b"gen_ai.response.model", b"llm.response.model", b"gen_ai.request.model", b"llm.request.model", b"model")
# Metric → what it counts; "" where an attribute says it.
_METRICS: Mapping[bytes, str] = {
    b"gen_ai.client.token.usage": "",
    b"claude_code.token.usage": "",
    b"claude_code.cost.usage": "cost",
    b"gen_ai.usage.input_tokens": "input",
    b"gen_ai.usage.prompt_tokens": "input",
    b"gen_ai.usage.output_tokens": "output",
    b"gen_ai.usage.completion_tokens": "output",
    b"gen_ai.usage.cost": "cost",
}
_TRACELOOP = re.compile(rb"llm\.[a-z_]{1,40}\.[a-z_]{1,40}\.tokens")
_KINDS = {
    b"input": "input",
    b"prompt": "input",
    b"output": "output",
    b"completion": "output",
    # Claude Code tells them beside its input.
    b"cacheRead": "cache_read",
    b"cacheCreation": "cache_write",
}
_DELTA, _CUMULATIVE = 1, 2  # AggregationTemporality
_NO_VALUE = 1  # DataPointFlags
_LARGEST = 10**15


def points_of(request: Any) -> tuple[Any, int]:
    """A TraceRequest with a row for each point of a MetricsRequest that tells usage, and how many these are."""
    made, told = TraceRequest(), 0
    for resource_metrics in request.resource_metrics:
        rows = list(_rows(resource_metrics))
        if rows:
            held = made.resource_spans.add()
            for pair in resource_metrics.resource.attributes:
                if pair.key == b"service.name":
                    held.resource.attributes.add().CopyFrom(pair)
            held.scope_spans.add(spans=rows)
            told += len(rows)
    return made, told


def _rows(resource_metrics: Any) -> Iterator[Any]:
    resource = _serialized(resource_metrics.resource.attributes)
    for scope_metrics in resource_metrics.scope_metrics:
        for metric in scope_metrics.metrics:
            if metric.name in _METRICS or _TRACELOOP.fullmatch(metric.name):
                yield from _rows_of(metric, resource + scope_metrics.scope.name)


def _rows_of(metric: Any, origin: bytes) -> Iterator[Any]:
    kind_of_data = metric.WhichOneof("data")
    if kind_of_data not in ("sum", "histogram", "exponential_histogram"):
        return
    data = getattr(metric, kind_of_data)
    if data.aggregation_temporality not in (_DELTA, _CUMULATIVE) or not getattr(data, "is_monotonic", True):
        return
    is_cumulative = data.aggregation_temporality == _CUMULATIVE
    for point in data.data_points:
        texts = {pair.key: pair.value.string_value for pair in point.attributes if pair.value.string_value}
        kind = _METRICS.get(metric.name) or _KINDS.get(_first(texts, _TYPES), "")
        value = _value(point)
        if kind and value and point.time_unix_nano:
            yield _row(metric.name, point, kind, value, _first(texts, _MODELS), origin, is_cumulative)


def _value(point: Any) -> float:
    """0 for what cannot be counted."""
    if point.flags & _NO_VALUE:
        return 0
    is_number = "as_int" in point.DESCRIPTOR.fields_by_name
    field = point.WhichOneof("value") if is_number else "sum"
    value = float(getattr(point, field)) if field else 0.0
    return value if math.isfinite(value) and 0 < value < _LARGEST else 0


def _row(name: bytes, point: Any, kind: str, value: float, model: bytes, origin: bytes, is_cumulative: bool) -> Any:
    began = point.start_time_unix_nano
    # What is counted from another start on is counted anew.
    series = _digest(16, origin, name, _serialized(point.attributes), str(began if is_cumulative else 0).encode())
    row = SpanMessage(trace_id=bytes.fromhex(NO_TRACE), name=name)
    row.span_id = _digest(8, series, str(point.time_unix_nano).encode(), str(value).encode())
    row.start_time_unix_nano = row.end_time_unix_nano = point.time_unix_nano
    said = {Point.KIND: kind.encode(), Point.MODEL: model, Point.SERIES: series.hex().encode()}
    for key, text in said.items():
        row.attributes.add(key=key.encode()).value.string_value = text
    row.attributes.add(key=Point.VALUE.encode()).value.double_value = value
    if is_cumulative:
        row.attributes.add(key=Point.BEGAN.encode()).value.int_value = min(began, 2**63 - 1)
    return row


def _first(texts: Mapping[bytes, bytes], keys: Iterable[bytes]) -> bytes:
    return next((texts[key] for key in keys if key in texts), b"")


def _serialized(attributes: Iterable[Any]) -> bytes:
    return b"".join(sorted(pair.SerializeToString(deterministic=True) for pair in attributes))


def _digest(size: int, *parts: bytes) -> bytes:
    digest = blake2b(digest_size=size)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.digest()
