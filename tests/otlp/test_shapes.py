"""Whatever its shape, a span with valid ids is stored, and every value of it survives."""

import math
import os

import pytest

from agentops_portal.clickhouse.client import get_client
from traces.ingest.otlp.messages import TraceRequest

from .conftest import Receiver, Tenant
from .rows import assert_stored, stored_spans

# Spans of all months there are, through which the tests after them would have to go.
pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store")]


def new_request():  # type: ignore[no-untyped-def]
    request = TraceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    span = scope_spans.spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name=b"s")
    span.start_time_unix_nano = span.end_time_unix_nano = 1_795_000_000_000_000_001
    return request, scope_spans, span


def put(span, key: str):  # type: ignore[no-untyped-def]
    return span.attributes.add(key=key.encode()).value


def test_scalars_at_their_limits(otlp: Receiver, tenant: Tenant) -> None:
    request, _, span = new_request()
    put(span, "lowest").int_value = -(2**63)
    put(span, "highest").int_value = 2**63 - 1
    put(span, "zero").int_value = 0
    put(span, "false").bool_value = False
    put(span, "nan").double_value = math.nan
    put(span, "infinity").double_value = -math.inf
    put(span, "tiny").double_value = 5e-324
    put(span, "huge").double_value = 1.7976931348623157e308
    put(span, "third").double_value = 1 / 3
    put(span, "bytes").bytes_value = bytes(range(256))
    put(span, "empty").string_value = b""
    put(span, "unset")
    put(span, "한국어 🔑").string_value = "값 \0 '\"\\".encode()
    put(span, "broken text").string_value = b"caf\xc3"
    put(span, "").string_value = b"a key without a name"

    assert otlp.post(request.SerializeToString(), tenant.key).status_code == 200
    assert assert_stored(request.SerializeToString(), tenant.project_id) == 1


def test_odd_times_kinds_and_states(otlp: Receiver, tenant: Tenant) -> None:
    request, scope_spans, first = new_request()
    first.name = b""
    first.kind, first.status.code = 99, 42
    for start, end in ((0, 0), (10**18, 5), (5, 2**64 - 1), (2**64 - 1, 2**64 - 1)):
        scope_spans.spans.add(
            trace_id=os.urandom(16), span_id=os.urandom(8), start_time_unix_nano=start, end_time_unix_nano=end
        )
    # Far-off clocks spread one batch over more months than ClickHouse takes by default.
    for month in range(150):
        scope_spans.spans.add(
            trace_id=os.urandom(16), span_id=os.urandom(8), start_time_unix_nano=month * 31 * 86_400 * 10**9
        )

    assert otlp.post(request.SerializeToString(), tenant.key).status_code == 200
    assert assert_stored(request.SerializeToString(), tenant.project_id) == 155


def test_values_nested_ten_deep_in_every_place(otlp: Receiver, tenant: Tenant) -> None:
    request, scope_spans, span = new_request()
    owners = (
        span.attributes,
        span.events.add(name=b"e").attributes,
        span.links.add(trace_id=os.urandom(16), span_id=os.urandom(8)).attributes,
        scope_spans.scope.attributes,
        request.resource_spans[0].resource.attributes,
    )
    for attributes in owners:
        value = attributes.add(key=b"deep").value
        for level in range(10):
            if level % 2:
                value = value.array_value.values.add()
            else:
                pair = value.kvlist_value.values.add(key=f"level {level}".encode())
                value = pair.value
        value.string_value = "바닥".encode()
        attributes.add(key=b"empty map").value.kvlist_value.SetInParent()
        attributes.add(key=b"list").value.array_value.values.add().int_value = 1

    assert otlp.post(request.SerializeToString(), tenant.key).status_code == 200
    assert assert_stored(request.SerializeToString(), tenant.project_id) == 1


def test_lists_of_every_kind_of_value(otlp: Receiver, tenant: Tenant) -> None:
    request, _, span = new_request()
    values = put(span, "mixed").array_value.values
    values.add().string_value = 'q"\\\n한'.encode()
    values.add().int_value = -(2**63)
    values.add().double_value = 0.1
    values.add().double_value = math.nan
    values.add().bool_value = True
    values.add().bytes_value = b"\xff\0"
    values.add()

    assert otlp.post(request.SerializeToString(), tenant.key).status_code == 200
    assert assert_stored(request.SerializeToString(), tenant.project_id) == 1


def test_a_megabyte_in_one_value_and_ten_thousand_attributes(otlp: Receiver, tenant: Tenant) -> None:
    request, _, span = new_request()
    put(span, "large").string_value = os.urandom(512 * 1024).hex().encode()
    for index in range(10_000):
        put(span, f"attribute {index}").int_value = index

    assert otlp.post(request.SerializeToString(), tenant.key).status_code == 200
    assert assert_stored(request.SerializeToString(), tenant.project_id) == 1


def test_of_a_repeated_key_both_values_are_kept_and_the_first_is_read(otlp: Receiver, tenant: Tenant) -> None:
    request, _, span = new_request()
    put(span, "user.id").string_value = b"first"
    put(span, "user.id").string_value = b"second"

    assert otlp.post(request.SerializeToString(), tenant.key).status_code == 200
    (row,) = (
        get_client()
        .query(
            "SELECT mapValues(SpanAttributes), SpanAttributes['user.id'], user_id FROM otel_traces "
            "WHERE project_id = {project:String}",
            parameters={"project": str(tenant.project_id)},
        )
        .result_rows
    )
    assert row == (["first", "second"], "first", "first")


def test_a_request_without_spans_is_fine(otlp: Receiver, tenant: Tenant) -> None:
    assert otlp.post(b"", tenant.key).status_code == 200
    assert stored_spans(tenant.project_id) == {}
