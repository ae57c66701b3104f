"""Logs and metrics: accepted as OTLP asks, by every door, and counted where nothing of them is kept."""

import asyncio
import gzip
import json
import re
import threading
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from agentops_portal.asgi import application as web_process
from traces.ingest.otlp import grpc as otlp_grpc
from traces.ingest.otlp import receiver
from traces.ingest.receipts.booking import ReceiptBook
from traces.models import IngestReceipt
from traces.store.rollups.rollup import NO_TRACE

from .conftest import PAYLOADS, Receiver, Tenant
from .rows import stored_spans

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("book"),
]

RECORDED = PAYLOADS / "other_signals"
METRICS = (RECORDED / "logfire-metrics.pb").read_bytes()
CLAUDE_METRICS = (RECORDED / "claude-code-metrics.pb").read_bytes()
TRACES = (PAYLOADS / "agentops-0.4.21-session.pb").read_bytes()
# Counted in the text form of the recorded bodies.
POINTS, CLAUDE_POINTS = 4, 14
# Of these, points of tokens and cost, which are stored (test_usage_metrics.py).
USAGE, CLAUDE_USAGE = 2, 10


def plain_log(**fields: Any) -> ExportLogsServiceRequest:
    """A record that no store has a place for."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(time_unix_nano=1_795_761_072_823_000_000, severity_number=9, **fields).body.string_value = "started"
    return request


def as_json(request: Any) -> bytes:
    """What an exporter writes: ids are hexadecimal."""
    text = json.dumps(MessageToDict(request))
    return re.sub(r'("(?:trace|span)Id": )"([^"]+)"', lambda id_: f'{id_[1]}"{b64decode(id_[2]).hex()}"', text).encode()


def test_what_is_not_stored_is_accepted_and_counted_by_signal(
    otlp: Receiver, tenant: Tenant, book: ReceiptBook
) -> None:
    log = plain_log().SerializeToString()
    packed = gzip.compress(CLAUDE_METRICS)
    in_json = as_json(ExportMetricsServiceRequest.FromString(METRICS))
    answers = [
        otlp.post(log, tenant.key, "/v1/logs"),
        otlp.post(as_json(plain_log()), tenant.key, "/v1/logs", content_type="application/json"),
        otlp.post(METRICS, tenant.key, "//v1/metrics/"),
        otlp.post(packed, tenant.key, "/v1/metrics", content_encoding="gzip"),
        otlp.post(in_json, tenant.key, "/v1/metrics", content_type="application/json"),
    ]

    # An exporter prints a partial success, and would print this one for ever.
    assert [(answer.status_code, answer.content) for answer in answers] == [
        (200, content) for content in (b"", b"{}", b"", b"", b"{}")
    ]
    assert answers[0].headers["content-type"] == "application/x-protobuf"
    receiver.committer().settle()
    book.flush()
    receipt = IngestReceipt.objects.of_project(tenant.project_id).get()
    assert receipt.not_stored == {"logs": 2, "metrics": 2 * (POINTS - USAGE) + CLAUDE_POINTS - CLAUDE_USAGE}
    assert (receipt.requests, receipt.accepted_spans, receipt.rejected_spans, receipt.refused) == (
        *(5, USAGE + CLAUDE_USAGE),
        *(0, {}),
    )
    assert receipt.repeated_spans == USAGE  # in JSON they are the same points
    assert receipt.bytes > 2 * len(METRICS) + len(CLAUDE_METRICS)
    assert receipt.last_error == ""
    assert {row["TraceId"] for row in stored_spans(tenant.project_id).values()} == {NO_TRACE}


def test_a_record_that_becomes_a_span_is_counted_as_one(otlp: Receiver, tenant: Tenant, book: ReceiptBook) -> None:
    request = ExportLogsServiceRequest.FromString((RECORDED / "claude-code-logs.pb").read_bytes())
    request.resource_logs.extend(plain_log().resource_logs)
    for _ in range(2):
        otlp.post(request.SerializeToString(), tenant.key, "/v1/logs")

    book.flush()

    receipt = IngestReceipt.objects.of_project(tenant.project_id).get()
    assert (receipt.accepted_spans, receipt.repeated_spans, receipt.not_stored) == (7, 7, {"logs": 2})
    assert (receipt.rejected_spans, receipt.last_error) == (0, "")


def test_the_web_process_takes_them_too(tenant: Tenant) -> None:
    async def ask() -> list[httpx.Response]:
        headers = {"x-api-key": tenant.key, "content-type": "application/x-protobuf"}
        transport = httpx.ASGITransport(app=web_process)
        async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
            return [
                await client.post(f"/v1/{signal}", content=body, headers=headers)
                for signal, body in (("metrics", METRICS), ("logs", plain_log().SerializeToString()))
            ]

    assert [answer.status_code for answer in asyncio.run(ask())] == [200, 200]


def test_a_body_of_another_signal_is_called_what_it_is(otlp: Receiver, tenant: Tenant) -> None:
    wrong = {
        ("/v1/logs", TRACES): "The body holds traces; this address receives logs.",
        ("/v1/logs", METRICS): "The body holds metrics; this address receives logs.",
        ("/v1/metrics", TRACES): "The body holds traces; this address receives metrics.",
        ("/v1/metrics", plain_log().SerializeToString()): "The body holds logs; this address receives metrics.",
        ("/v1/logs", b"garbage" * 30): "The body is not an OTLP ExportLogsServiceRequest in protobuf encoding.",
        ("/v1/metrics", METRICS[:-7]): "The body is not an OTLP ExportMetricsServiceRequest in protobuf encoding.",
    }
    for (path, body), message in wrong.items():
        answer = otlp.post(body, tenant.key, path)
        assert (answer.status_code, Status.FromString(answer.content).message) == (400, message)

    answer = otlp.post(as_json(plain_log()), tenant.key, "/v1/metrics", content_type="application/json")
    assert answer.json()["message"] == (
        "The body holds logs (resourceLogs); this address receives metrics (resourceMetrics)."
    )


def test_one_odd_item_costs_no_other(otlp: Receiver, tenant: Tenant, book: ReceiptBook) -> None:
    logs = MessageToDict(plain_log())
    records = logs["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    records.append({"timeUnixNano": "yesterday"})

    answer = otlp.post(json.dumps(logs).encode(), tenant.key, "/v1/logs", content_type="application/json")

    where = "resourceLogs[0].scopeLogs[0].logRecords[1].timeUnixNano"
    message = f"1 log records cannot be read. The first: {where} must be an integer."
    assert answer.json() == {"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": message}}
    book.flush()
    receipt = IngestReceipt.objects.of_project(tenant.project_id).get()
    assert (receipt.not_stored, receipt.last_error) == ({"logs": 2}, message)

    del records[0]
    refused = otlp.post(json.dumps(logs).encode(), tenant.key, "/v1/logs", content_type="application/json")
    assert (refused.status_code, refused.json()["message"]) == (
        400,
        f"{where.replace('[1]', '[0]')} must be an integer.",
    )


@pytest.mark.parametrize("path", ["/v1/logs", "/v1/metrics"])
def test_the_key_and_the_limits_are_those_of_traces(path: str, otlp: Receiver, tenant: Tenant, settings: Any) -> None:
    settings.OTLP_MAX_INFLATED_BYTES = 1024 * 1024
    bomb = gzip.compress(b"\0" * (8 * 1024 * 1024))

    assert otlp.post(b"", None, path).status_code == 401
    assert otlp.post(bomb, "nonsense", path, content_encoding="gzip").status_code == 401  # not inflated before
    assert otlp.post(bomb, tenant.key, path, content_encoding="gzip").status_code == 413
    assert otlp.post(b"", tenant.key, path, content_type="text/plain").status_code == 415
    assert httpx.get(otlp.url + path).status_code == 405
    assert otlp.post(b"", tenant.key, path).status_code == 200


@pytest.fixture(scope="module")
def address(receiver_server: Receiver) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running, port = asyncio.run_coroutine_threadsafe(otlp_grpc.start("127.0.0.1", 0), loop).result()
    yield f"127.0.0.1:{port}"
    asyncio.run_coroutine_threadsafe(running.stop(1), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.mark.parametrize(
    ("service", "body", "response", "counted"),
    [
        ("logs.v1.LogsService", plain_log().SerializeToString(), ExportLogsServiceResponse, {"logs": 1}),
        ("metrics.v1.MetricsService", METRICS, ExportMetricsServiceResponse, {"metrics": POINTS - USAGE}),
    ],
)
def test_grpc_takes_them_too(
    service: str, body: bytes, response: Any, counted: dict[str, int], address: str, tenant: Tenant, book: ReceiptBook
) -> None:
    with grpc.insecure_channel(address) as channel:
        export = channel.unary_unary(f"/opentelemetry.proto.collector.{service}/Export", bytes, response.FromString)
        key = (("authorization", f"Bearer {tenant.key}"),)

        assert export(body, metadata=key, compression=grpc.Compression.Gzip) == response()
        for wrong, status in ((None, grpc.StatusCode.UNAUTHENTICATED), (key, grpc.StatusCode.INVALID_ARGUMENT)):
            with pytest.raises(grpc.RpcError) as refused:
                export(TRACES, metadata=wrong)
            assert refused.value.code() == status
    receiver.committer().settle()
    book.flush()
    assert IngestReceipt.objects.of_project(tenant.project_id).get().not_stored == counted
