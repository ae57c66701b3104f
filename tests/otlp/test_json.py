import json
from typing import Any

import pytest
from google.protobuf import json_format

from traces.otlp.messages import TraceRequest
from traces.otlp.request import JSON

from .conftest import PAYLOADS, Receiver, Tenant
from .rows import assert_stored, stored_spans

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


def as_otlp_json(body: bytes) -> dict[str, Any]:
    """What an exporter writes: protobuf's JSON, but with hexadecimal ids and enums as numbers."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    message = ExportTraceServiceRequest.FromString(body)
    data = json_format.MessageToDict(message, use_integers_for_enums=True)
    for resource, read in zip(data["resourceSpans"], message.resource_spans, strict=True):
        for scope, read_scope in zip(resource["scopeSpans"], read.scope_spans, strict=True):
            for span, read_span in zip(scope["spans"], read_scope.spans, strict=True):
                span["traceId"], span["spanId"] = read_span.trace_id.hex(), read_span.span_id.hex()
                if read_span.parent_span_id:
                    span["parentSpanId"] = read_span.parent_span_id.hex()
    return data


@pytest.mark.parametrize(
    "name", ["litellm-1.106.2-otel-v2", "agentops-0.4.21-session", "traceloop-openai-0.62.4", "genai-openai-1.3b0"]
)
def test_json_is_stored_like_protobuf(name: str, otlp: Receiver, tenant: Tenant) -> None:
    body = (PAYLOADS / f"{name}.pb").read_bytes()

    answer = otlp.post(json.dumps(as_otlp_json(body)).encode(), tenant.key, content_type=JSON)

    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == JSON
    assert assert_stored(body, tenant.project_id) > 0


def test_snake_case_numbers_and_unknown_fields_are_fine(otlp: Receiver, tenant: Tenant) -> None:
    span = {
        "trace_id": "0AF7651916CD43DD8448EB211C80319C",
        "span_id": "b7ad6b7169203331",
        "name": "curl",
        "start_time_unix_nano": 1_795_000_000_000_000_000,
        "endTimeUnixNano": "1795000000000000005",
        "futureField": [{"x": 1}],
        "attributes": [
            {"key": "n", "value": {"intValue": "9007199254740993"}},
            {"key": "b", "value": {"bytesValue": "/wA="}},
        ],
        "status": None,
    }
    body = {"resource_spans": [{"resource": {}, "scope_spans": [{"scope": {"name": "s"}, "spans": [span]}]}]}

    assert otlp.post(json.dumps(body).encode(), tenant.key, content_type=f"{JSON}; charset=utf-8").status_code == 200
    (row,) = stored_spans(tenant.project_id).values()
    assert (row["TraceId"], row["Duration"]) == ("0af7651916cd43dd8448eb211c80319c", 5)
    assert row["SpanAttributes"] == {"n": "9007199254740993", "b": "/wA="}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[]", "object"),
        (b"{", "JSON"),
        (b'{"resourceSpans": {}}', "resourceSpans must be a list"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}', "spans[0].traceId must be hexa"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": "SERVER"}]}]}]}', "kind must be an integer"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "-1"}]}]}]}', "between 0 and"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 5}]}]}]}', "name must be a string"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, ""),
    ],
)
def test_bad_json_gets_400_that_names_the_field(body: bytes, words: str, otlp: Receiver, tenant: Tenant) -> None:
    answer = otlp.post(body, tenant.key, content_type=JSON)

    assert answer.status_code in (200, 400) if not words else answer.status_code == 400
    assert words in answer.text


def test_rejected_spans_are_counted_in_json_too(otlp: Receiver, tenant: Tenant) -> None:
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "00", "spanId": "01"}]}]}]}

    answer = otlp.post(json.dumps(body).encode(), tenant.key, content_type=JSON)

    assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"


def test_a_browser_may_ask_first(otlp: Receiver) -> None:
    import httpx

    answer = httpx.options(
        f"{otlp.url}/v1/traces",
        headers={"origin": "https://app.example", "access-control-request-method": "POST"},
    )

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "authorization" in answer.headers["access-control-allow-headers"]


def test_message_classes_have_the_official_fields() -> None:
    assert {field.name for field in TraceRequest.DESCRIPTOR.fields} == {"resource_spans"}
