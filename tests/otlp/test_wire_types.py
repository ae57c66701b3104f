"""Every field of OTLP's trace messages with every wire type that is not its own: what is acknowledged is stored."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from agentops_portal.clickhouse.client import get_client
from traces.ingest.otlp import receiver
from traces.ingest.otlp.errors import BadData
from traces.ingest.otlp.messages import TraceRequest

from ..receiver import entry_of
from .conftest import Receiver, Tenant
from .rows import stored_spans

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

NOW = 1_795_000_000_000_000_000
VARINT, FIXED64, LENGTH, GROUP, GROUP_END, FIXED32 = range(6)
# By field type (FieldDescriptor.TYPE_…): the wire type that is right.
RIGHT = {1: FIXED64, 3: VARINT, 5: VARINT, 6: FIXED64, 7: FIXED32, 8: VARINT, 13: VARINT, 14: VARINT}
# Where in a request each message is; the last of the path is the message that gets the odd field.
PATHS = [
    (),
    ("resource_spans",),
    ("resource_spans", "resource"),
    ("resource_spans", "resource", "attributes"),
    ("resource_spans", "resource", "attributes", "value"),
    ("resource_spans", "scope_spans"),
    ("resource_spans", "scope_spans", "scope"),
    ("resource_spans", "scope_spans", "scope", "attributes"),
    ("resource_spans", "scope_spans", "spans"),
    ("resource_spans", "scope_spans", "spans", "status"),
    ("resource_spans", "scope_spans", "spans", "events"),
    ("resource_spans", "scope_spans", "spans", "events", "attributes"),
    ("resource_spans", "scope_spans", "spans", "events", "attributes", "value"),
    ("resource_spans", "scope_spans", "spans", "links"),
    ("resource_spans", "scope_spans", "spans", "links", "attributes"),
    ("resource_spans", "scope_spans", "spans", "attributes"),
    ("resource_spans", "scope_spans", "spans", "attributes", "value"),
    ("resource_spans", "scope_spans", "spans", "attributes", "value", "array_value"),
    ("resource_spans", "scope_spans", "spans", "attributes", "value", "array_value", "values"),
    ("resource_spans", "scope_spans", "spans", "attributes", "value", "kvlist_value"),
]


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def field(number: int, wire_type: int) -> bytes:
    content = {
        VARINT: b"\x01",
        FIXED64: bytes(8),
        LENGTH: b"\x02\x08\x01",
        GROUP: b"\x08\x01" + varint(number << 3 | GROUP_END),
        FIXED32: bytes(4),
    }
    return varint(number << 3 | wire_type) + content[wire_type]


@dataclass
class Case:
    name: str
    path: tuple[str, ...]
    body: bytes
    good: list[str]  # ids of the spans that nothing is wrong with
    odd: str


def request(trace_id: bytes, path: tuple[str, ...]) -> tuple[Any, list[str]]:
    """Three spans, of which the last has everything; the ids of all."""
    message = TraceRequest()
    resource_spans = message.resource_spans.add(schema_url=b"s")
    resource_spans.resource.attributes.add(key=b"service.name").value.string_value = b"shop"
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = b"scope"
    scope_spans.scope.attributes.add(key=b"a").value.string_value = b"b"
    for number in (1, 2, 3):
        span = scope_spans.spans.add(trace_id=trace_id, span_id=number.to_bytes(8, "big"), name=b"good")
        span.start_time_unix_nano, span.end_time_unix_nano = NOW, NOW + 5
    span.status.code = 1
    value = span.attributes.add(key=b"k").value
    if "array_value" in path:
        value.array_value.values.add().int_value = 7
    elif "kvlist_value" in path:
        value.kvlist_value.values.add(key=b"x").value.int_value = 7
    else:
        value.int_value = 7
    span.events.add(name=b"e", time_unix_nano=NOW).attributes.add(key=b"k").value.string_value = b"v"
    span.links.add(trace_id=trace_id, span_id=bytes(7) + b"\x01").attributes.add(key=b"k").value.string_value = b"v"
    return message, [span.span_id.hex() for span in scope_spans.spans]


def with_field(message: Any, path: tuple[str, ...], extra: bytes) -> None:
    """Add raw bytes to the last message on the path, taking the last of each list."""
    for name in path:
        part = getattr(message, name)
        message = part[-1] if message.DESCRIPTOR.fields_by_name[name].is_repeated else part
    message.MergeFromString(extra)


def descriptor(path: tuple[str, ...]) -> Any:
    found = TraceRequest.DESCRIPTOR
    for name in path:
        found = found.fields_by_name[name].message_type
    return found


def cases() -> Iterator[Case]:
    for path in PATHS:
        for known in descriptor(path).fields:
            for wire_type in (VARINT, FIXED64, LENGTH, GROUP, FIXED32):
                if wire_type == RIGHT.get(known.type, LENGTH):
                    continue
                trace_id = uuid.uuid4().bytes
                message, ids = request(trace_id, path)
                with_field(message, path, field(known.number, wire_type))
                *good, odd = [f"{trace_id.hex()}/{span_id}" for span_id in ids]
                name = f"{'.'.join((*path, known.name))} as {wire_type}"
                yield Case(name, path, message.SerializeToString(), good, odd)


def test_whatever_is_acknowledged_is_stored(otlp: Receiver, tenant: Tenant) -> None:
    """400 for what lies around the spans; a span with such a field is left out; within attributes it is passed over."""
    refused, acknowledged, expected = [], [], set()
    for case in cases():
        try:
            entry = entry_of(tenant.project_id, case.body)
        except BadData:
            assert not {"spans", "attributes"} & {*case.path}, case.name
            refused.append(case.name)
            continue
        assert entry.rejected == ("spans" in case.path and "attributes" not in case.path), case.name
        expected |= {*case.good} if entry.rejected else {*case.good, case.odd}
        acknowledged.append(receiver.committer().submit(entry))
    for acknowledgement in acknowledged:
        acknowledgement.result(timeout=60)
    receiver.committer().settle()

    assert {"/".join(ids) for ids in stored_spans(tenant.project_id)} == expected
    assert len(expected) > 500
    assert len(refused) > 40
    assert unreadable(tenant) == 0


def test_the_client_is_told_which_span_was_left_out_and_why(otlp: Receiver, tenant: Tenant) -> None:
    [case] = [case for case in cases() if case.name == "resource_spans.scope_spans.spans.name as 0"]

    answer = otlp.post(case.body, tenant.key)

    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 1)
    assert "Span.name was sent as a varint" in partial.error_message
    assert {"/".join(ids) for ids in stored_spans(tenant.project_id)} == {*case.good}


def test_logs_sent_here_are_called_logs(otlp: Receiver, tenant: Tenant) -> None:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    logs = ExportLogsServiceRequest()
    record = logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=NOW, severity_text="INFO")
    record.body.string_value = "hello"

    answer = otlp.post(logs.SerializeToString(), tenant.key)

    assert answer.status_code == 400
    assert b"The body holds logs; this address receives traces." in answer.content


def test_scopes_of_2021_are_stored(otlp: Receiver, tenant: Tenant) -> None:
    """InstrumentationLibrarySpans, field 1000 of ResourceSpans, had the fields of ScopeSpans."""
    message, ids = request(uuid.uuid4().bytes, ())
    [resource_spans] = message.resource_spans
    scope = resource_spans.scope_spans[0].SerializeToString()
    del resource_spans.scope_spans[:]
    resource_spans.MergeFromString(varint(1000 << 3 | LENGTH) + varint(len(scope)) + scope)

    assert otlp.post(message.SerializeToString(), tenant.key).status_code == 200
    rows = stored_spans(tenant.project_id)
    assert {span_id for _, span_id in rows} == {*ids}
    assert {row["ScopeName"] for row in rows.values()} == {"scope"}


def test_fields_that_otlp_may_get_one_day_are_passed_over(otlp: Receiver, tenant: Tenant) -> None:
    message, ids = request(uuid.uuid4().bytes, ())
    for path in PATHS[:-3]:
        with_field(message, path, b"".join(field(900, kind) for kind in (VARINT, FIXED64, LENGTH, GROUP, FIXED32)))

    answer = otlp.post(message.SerializeToString(), tenant.key)

    assert (answer.status_code, answer.content) == (200, b"")
    assert {span_id for _, span_id in stored_spans(tenant.project_id)} == {*ids}


def test_the_official_request_has_no_field_that_this_one_lacks() -> None:
    official = ExportTraceServiceRequest.DESCRIPTOR
    assert [f.number for f in official.fields] == [f.number for f in TraceRequest.DESCRIPTOR.fields]


def unreadable(tenant: Tenant) -> int:
    [[count]] = (
        get_client()
        .query(
            "SELECT count() FROM otlp_unreadable WHERE project_id = {project:UUID}",
            parameters={"project": str(tenant.project_id)},
        )
        .result_rows
    )
    return int(count)
