"""The signals of OTLP and their addresses."""

from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from .messages import LogsRequest, MetricsRequest, TraceRequest


@dataclass(frozen=True)
class Signal:
    """name: as in receipts; items: what its requests hold, in words; rejected: the field that counts those left out."""

    name: str
    service: str
    request: Any
    response: Any
    items: str
    rejected: str

    @property
    def path(self) -> str:
        return f"/v1/{self.name}"

    @property
    def request_name(self) -> str:
        return str(self.request.DESCRIPTOR.name)


_COLLECTOR = "opentelemetry.proto.collector"
TRACES = Signal(
    name="traces",
    service=f"{_COLLECTOR}.trace.v1.TraceService",
    request=TraceRequest,
    response=ExportTraceServiceResponse,
    items="spans",
    rejected="rejected_spans",
)
LOGS = Signal(
    name="logs",
    service=f"{_COLLECTOR}.logs.v1.LogsService",
    request=LogsRequest,
    response=ExportLogsServiceResponse,
    items="log records",
    rejected="rejected_log_records",
)
METRICS = Signal(
    name="metrics",
    service=f"{_COLLECTOR}.metrics.v1.MetricsService",
    request=MetricsRequest,
    response=ExportMetricsServiceResponse,
    items="data points",
    rejected="rejected_data_points",
)
SIGNALS = (TRACES, LOGS, METRICS)


def plain(path: str) -> str:
    """Endpoints are put together from parts, so that a slash may be doubled or end the path."""
    return "/" + "/".join(filter(None, path.split("/")))


def signal_at(path: str) -> Signal | None:
    return next((signal for signal in SIGNALS if signal.path == path), None)
