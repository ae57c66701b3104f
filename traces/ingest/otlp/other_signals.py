"""Tells metrics and logs from traces: their requests begin alike, and they come to each other's addresses."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


def other_signal(body: bytes) -> str:
    """What an unreadable protobuf body holds instead of spans: "metrics", "logs", or "" for neither."""
    for name, kind, holds in _SIGNALS:
        try:
            if holds(kind.FromString(body)):
                return name
        except DecodeError:
            continue
    return ""


def _holds_metrics(message: Any) -> bool:
    metrics = [metric for each in message.resource_metrics for scope in each.scope_metrics for metric in scope.metrics]
    return any(metric.name and metric.WhichOneof("data") for metric in metrics)


def _holds_logs(message: Any) -> bool:
    records = [record for each in message.resource_logs for scope in each.scope_logs for record in scope.log_records]
    return any(record.time_unix_nano or record.observed_time_unix_nano for record in records)


_SIGNALS: tuple[tuple[str, Any, Callable[[Any], bool]], ...] = (
    ("metrics", ExportMetricsServiceRequest, _holds_metrics),
    ("logs", ExportLogsServiceRequest, _holds_logs),
)
