"""What the store has of log records that became spans."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentops_portal.clickhouse.client import get_client
from tests.otlp.conftest import PAYLOADS, Receiver, Tenant
from traces.ingest.otlp import receiver
from traces.store.queries.summaries import figures_of

RECORDED = PAYLOADS / "other_signals"
PATH = "/v1/logs"


class Sums(NamedTuple):
    """Of one trace."""

    calls: int
    input: int
    output: int
    cached: int
    cost: Decimal | None
    session: str
    user: str
    status: str


def sums(project_id: UUID, *trace_ids: str) -> list[Sums]:
    found = figures_of(project_id, trace_ids)
    traces = [found[trace_id] for trace_id in trace_ids]
    return [
        Sums(
            trace.llm_calls,
            trace.input_tokens,
            trace.output_tokens,
            trace.cached_input_tokens,
            trace.cost.reported,
            trace.session_id,
            trace.user_id,
            trace.status,
        )
        for trace in traces
    ]


def rows(project_id: UUID) -> list[dict[str, Any]]:
    """The spans with some of their typed columns, in order of their start (in nanoseconds) and name."""
    result = get_client().query(
        "SELECT *, span_type, is_llm_call, tool_name, model, provider, input_tokens, output_tokens, "
        "toUnixTimestamp64Nano(Timestamp) AS start "
        "FROM otel_traces WHERE project_id = {project:String} ORDER BY start, SpanName, SpanId",
        parameters={"project": str(project_id)},
    )
    return list(result.named_results())


def send(
    otlp: Receiver, tenant: Tenant, *requests: ExportLogsServiceRequest | ExportTraceServiceRequest, settle: bool = True
) -> None:
    """In this order; `settle` waits until all is stored, and lets nothing wait."""
    headers = {"x-api-key": tenant.key, "content-type": "application/x-protobuf"}
    for request in requests:
        path = PATH if isinstance(request, ExportLogsServiceRequest) else "/v1/traces"
        answer = httpx.post(otlp.url + path, content=request.SerializeToString(), headers=headers, timeout=30)
        assert (answer.status_code, answer.content) == (200, b"")
    if settle:
        receiver.committer().settle()


def one_by_one(request: ExportLogsServiceRequest) -> Iterator[ExportLogsServiceRequest]:
    """Each record in a request of its own, the last first."""
    for resource in reversed(request.resource_logs):
        for scope in reversed(resource.scope_logs):
            for record in reversed(scope.log_records):
                single = ExportLogsServiceRequest()
                holder = single.resource_logs.add(resource=resource.resource)
                holder.scope_logs.add(scope=scope.scope, log_records=[record])
                yield single


def attributes(message: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        target = message.attributes.add(key=key).value
        if isinstance(value, bool):
            target.bool_value = value
        elif isinstance(value, int):
            target.int_value = value
        elif isinstance(value, float):
            target.double_value = value
        else:
            target.string_value = value
