import gzip
import json
import os
import zlib

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from projects import credentials
from projects.models import Project
from projects.services import create_api_key

from .conftest import PAYLOADS, Receiver, Tenant
from .rows import assert_stored, stored_spans

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

GOOD = (PAYLOADS / "agentops-0.4.21-session.pb").read_bytes()


def assert_refused(answer, status: int, *words: str) -> None:  # type: ignore[no-untyped-def]
    message = Status.FromString(answer.content).message
    assert answer.status_code == status, message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("recorded", "signal"),
    [("claude-code-metrics", "metrics"), ("logfire-metrics", "metrics"), ("claude-code-logs", "logs")],
)
def test_metrics_and_logs_are_called_what_they_are(recorded: str, signal: str, otlp: Receiver, tenant: Tenant) -> None:
    body = (PAYLOADS / "other_signals" / f"{recorded}.pb").read_bytes()
    assert_refused(otlp.post(body, tenant.key), 400, f"The body holds {signal}; this address receives traces.")


@pytest.mark.parametrize(
    "body",
    [b"garbage" * 30, b"\xff" * 100, GOOD[:-7], GOOD[: len(GOOD) // 2], b"{}", b"\x0a\xff\xff\xff\xff\x7f"],
    ids=["text", "ones", "cut at the end", "cut in the middle", "json", "length beyond the end"],
)
def test_a_body_that_is_no_otlp_gets_400_and_the_next_request_works(
    body: bytes, otlp: Receiver, tenant: Tenant
) -> None:
    assert_refused(otlp.post(body, tenant.key), 400, "ExportTraceServiceRequest")
    assert otlp.post(GOOD, tenant.key).status_code == 200
    assert assert_stored(GOOD, tenant.project_id) == 8


@pytest.mark.parametrize("body", [b"garbage", gzip.compress(GOOD)[:-20]], ids=["no gzip", "cut short"])
def test_a_body_that_does_not_decompress_gets_400(body: bytes, otlp: Receiver, tenant: Tenant) -> None:
    assert_refused(otlp.post(body, tenant.key, content_encoding="gzip"), 400, "compress")


def test_an_unknown_encoding_gets_415_that_names_the_known_ones(otlp: Receiver, tenant: Tenant) -> None:
    assert_refused(otlp.post(GOOD, tenant.key, content_encoding="br"), 415, "gzip", "zstd")


def test_an_unknown_media_type_gets_415(otlp: Receiver, tenant: Tenant) -> None:
    assert_refused(otlp.post(GOOD, tenant.key, content_type="text/plain"), 415, "application/x-protobuf")


def test_a_body_above_the_limit_gets_413(otlp: Receiver, tenant: Tenant, settings) -> None:  # type: ignore[no-untyped-def]
    settings.OTLP_MAX_BODY_BYTES = 1000

    assert_refused(otlp.post(GOOD, tenant.key), 413, "1000 bytes")
    assert stored_spans(tenant.project_id) == {}


def test_a_decompression_bomb_gets_413(otlp: Receiver, tenant: Tenant, settings) -> None:  # type: ignore[no-untyped-def]
    settings.OTLP_MAX_INFLATED_BYTES = 1024 * 1024
    bomb = gzip.compress(b"\0" * (64 * 1024 * 1024))

    assert_refused(otlp.post(bomb, tenant.key, content_encoding="gzip"), 413, "smaller batches")


def test_no_credential_gets_401_that_says_how(otlp: Receiver, tenant: Tenant) -> None:
    answer = otlp.post(GOOD, None)

    assert_refused(answer, 401, "Authorization: Bearer")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("key", ["nonsense", "0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f", "a.b.c"])
def test_a_wrong_credential_gets_401(key: str, otlp: Receiver, tenant: Tenant) -> None:
    assert otlp.post(GOOD, key).status_code == 401
    assert stored_spans(tenant.project_id) == {}


def test_a_key_that_may_only_read_gets_403(otlp: Receiver, tenant: Tenant) -> None:
    project = Project.objects.get(pk=tenant.project_id)
    key = create_api_key(project=project, name="reader", scopes=("read",)).secret
    credentials.authenticate(key)  # here, where its row is seen

    assert_refused(otlp.post(GOOD, key), 403, "scope 'ingest'")


@pytest.mark.parametrize("value", ["Bearer%20{}", "bearer {}", "Bearer  {}"])
def test_every_spelling_of_the_bearer_header_works(value: str, otlp: Receiver, tenant: Tenant) -> None:
    assert otlp.post(GOOD, None, authorization=value.format(tenant.key)).status_code == 200


@pytest.mark.parametrize("name", ["x-api-key", "x-agentops-api-key"])
def test_the_key_may_come_in_its_own_header(name: str, otlp: Receiver, tenant: Tenant) -> None:
    assert otlp.post(GOOD, None, **{name: tenant.key}).status_code == 200


def test_the_project_comes_from_the_key_whatever_the_body_says(otlp: Receiver, tenant: Tenant) -> None:
    other = "11111111-1111-4111-8111-111111111111"
    request = ExportTraceServiceRequest.FromString(GOOD)
    pair = request.resource_spans[0].resource.attributes.add(key="agentops.project.id")
    pair.value.string_value = other
    spoofed = request.SerializeToString() + bytes([0xC2, 0x3E, len(other)]) + other.encode()  # a field nobody knows

    assert otlp.post(spoofed, tenant.key).status_code == 200
    rows = stored_spans(tenant.project_id)
    assert len(rows) == 8
    assert {row["ResourceAttributes"]["agentops.project.id"] for row in rows.values()} == {str(tenant.project_id)}


def test_spans_without_valid_ids_are_left_out_and_counted(otlp: Receiver, tenant: Tenant) -> None:
    request = ExportTraceServiceRequest.FromString(GOOD)
    spans = request.resource_spans[0].scope_spans[0].spans
    spans.add(trace_id=b"short", span_id=os.urandom(8), name="bad trace id")
    spans.add(trace_id=os.urandom(16), span_id=bytes(8), name="zero span id")

    answer = otlp.post(request.SerializeToString(), tenant.key)

    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 2)
    assert "trace id" in partial.error_message
    assert assert_stored(GOOD, tenant.project_id) == 8


@pytest.mark.parametrize("path", ["//v1/traces", "/v1/traces/", "/v1//traces", "//v1/traces//"])
def test_slashes_too_many_do_no_harm(path: str, otlp: Receiver, tenant: Tenant) -> None:
    import httpx

    answer = httpx.post(
        otlp.url + path, content=GOOD, headers={"x-api-key": tenant.key, "content-type": "application/x-protobuf"}
    )

    assert answer.status_code == 200


def test_the_web_address_of_the_receiver_explains_itself(otlp: Receiver, tenant: Tenant) -> None:
    import httpx

    assert httpx.get(f"{otlp.url}/v1/traces", headers={"x-api-key": tenant.key}).status_code == 405
    missing = httpx.post(f"{otlp.url}/v1/profiles", headers={"content-type": "application/json"}, content=b"{}")
    assert missing.status_code == 404
    for address in ("/v1/traces", "/v1/logs", "/v1/metrics"):
        assert address in json.loads(missing.content)["message"]


def test_raw_and_zlib_deflate_both_work(otlp: Receiver, tenant: Tenant) -> None:
    machine = zlib.compressobj(wbits=-15)
    for body in (zlib.compress(GOOD), machine.compress(GOOD) + machine.flush()):
        assert otlp.post(body, tenant.key, content_encoding="deflate").status_code == 200
