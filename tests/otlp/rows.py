"""Spans as the protobuf library reads them, in the form in which the store holds them."""

import base64
import json
import math
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from agentops_portal.clickhouse.client import get_client
from traces.ingest.otlp.clock import place_odd_spans
from traces.ingest.otlp.messages import TraceRequest

KINDS = {1: "Internal", 2: "Server", 3: "Client", 4: "Producer", 5: "Consumer"}
STATUS = {1: "Ok", 2: "Error"}
MAX_NANOSECONDS = 2**63 - 1


def text(data: bytes) -> str:
    """ClickHouse keeps bytes as they are; its client shows those that are no UTF-8 as hexadecimal."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.hex()


def plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key.decode("utf-8", "replace"): plain(pair.value) for pair in reversed(value.kvlist_value.values)}
    if kind == "string_value":
        return value.string_value.decode("utf-8", "replace")
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if kind == "double_value" and not math.isfinite(value.double_value):
        return str(value.double_value)
    return getattr(value, kind) if kind else None


def same_value(value: Any, stored: str) -> bool:
    """True when the stored text is the value: numbers are compared as numbers, lists and maps as JSON."""
    kind = value.WhichOneof("value")
    if kind is None:
        return stored == ""
    if kind == "string_value":
        return stored == text(value.string_value)
    if kind == "bool_value":
        return stored == ("true" if value.bool_value else "false")
    if kind == "int_value":
        return stored == str(value.int_value)
    if kind == "double_value":
        return float(stored) == value.double_value or (math.isnan(value.double_value) and stored == "nan")
    if kind == "bytes_value":
        return stored == base64.b64encode(value.bytes_value).decode()
    if kind == "array_value" and not value.array_value.values:
        return stored in ("", "[]")
    return same_json(plain(value), json.loads(stored))


def same_json(sent: Any, stored: Any) -> bool:
    """Equal, where a double may be written without a fraction: 51396645499541330 is 5.139664549954133e+16."""
    if isinstance(sent, float):
        return isinstance(stored, int | float) and float(stored) == sent
    if isinstance(sent, list):
        return len(sent) == len(stored) and all(map(same_json, sent, stored))
    if isinstance(sent, dict):
        return set(sent) == set(stored) and all(same_json(value, stored[key]) for key, value in sent.items())
    return bool(sent == stored)


def assert_same_attributes(expected: Iterable[Any], stored: dict[str, str], where: str) -> None:
    first: dict[str, Any] = {}
    for pair in expected:
        first.setdefault(text(pair.key), pair.value)
    assert set(stored) == set(first), where
    for key, value in first.items():
        assert same_value(value, stored[key]), f"{where} {key}: {value!r} was stored as {stored[key]!r}"


def stored_spans(project_id: UUID) -> dict[tuple[str, str], dict[str, Any]]:
    """(trace id, span id) → row of otel_traces, with times as nanoseconds."""
    result = get_client().query(
        "SELECT * EXCEPT (Timestamp, `Events.Timestamp`), toUnixTimestamp64Nano(Timestamp) AS start, "
        "arrayMap(t -> toUnixTimestamp64Nano(t), `Events.Timestamp`) AS event_times "
        "FROM otel_traces WHERE project_id = {project:String}",
        parameters={"project": str(project_id)},
    )
    return {(row["TraceId"], row["SpanId"]): row for row in result.named_results()}


def assert_stored(body: bytes, project_id: UUID) -> int:
    """Every span of the body, value by value, is all that the store holds for the project; gives their number."""
    count = assert_stored_all(body, project_id)
    assert len(stored_spans(project_id)) == count
    return count


def assert_stored_all(body: bytes, project_id: UUID) -> int:
    """Every span of the body, value by value, is in the store; gives their number."""
    rows = stored_spans(project_id)
    count = 0
    message = TraceRequest.FromString(body)
    place_odd_spans(message)  # tests/otlp/test_clock.py
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                count += 1
                assert_same_span(span, scope_spans.scope, resource_spans.resource, rows, project_id)
    return count


def assert_same_span(span: Any, scope: Any, resource: Any, rows: dict[Any, dict[str, Any]], project_id: UUID) -> None:
    row = rows[span.trace_id.hex(), span.span_id.hex()]
    where = f"span {span.name!r}"
    start = min(span.start_time_unix_nano, MAX_NANOSECONDS)
    assert row["start"] == start, where
    assert row["Duration"] == max(0, span.end_time_unix_nano - span.start_time_unix_nano), where
    assert row["ParentSpanId"] == span.parent_span_id.hex()
    assert row["SpanName"] == text(span.name)
    assert row["TraceState"] == text(span.trace_state)
    assert row["SpanKind"] == KINDS.get(span.kind, "Unspecified")
    assert row["StatusCode"] == STATUS.get(span.status.code, "Unset")
    assert row["StatusMessage"] == text(span.status.message)
    assert (row["ScopeName"], row["ScopeVersion"]) == (text(scope.name), text(scope.version))
    assert_same_attributes(span.attributes, row["SpanAttributes"], where)
    assert_same_attributes(scope.attributes, row["ScopeAttributes"], f"{where} scope")
    own = {key: value for key, value in row["ResourceAttributes"].items() if key != "agentops.project.id"}
    assert row["ResourceAttributes"]["agentops.project.id"] == str(project_id)
    assert_same_attributes(
        [p for p in resource.attributes if p.key != b"agentops.project.id"], own, f"{where} resource"
    )
    assert row["event_times"] == [min(event.time_unix_nano, MAX_NANOSECONDS) for event in span.events]
    assert row["Events.Name"] == [text(event.name) for event in span.events]
    for event, stored in zip(span.events, row["Events.Attributes"], strict=True):
        assert_same_attributes(event.attributes, stored, f"{where} event")
    assert row["Links.TraceId"] == [link.trace_id.hex() for link in span.links]
    assert row["Links.SpanId"] == [link.span_id.hex() for link in span.links]
    assert row["Links.TraceState"] == [text(link.trace_state) for link in span.links]
    for link, stored in zip(span.links, row["Links.Attributes"], strict=True):
        assert_same_attributes(link.attributes, stored, f"{where} link")
