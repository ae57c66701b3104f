"""A pending span is shown until its final one is there, and never counts."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.pages.spans import Spanlet, request_of
from traces.store.queries.span_detail import SpanDetail, span_detail
from traces.store.queries.span_pages import key_of, span_page
from traces.store.queries.trace_detail import spans, trace_figures, trace_scope
from traces.store.queries.trace_spans import trace_spans

from .test_once import CALL, START, Receiver, counted

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

TRACE = f"{1:032x}"
ROOT = Spanlet("agent", id=7, end=50, attributes={"session.id": "s-1"})
FINAL = Spanlet("chat", id=8, parent=7, attributes=CALL.attributes)
GUARD = {"openinference.span.kind": "GUARDRAIL"}


def request(*spanlets: Spanlet) -> ExportTraceServiceRequest:
    return request_of({1: spanlets}, START)


def logfire(span: Spanlet, id: int) -> Spanlet:
    """As its SDK sends it when the span starts: https://logfire.pydantic.dev"""
    marks = {"logfire.span_type": "pending_span", "logfire.pending_parent_id": f"{span.parent:016x}"}
    return Spanlet(span.name, id=id, parent=span.id, end=0, attributes={**span.attributes, **marks})


def same_id(span: Spanlet) -> Spanlet:
    return Spanlet(
        span.name,
        id=span.id,
        parent=span.parent,
        end=0,
        attributes={**span.attributes, "glassflow.span.pending": True},
    )


PENDING = {
    "ids of their own": [logfire(ROOT, 107), logfire(FINAL, 108)],
    "the same ids": [same_id(ROOT), same_id(FINAL)],
}


@pytest.fixture
def own() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.committer.close()


@pytest.mark.parametrize("pending", PENDING.values(), ids=PENDING)
@pytest.mark.parametrize("order", permutations(range(3)), ids=str)
def test_in_any_order_the_final_spans_count_and_are_shown(
    own: Receiver, pending: Sequence[Spanlet], order: Sequence[int]
) -> None:
    project_id = uuid4()
    requests = [request(*pending), request(FINAL), request(ROOT, *pending)]
    for number in order:
        own.send(project_id, requests[number])

    assert counted(project_id)["trace_summaries"] == (2, 0, 1, 0, 1, 120, Decimal("0.5"), 0)
    assert counted(project_id)["usage_quarters"] == (2, 1, 0, 0, 100, 20, 120, Decimal("0.5"), None)
    assert shown(project_id) == [("agent", 50, ""), ("chat", 10, f"{7:016x}")]


@pytest.mark.parametrize("pending", PENDING.values(), ids=PENDING)
def test_until_then_they_are_shown_and_count_for_nothing(own: Receiver, pending: Sequence[Spanlet]) -> None:
    project_id = uuid4()
    guard = Spanlet("guard", id=9, parent=7, attributes=GUARD)
    own.send(project_id, request(*pending, logfire(guard, 109)))

    assert counted(project_id)["trace_summaries"] == (0, 0, 0, 0, 0, 0, None, 0)
    assert counted(project_id)["usage_quarters"][0] == 0
    assert counted(project_id)["guardrail_runs"] == (0, 0, 0)
    assert shown(project_id) == [("agent", 0, ""), ("chat", 0, f"{7:016x}"), ("guard", 0, f"{7:016x}")]
    scope = trace_scope(project_id, TRACE)
    assert scope is not None
    figures = trace_figures(scope, TRACE)
    assert figures is not None
    assert (figures.name, figures.has_root, figures.session_id) == ("agent", True, "s-1")
    assert (figures.span_count, figures.llm_calls, figures.total_tokens, figures.guardrail_runs) == (0, 0, 0, 0)


def shown(project_id: UUID) -> list[tuple[str, int, str]]:
    """(name, milliseconds, parent) of a trace's spans, the same wherever they are shown."""
    scope = trace_scope(project_id, TRACE)
    assert scope is not None
    listed = [(each.name, each.duration_ns // 10**6, each.parent_span_id) for each in spans(scope, TRACE)]
    whole = trace_spans(scope, TRACE)
    assert [(each.name, each.duration_ns // 10**6, each.parent_span_id) for each in whole] == listed
    single = [span_detail(scope, TRACE, each.span_id) for each in whole]
    assert single == whole
    paged: list[SpanDetail] = []
    while page := span_page(scope, TRACE, key_of(paged[-1]) if paged else None, 1, attributes=True):
        paged += page
    assert sorted(each.span_id for each in paged) == sorted(each.span_id for each in whole)
    return listed
