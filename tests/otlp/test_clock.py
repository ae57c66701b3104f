"""Spans of a clock that does not count from 1970 are put where they belong."""

import os
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from traces.ingest.otlp.clock import OFFSET_ATTRIBUTE, place_odd_spans
from traces.ingest.otlp.messages import TraceRequest

from .conftest import PAYLOADS, Receiver, Tenant
from .rows import stored_spans

NOW = 1_764_000_000 * 10**9
MS = 10**6
TRACE = bytes(15) + b"\1"


def request_of(*spans: tuple[int, int, int, int]) -> Any:
    """Spans as (id, parent, start, end)."""
    message = TraceRequest()
    target = message.resource_spans.add().scope_spans.add().spans
    for number, parent, start, end in spans:
        target.add(
            trace_id=TRACE,
            span_id=number.to_bytes(8, "big"),
            parent_span_id=parent.to_bytes(8, "big") if parent else b"",
            start_time_unix_nano=start,
            end_time_unix_nano=end,
        )
    return message


def times(message: Any) -> list[tuple[int, int]]:
    spans = message.resource_spans[0].scope_spans[0].spans
    return [(span.start_time_unix_nano, span.end_time_unix_nano) for span in spans]


def test_a_child_is_moved_into_its_parent_with_its_duration() -> None:
    message = request_of((1, 0, NOW, NOW + 100 * MS), (2, 1, 5_000 * MS, 5_030 * MS))

    assert place_odd_spans(message)
    assert times(message)[1] == (NOW, NOW + 30 * MS)
    assert message.resource_spans[0].scope_spans[0].spans[1].attributes[0].value.int_value == NOW - 5_000 * MS


def test_all_are_moved_alike_and_none_before_its_parent() -> None:
    message = request_of((1, 0, NOW, NOW + 100 * MS), (2, 1, 5_010 * MS, 5_020 * MS), (3, 1, 5_000 * MS, 5_005 * MS))
    place_odd_spans(message)

    assert times(message)[1:] == [(NOW + 10 * MS, NOW + 20 * MS), (NOW, NOW + 5 * MS)]


def test_without_their_parents_they_end_with_what_was_sent_with_them() -> None:
    message = request_of((1, 0, NOW, NOW + 100 * MS), (2, 9, 5_000 * MS, 5_030 * MS))
    place_odd_spans(message)

    assert times(message)[1] == (NOW + 70 * MS, NOW + 100 * MS)


@pytest.mark.parametrize(
    "spans",
    [[(1, 0, 0, 0), (2, 1, NOW, NOW + 1)], [(1, 0, 5_000 * MS, 5_030 * MS)], [(1, 0, NOW, NOW + 1)], []],
    ids=["a time nobody knows", "odd spans alone", "nothing odd", "no spans"],
)
def test_others_are_left_as_they_came(spans: list[tuple[int, int, int, int]]) -> None:
    message = request_of(*spans)
    before = message.SerializeToString()

    assert not place_odd_spans(message)
    assert message.SerializeToString() == before


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_the_router_spans_of_litellm_lie_within_their_requests(otlp: Receiver, tenant: Tenant) -> None:
    body = (PAYLOADS / "litellm-1.80.5.pb").read_bytes()
    otlp.post(body, tenant.key)

    rows = stored_spans(tenant.project_id)
    routers = [row for row in rows.values() if row["SpanName"] == "router"]
    assert len(routers) == 9
    for row in routers:
        parent = rows[row["TraceId"], row["ParentSpanId"]]
        assert parent["start"] <= row["start"]
        assert row["start"] + row["Duration"] <= parent["start"] + parent["Duration"]
        assert OFFSET_ATTRIBUTE.decode() in row["SpanAttributes"]


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_a_moved_span_sent_again_is_stored_once(otlp: Receiver, tenant: Tenant) -> None:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    root = spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), start_time_unix_nano=NOW, end_time_unix_nano=NOW)
    spans.add(trace_id=root.trace_id, span_id=os.urandom(8), parent_span_id=root.span_id, start_time_unix_nano=77)
    for _ in range(2):
        otlp.post(request.SerializeToString(), tenant.key)

    assert sorted(row["start"] for row in stored_spans(tenant.project_id).values()) == [NOW, NOW]
