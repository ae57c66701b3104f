"""Requests that hold logs or metrics: their protobuf and JSON, read as that of spans is.

Requests of all signals begin alike, and they come to each other's addresses.
"""

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .errors import BadData
from .json_body import read_json
from .messages import item_lists
from .signals import METRICS, Signal
from .wire_types import check_frame, leave_out_unreadable


def read_others(body: bytes, is_json: bool, signal: Signal) -> tuple[Any, list[str]]:
    """A LogsRequest or MetricsRequest, and for each item that is left out of it the field that was unreadable.

    Raises BadData when the body is no such request, and when it has items and none is readable.
    """
    faults: list[str] = []
    if is_json:
        message, faults = read_json(body, signal.request)
    else:
        try:
            message = signal.request.FromString(body)
        except DecodeError:
            raise BadData(f"The body is not an OTLP {signal.request_name} in protobuf encoding.") from None
        check_frame(message)
    faults += leave_out_unreadable(message, _PARTS.get(signal.name, _itself))
    if faults and not any(item_lists(message)):
        raise BadData(faults[0])
    return message, faults


def count(message: Any, signal: Signal) -> int:
    """How many log records or data points of metrics a request holds."""
    items = (item for items in item_lists(message) for item in items)
    return sum(len(_points(item)) if signal is METRICS else 1 for item in items)


def other_signal(body: bytes, expected: Signal) -> str:
    """What an unreadable protobuf body holds instead: "traces", "metrics", "logs", or "" for none of them."""
    for name, kind, holds in _SIGNALS:
        try:
            if name != expected.name and holds(kind.FromString(body)):
                return name
        except DecodeError:
            continue
    return ""


def _itself(item: Any) -> Iterable[Any]:
    return (item,)


def _points(metric: Any) -> Any:
    data = metric.WhichOneof("data")
    return getattr(metric, data).data_points if data else ()


def _parts_of_metric(metric: Any) -> Iterable[Any]:
    data = metric.WhichOneof("data")
    return (metric, getattr(metric, data), *_points(metric)) if data else (metric,)


def _holds_traces(message: Any) -> bool:
    return any(span.trace_id and span.start_time_unix_nano for spans in item_lists(message) for span in spans)


def _holds_metrics(message: Any) -> bool:
    return any(metric.name and metric.WhichOneof("data") for metrics in item_lists(message) for metric in metrics)


def _holds_logs(message: Any) -> bool:
    return any(
        record.time_unix_nano or record.observed_time_unix_nano for records in item_lists(message) for record in records
    )


_PARTS: dict[str, Callable[[Any], Iterable[Any]]] = {METRICS.name: _parts_of_metric}
_SIGNALS: tuple[tuple[str, Any, Callable[[Any], bool]], ...] = (
    ("metrics", ExportMetricsServiceRequest, _holds_metrics),
    ("logs", ExportLogsServiceRequest, _holds_logs),
    ("traces", ExportTraceServiceRequest, _holds_traces),
)
