import asyncio
import gzip
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from traces.ingest.otlp import grpc as otlp_grpc
from traces.ingest.otlp import receiver

from .conftest import PAYLOADS, Receiver, Tenant
from .rows import assert_stored, stored_spans

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

BODY = (PAYLOADS / "agentops-0.4.21-session.pb").read_bytes()
Export = Callable[..., ExportTraceServiceResponse]


@pytest.fixture(scope="module")
def address(receiver_server: Receiver) -> Iterator[str]:
    """The gRPC door of the receiver on its own event loop; the port is the kernel's choice."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running, port = asyncio.run_coroutine_threadsafe(otlp_grpc.start("127.0.0.1", 0), loop).result()
    yield f"127.0.0.1:{port}"
    asyncio.run_coroutine_threadsafe(running.stop(1), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def exporter(address: str) -> Export:
    return grpc.insecure_channel(address).unary_unary(
        f"/{otlp_grpc.SERVICE}/Export",
        request_serializer=lambda request: request if isinstance(request, bytes) else request.SerializeToString(),
        response_deserializer=ExportTraceServiceResponse.FromString,
    )


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip], ids=["plain", "gzip"])
def test_spans_are_stored_value_by_value(
    compression: grpc.Compression, address: str, otlp: Receiver, tenant: Tenant
) -> None:
    request = ExportTraceServiceRequest.FromString(BODY)

    answer = exporter(address)(request, metadata=[("authorization", f"Bearer {tenant.key}")], compression=compression)
    receiver.committer().settle()

    assert not answer.HasField("partial_success")
    assert assert_stored(BODY, tenant.project_id) == 8


def test_no_key_is_unauthenticated(address: str, otlp: Receiver, tenant: Tenant) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        exporter(address)(ExportTraceServiceRequest.FromString(BODY))

    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert "x-api-key" in str(refused.value.details())
    assert stored_spans(tenant.project_id) == {}


def test_no_message_is_read_for_who_has_no_key(
    address: str, otlp: Receiver, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """32 calls of 60 MiB of zeros, 60 kB each on the wire, took 1.4 GB when gRPC read them before their key."""
    read = []

    async def read_all(messages: object) -> bytes:
        read.append(messages)
        return b""

    monkeypatch.setattr(otlp_grpc, "_message", read_all)
    with pytest.raises(grpc.RpcError) as refused:
        exporter(address)(bytes(60 * 1024 * 1024), compression=grpc.Compression.Gzip)
    assert (refused.value.code(), read) == (grpc.StatusCode.UNAUTHENTICATED, [])

    exporter(address)(BODY, metadata=[("x-api-key", tenant.key)])
    assert len(read) == 1


def test_a_call_without_a_message_is_an_invalid_argument(address: str, otlp: Receiver, tenant: Tenant) -> None:
    channel: Any = grpc.insecure_channel(address)
    call = channel.stream_unary(f"/{otlp_grpc.SERVICE}/Export")
    with pytest.raises(grpc.RpcError) as refused:
        call(iter(()), metadata=[("x-api-key", tenant.key)])

    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "no message" in str(refused.value.details())


def test_garbage_is_an_invalid_argument(address: str, otlp: Receiver, tenant: Tenant) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        exporter(address)(gzip.compress(b"garbage"), metadata=[("x-api-key", tenant.key)])

    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_full_queue_says_when_to_come_back(
    address: str, otlp: Receiver, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from traces.ingest.inbox.commit import GroupCommitter
    from traces.ingest.otlp.errors import Overloaded

    def full(self: GroupCommitter, request: object) -> None:
        raise Overloaded("busy")

    monkeypatch.setattr(GroupCommitter, "submit", full)
    with pytest.raises(grpc.RpcError) as refused:
        exporter(address)(ExportTraceServiceRequest.FromString(BODY), metadata=[("x-api-key", tenant.key)])

    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    trailing: Any = refused.value.trailing_metadata()
    details = dict(trailing)[otlp_grpc.DETAILS]
    assert Status.FromString(details).details[0].type_url.endswith("google.rpc.RetryInfo")
