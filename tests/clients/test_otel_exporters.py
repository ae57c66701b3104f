import gzip
import os
import subprocess
from pathlib import Path

import httpx
import orjson
import pytest

from .environments import client_environment, javascript_environment
from .portal import Portal, Span

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]

JAVASCRIPT = Path(__file__).parent / "javascript"
SCRIPT = Path(__file__).parent / "scripts" / "otel_export.py"


def export(portal: Portal, **variables: str) -> str:
    """Run the instrumented application; gives the trace id it printed."""
    environment = {
        "PATH": os.environ["PATH"],
        "OTEL_EXPORTER_OTLP_ENDPOINT": portal.receiver,
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{portal.key}",
        "OTEL_SERVICE_NAME": "orders",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        **variables,
    }
    python = client_environment("opentelemetry") / "python"
    done = subprocess.run([python, SCRIPT], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def assert_complete(spans: list[Span], trace_id: str) -> None:
    by_name = {span["SpanName"]: span for span in spans}
    root, call, failed = by_name["주문 처리"], by_name["chat gpt-4o-mini"], by_name["look up"]
    assert {span["TraceId"] for span in spans} == {trace_id}
    assert len(spans) == 3
    assert (root["SpanKind"], root["ServiceName"], root["ParentSpanId"]) == ("Server", "orders", "")
    assert call["ParentSpanId"] == failed["ParentSpanId"] == root["SpanId"]
    assert root["ResourceAttributes"]["deployment.environment.name"] == "test"
    values = root["SpanAttributes"]
    assert (values["http.response.status_code"], values["ratio"], values["retried"]) == ("200", "0.25", "false")
    assert orjson.loads(values["tags"]) == ["가", "b"]
    assert (call["is_llm_call"], call["model"], call["total_tokens"]) == (True, "gpt-4o-mini", 59)
    assert call["Events.Name"] == ["first token"]
    assert call["Links.TraceId"] == [trace_id]
    assert (failed["StatusCode"], failed["StatusMessage"]) == ("Error", "LookupError: no such order")
    assert failed["Events.Attributes"][0]["exception.message"] == "no such order"


@pytest.mark.parametrize("compression", ["none", "gzip", "deflate"])
def test_the_sdks_exporter_sends_whole_traces(portal: Portal, compression: str) -> None:
    trace_id = export(portal, OTEL_EXPORTER_OTLP_COMPRESSION=compression)

    assert_complete(portal.spans(), trace_id)


@pytest.mark.parametrize("variables", [{}, {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}], ids=["plain", "gzip"])
def test_the_sdks_grpc_exporter_sends_whole_traces(portal: Portal, variables: dict[str, str]) -> None:
    trace_id = export(portal, OTEL_EXPORTER_OTLP_PROTOCOL="grpc", OTEL_EXPORTER_OTLP_ENDPOINT=portal.grpc, **variables)

    assert_complete(portal.spans(), trace_id)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_javascript_sdk_sends_json(portal: Portal, compression: str) -> None:
    folder = javascript_environment(JAVASCRIPT)
    environment = {
        "PATH": os.environ["PATH"],
        "PORTAL_RECEIVER": portal.receiver,
        "PORTAL_KEY": portal.key,
        "PORTAL_COMPRESSION": compression,
    }
    done = subprocess.run(["node", folder / "export.mjs"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr

    call, root = sorted(portal.spans(), key=lambda span: span["ParentSpanId"] == "")
    assert {call["TraceId"], root["TraceId"]} == {done.stdout.strip()}
    assert call["ParentSpanId"] == root["SpanId"]
    assert (root["SpanName"], root["SpanKind"], root["ServiceName"]) == ("결제", "Server", "browser")
    assert root["ResourceAttributes"]["process.pid"] == "42"
    values = root["SpanAttributes"]
    assert (values["ratio"], values["whole"], values["retried"]) == ("0.25", "3", "false")
    assert (orjson.loads(values["tags"]), orjson.loads(values["numbers"])) == (["가", "b"], [1, 2.5])
    assert (call["is_llm_call"], call["input_tokens"], call["output_tokens"]) == (True, 42, 17)
    assert (call["StatusCode"], call["StatusMessage"]) == ("Error", "no such order")
    assert call["Events.Attributes"] == [{"after_ms": "120", "cached": "true"}]


def test_the_web_process_takes_traces_too(portal: Portal) -> None:
    trace_id = export(portal, OTEL_EXPORTER_OTLP_ENDPOINT=portal.web)

    assert_complete(portal.spans(), trace_id)


def test_an_api_key_header_works_as_well(portal: Portal) -> None:
    trace_id = export(portal, OTEL_EXPORTER_OTLP_HEADERS=f"x-api-key={portal.key}")

    assert_complete(portal.spans(), trace_id)


def test_json_sent_by_hand_is_stored(portal: Portal) -> None:
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "chat gpt-4o-mini",
        "kind": 3,
        "startTimeUnixNano": "1790000000000000000",
        "endTimeUnixNano": 1790000001000000000,
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o-mini"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "42"}},
            {"key": "gen_ai.usage.output_tokens", "value": {"intValue": 17}},
        ],
        "unknownField": 1,
    }
    document = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "curl"}, "spans": [span]}]}]}
    headers = {"authorization": f"Bearer {portal.key}", "content-type": "application/json", "content-encoding": "gzip"}

    answer = httpx.post(
        f"{portal.receiver}/v1/traces", content=gzip.compress(orjson.dumps(document)), headers=headers, trust_env=False
    )

    [stored] = portal.spans()
    assert (answer.status_code, answer.json()) == (200, {})
    assert (stored["TraceId"], stored["SpanId"], stored["Duration"]) == (span["traceId"], span["spanId"], 10**9)
    assert (stored["model"], stored["input_tokens"], stored["output_tokens"]) == ("gpt-4o-mini", 42, 17)
