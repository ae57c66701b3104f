"""All spans of a trace in order, and one span by its id."""

from uuid import UUID, uuid4

import pytest

from projects.models import Organization, Project
from tests.pages.spans import Spanlet, recorded, request_of, span_id, store, store_trace, trace_id
from traces.store.queries.span_detail import SpanDetail, span_detail
from traces.store.queries.trace_detail import trace_scope
from traces.store.queries.trace_spans import span_by_id, trace_spans

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

BLOCKED = "0918b44c88898607485f6e7f01a7b71e"


@pytest.fixture
def project_id() -> UUID:
    return Project.objects.create(name="Support", organization=Organization.objects.create(name="Acme")).pk


def spans_of(project_id: UUID, trace: str, limit: int = 1000) -> list[SpanDetail]:
    scope = trace_scope(project_id, trace)
    assert scope is not None
    return trace_spans(scope, trace, limit)


def test_each_span_has_all_that_the_page_of_one_span_has(project_id: UUID) -> None:
    store(project_id, recorded("litellm-1.106.2-mixed"))
    scope = trace_scope(project_id, BLOCKED)
    assert scope is not None

    spans = trace_spans(scope, BLOCKED)

    assert len(spans) == 11
    assert [span.start_ns for span in spans] == sorted(span.start_ns for span in spans)
    assert any(span.events for span in spans)
    for span in spans:
        assert span == span_detail(scope, BLOCKED, span.span_id) == span_by_id(project_id, span.span_id)


def test_parents_come_before_children_that_start_with_them(project_id: UUID) -> None:
    # Equal starts; children outlast their parents, so neither length nor id tells who is whose parent.
    family = [
        Spanlet("grandchild", id=1, parent=2, end=30),
        Spanlet("child", id=2, parent=3, end=20),
        Spanlet("root", id=3, end=10),
        Spanlet("late", id=4, parent=1, start=1, end=2),
    ]
    trace = store_trace(project_id, family)

    assert [span.name for span in spans_of(project_id, trace)] == ["root", "child", "grandchild", "late"]


def test_circles_lose_no_span_and_an_id_is_one_span(project_id: UUID) -> None:
    odd = [
        Spanlet("a", id=1, parent=2),
        Spanlet("b", id=2, parent=1),
        Spanlet("self", id=3, parent=3),
        Spanlet("twice", id=4, end=5),
        Spanlet("again", id=4, end=6),
    ]
    trace = store_trace(project_id, odd)

    assert sorted(span.name for span in spans_of(project_id, trace)) == ["a", "b", "self", "twice"]


def test_a_limit_keeps_the_earliest(project_id: UUID) -> None:
    trace = store_trace(project_id, [Spanlet(str(number), id=number, start=number, end=99) for number in range(1, 6)])

    assert [span.name for span in spans_of(project_id, trace, limit=2)] == ["1", "2"]


def test_a_span_of_another_project_or_of_nobody_is_none(project_id: UUID) -> None:
    store_trace(project_id, [Spanlet("mine", id=7)])

    assert span_by_id(project_id, span_id(7)) is not None
    assert span_by_id(uuid4(), span_id(7)) is None
    assert span_by_id(project_id, "nonsense' OR 1=1") is None


def test_the_earliest_of_spans_with_one_id_is_found(project_id: UUID) -> None:
    traces = {1: [Spanlet("later", id=7, start=5)], 2: [Spanlet("earlier", id=7, start=1)]}
    store(project_id, request_of(traces, 1_700_000_000_000_000_000))

    found = span_by_id(project_id, span_id(7))

    assert found is not None
    assert (found.name, found.trace_id) == ("earlier", trace_id(2))
