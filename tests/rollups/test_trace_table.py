"""Traces by any column, page by page, as a sort of the scan gives them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.kept import stored_once
from tests.pages.spans import Spanlet, recorded, store_trace
from traces.store.figures import TraceFigures
from traces.store.queries.filters import TraceFilter
from traces.store.queries.scopes import whole_time
from traces.store.queries.trace_metrics import filtered_sums
from traces.store.queries.trace_table import ORDERS, Order, trace_table

from . import naive

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

KEYS: dict[Order, Callable[[TraceFigures], Any]] = {
    "trace_id": lambda trace: trace.trace_id,
    "service": lambda trace: trace.service,
    "name": lambda trace: trace.name,
    "start": lambda trace: trace.start_ns,
    "end": lambda trace: trace.end_ns,
    "duration": lambda trace: trace.duration_ns,
    "span_count": lambda trace: trace.span_count,
    "error_count": lambda trace: trace.error_count,
    "cost": lambda trace: trace.cost.reported,
}
PAYLOADS = ("agentops-0.4.21-session", "litellm-1.106.2-mixed", "genai-openai-1.3b0")


def pages(project_id: UUID, order: Order, descending: bool, wanted: TraceFilter) -> list[TraceFigures]:
    found: list[TraceFigures] = []
    while page := trace_table(
        whole_time(project_id), wanted, order=order, descending=descending, limit=4, offset=len(found)
    ):
        found += page
    return found


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("descending", [True, False])
def test_every_order_is_that_of_a_sort(order: Order, descending: bool) -> None:
    project_id = stored_once(*map(recorded, PAYLOADS))
    key = KEYS[order]
    traces = sorted(naive.figures(project_id), key=lambda trace: trace.trace_id, reverse=descending)
    known = sorted((trace for trace in traces if key(trace) is not None), key=key, reverse=descending)
    expected = known + [trace for trace in traces if key(trace) is None]
    assert len(expected) == 11
    wanted = TraceFilter(text="openai")
    fitting = [trace for trace in expected if "openai" in "".join(_names(project_id)[trace.trace_id]).lower()]
    assert 0 < len(fitting) < 11

    assert pages(project_id, order, descending, TraceFilter()) == expected
    assert pages(project_id, order, descending, wanted) == fitting


def _names(project_id: UUID) -> dict[str, list[str]]:
    return {
        trace: [span["SpanName"] for span in spans]
        for trace, spans in naive.traces_of(naive.spans_of(project_id)).items()
    }


def test_a_text_is_looked_for_in_ids_names_and_tags_by_list_and_sums_alike(project_id: UUID) -> None:
    traces = {
        "named": store_trace(project_id, [Spanlet("find Me"), Spanlet("x", id=2, parent=1)], number=1),
        "tagged": store_trace(
            project_id,
            [Spanlet("root"), Spanlet("call", id=2, parent=1, attributes={"agentops.tags": ["has find ME in it"]})],
            number=2,
        ),
        "other": store_trace(project_id, [Spanlet("nothing")], number=3),
    }
    scope = whole_time(project_id)

    def found(text: str) -> set[str]:
        wanted = TraceFilter(text=text)
        page = trace_table(scope, wanted, order="span_count", descending=False, limit=10, offset=0)
        assert filtered_sums(scope, wanted).traces == len(page)
        return {trace.trace_id for trace in page}

    assert found("FIND me") == {traces["named"], traces["tagged"]}
    assert found("0002") == {traces["tagged"]}
    assert found("%") == set()
    assert found("한국") == set()
