"""Protobuf with a schema in the request: the way spans arrive."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Ask = Callable[..., httpx.Response]

PAYLOADS = sorted((Path(__file__).resolve().parent.parent / "payloads").glob("*.pb"))
SCHEMA = """syntax = "proto3";
message Span { bytes trace_id = 1; bytes span_id = 2; string name = 5; }
message ScopeSpans { repeated Span spans = 2; }
message ResourceSpans { repeated ScopeSpans scope_spans = 2; }
message Envelope { repeated ResourceSpans resource_spans = 1; }
"""
SPANS = "Array(Tuple(trace_id String, span_id String, name String))"
COLUMNS = f"resource_spans Array(Tuple(scope_spans Array(Tuple(spans {SPANS}))))"


def delimited(message: bytes) -> bytes:
    """A message behind its length, as a stream of them is written."""
    length, head = len(message), bytearray()
    while length > 127:
        head.append(length & 127 | 128)
        length >>= 7
    return bytes(head) + bytes([length]) + message


@pytest.fixture
def tables(ask: Ask) -> None:
    ask(f"CREATE TABLE otlp ({COLUMNS}) ENGINE = Null")
    ask("CREATE TABLE spans (trace String, span String, name String) ENGINE = MergeTree ORDER BY trace")
    view = "SELECT lower(hex(s.trace_id)) AS trace, lower(hex(s.span_id)) AS span, s.name AS name FROM"
    flat = "(SELECT arrayJoin(arrayJoin(arrayJoin(resource_spans).scope_spans).spans) AS s FROM otlp)"
    assert ask(f"CREATE MATERIALIZED VIEW otlp_to_spans TO spans AS {view} {flat}").status_code == 200


def sent() -> tuple[bytes, set[tuple[str, str, str]]]:
    bodies = [path.read_bytes() for path in PAYLOADS]
    spans = {
        (span.trace_id.hex(), span.span_id.hex(), span.name)
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    return b"".join(map(delimited, bodies)), spans


def stored(ask: Ask) -> set[tuple[str, str, str]]:
    return {tuple(row) for row in ask("SELECT * FROM spans FORMAT JSONCompact").json()["data"]}


@pytest.mark.usefixtures("tables")
def test_the_schema_may_stand_in_the_query(ask: Ask) -> None:
    data, spans = sent()
    settings = f"format_schema_source = 'string', format_schema = '{SCHEMA}', format_schema_message_name = 'Envelope'"
    response = ask(data, query=f"INSERT INTO otlp SETTINGS {settings} FORMAT Protobuf")
    assert (response.status_code, response.text) == (200, "")
    assert stored(ask) == spans
    assert len(spans) > 50


@pytest.mark.usefixtures("tables")
def test_the_schema_may_be_a_parameter_of_the_url(ask: Ask) -> None:
    data, spans = sent()
    settings = {"format_schema_source": "string", "format_schema": SCHEMA, "format_schema_message_name": "Envelope"}
    response = ask(data, query="INSERT INTO otlp FORMAT Protobuf", **settings)
    assert (response.status_code, response.text) == (200, "")
    assert stored(ask) == spans


@pytest.mark.usefixtures("tables")
def test_a_truncated_batch_stores_nothing(ask: Ask) -> None:
    data, _ = sent()
    settings = {"format_schema_source": "string", "format_schema": SCHEMA, "format_schema_message_name": "Envelope"}
    response = ask(data[:-10], query="INSERT INTO otlp FORMAT Protobuf", **settings)
    assert response.status_code >= 400
    assert stored(ask) == set()
