import json
from typing import Any

import pytest
from google.protobuf import json_format

from traces.ingest.otlp.messages import TraceRequest
from traces.ingest.otlp.request import JSON

from .conftest import PAYLOADS, Receiver, Tenant
from .rows import assert_stored, stored_spans

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


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
        (b'{"resourceSpans": [{"resource": {"attributes": [{"key": 5}]}}]}', "attributes[0].key must be a string"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": "SPAN_KIND_ODD"}]}]}]}', "kind must be an integer"),
        (b'{"resourceLogs": []}', "holds logs (resourceLogs)"),
        (b'{"resource_metrics": []}', "holds metrics (resource_metrics)"),
        (b'{"resourceProfiles": []}', "holds profiles"),
        (b'{"spans": [], "x": 1}', "no resourceSpans: it holds 'spans', 'x'"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, ""),
    ],
)
def test_bad_json_gets_400_that_names_the_field(body: bytes, words: str, otlp: Receiver, tenant: Tenant) -> None:
    answer = otlp.post(body, tenant.key, content_type=JSON)

    assert answer.status_code in (200, 400) if not words else answer.status_code == 400
    assert words in answer.text


GOOD_SPAN = {"traceId": "5b8efff798038103d269b633813fc6a2", "spanId": "eee19b7ec3c1b1a2", "name": "good"}


def post_beside_good(otlp: Receiver, tenant: Tenant, odd: object) -> dict[str, Any]:
    """The answer to a request of one good span between two odd ones; the good one must be stored."""
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [odd, GOOD_SPAN, odd]}]}]}
    answer = otlp.post(json.dumps(body).encode(), tenant.key, content_type=JSON)
    assert answer.status_code == 200, answer.text
    assert "good" in {row["SpanName"] for row in stored_spans(tenant.project_id).values()}
    return dict(answer.json())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"traceId": "xyz"}, "spans[0].traceId must be hexadecimal"),
        ({"traceId": "5b8efff798038103d269b633813fc6a"}, "spans[0].traceId must be hexadecimal"),
        ({"traceId": "W47/95gDgQPSabYzgT/Goh=="}, "spans[0].traceId must be hexadecimal"),
        ({"spanId": "eee19b7ec3c1b1"}, "no valid trace id (16 bytes) or span id (8 bytes)"),
        ({"spanId": ""}, "no valid trace id"),
        ({"parentSpanId": "한"}, "parentSpanId must be hexadecimal"),
        ({"links": [{"traceId": "0"}]}, "links[0].traceId must be hexadecimal"),
        ({"kind": "SPAN_KIND_ODD"}, "kind must be an integer or one of SPAN_KIND_UNSPECIFIED, SPAN_KIND_INTERNAL"),
        ({"startTimeUnixNano": "--1"}, "startTimeUnixNano must be an integer"),
        ({"attributes": {"a": 1}}, "attributes must be a list"),
        ({"attributes": [{"key": "k", "value": {"bytesValue": "한"}}]}, "bytesValue must be base64"),
        ({"status": "OK"}, "status must be an object"),
    ],
)
def test_an_odd_span_does_not_cost_its_neighbours(
    fields: dict[str, object], words: str, otlp: Receiver, tenant: Tenant
) -> None:
    answer = post_beside_good(otlp, tenant, GOOD_SPAN | {"spanId": "eee19b7ec3c1b1a3", "name": "odd"} | fields)

    assert answer["partialSuccess"]["rejectedSpans"] == "2"
    assert words in answer["partialSuccess"]["errorMessage"]
    assert len(stored_spans(tenant.project_id)) == 1


def test_a_span_that_is_no_object_is_left_out(otlp: Receiver, tenant: Tenant) -> None:
    answer = post_beside_good(otlp, tenant, "span")

    assert "spans[0] must be an object" in answer["partialSuccess"]["errorMessage"]


def test_enums_may_be_names(otlp: Receiver, tenant: Tenant) -> None:
    named = {"spanId": "eee19b7ec3c1b1a3", "kind": "SPAN_KIND_CLIENT", "status": {"code": "STATUS_CODE_ERROR"}}

    assert post_beside_good(otlp, tenant, GOOD_SPAN | named | {"name": "named"}) == {}
    [row] = [row for row in stored_spans(tenant.project_id).values() if row["SpanName"] == "named"]
    assert (row["SpanKind"], row["StatusCode"]) == ("Client", "Error")


def test_the_names_of_2021_are_understood(otlp: Receiver, tenant: Tenant) -> None:
    scope = {"instrumentationLibrary": {"name": "old", "version": "1"}, "spans": [GOOD_SPAN]}
    body = {"resourceSpans": [{"instrumentationLibrarySpans": [scope]}]}

    answer = otlp.post(json.dumps(body).encode(), tenant.key, content_type=JSON)

    assert (answer.status_code, answer.json()) == (200, {})
    [row] = stored_spans(tenant.project_id).values()
    assert (row["ScopeName"], row["ScopeVersion"]) == ("old", "1")


def test_base64_of_every_kind_is_understood(otlp: Receiver, tenant: Tenant) -> None:
    values = {"standard": "/+8=", "for URLs": "_-8=", "unpadded": "_-8", "empty": ""}
    attributes = [{"key": key, "value": {"bytesValue": value}} for key, value in values.items()]
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [GOOD_SPAN | {"attributes": attributes}]}]}]}

    assert otlp.post(json.dumps(body).encode(), tenant.key, content_type=JSON).json() == {}
    [row] = stored_spans(tenant.project_id).values()
    assert row["SpanAttributes"] == dict.fromkeys(values, "/+8=") | {"empty": ""}


@pytest.mark.parametrize("body", [b"{}", b'{"resourceSpans": []}', b'{"resourceSpans": null}'])
def test_an_empty_request_is_fine(body: bytes, otlp: Receiver, tenant: Tenant) -> None:
    answer = otlp.post(body, tenant.key, content_type=JSON)

    assert (answer.status_code, answer.json()) == (200, {})


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
