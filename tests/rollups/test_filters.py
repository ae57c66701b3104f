"""Every filter of the trace list finds what a scan of the spans says it should."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.kept import stored_once
from tests.pages.spans import recorded
from traces.store.figures import TraceFigures
from traces.store.queries.filters import TraceFilter
from traces.store.queries.scopes import whole_time
from traces.store.queries.trace_list import totals, trace_page

from . import naive

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

Filters = dict[TraceFilter, Callable[[TraceFigures], object]]
PAYLOADS = ("agentops-0.4.21-session", "litellm-1.106.2-mixed", "litellm-1.106.2-semconv")


def filters_around(some: TraceFigures) -> Filters:
    """Filters that a trace of the list lies on the edge of, and what each means."""
    agent = next(iter(some.agents), "none")
    user, session = some.user_id or "none", some.session_id or "none"
    cost = some.cost.reported or Decimal("0.00001")
    known: Callable[[TraceFigures], Decimal] = lambda trace: trace.cost.reported or Decimal(0)  # noqa: E731
    return {
        TraceFilter(agent=agent): lambda trace: agent in trace.agents,
        TraceFilter(user=user): lambda trace: trace.user_id == user,
        TraceFilter(session=session): lambda trace: trace.session_id == session,
        TraceFilter(service=some.service): lambda trace: trace.service == some.service,
        TraceFilter(has_errors=True): lambda trace: trace.error_count > 0,
        TraceFilter(has_errors=False, llm_only=True): lambda trace: not trace.error_count and trace.llm_calls,
        TraceFilter(min_duration_ns=some.duration_ns): lambda trace: trace.duration_ns >= some.duration_ns,
        TraceFilter(max_duration_ns=some.duration_ns): lambda trace: trace.duration_ns <= some.duration_ns,
        TraceFilter(min_cost=cost): lambda trace: not trace.cost.is_unknown and known(trace) >= cost,
        TraceFilter(max_cost=cost): lambda trace: not trace.cost.is_unknown and known(trace) <= cost,
        TraceFilter(guardrail="blocked"): lambda trace: trace.blocked_runs,
        TraceFilter(guardrail="masked"): lambda trace: trace.masked_runs,
        TraceFilter(guardrail="failed"): lambda trace: trace.failed_runs,
    }


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_filter_finds_the_traces_that_fit_and_no_others(payload: str) -> None:
    project_id = stored_once(recorded(payload))
    expected = naive.figures(project_id)
    some = max(expected, key=lambda trace: (trace.session_id, trace.user_id, trace.llm_calls))

    for wanted, fits in filters_around(some).items():
        traces = [trace for trace in expected if fits(trace)]
        assert trace_page(whole_time(project_id), wanted, None, size=1000).traces == traces, wanted
        assert totals(whole_time(project_id), wanted).traces == len(traces)
        assert wanted


@pytest.mark.parametrize("name", ["text", "model", "agent", "user", "session", "service"])
@pytest.mark.parametrize("value", ["' OR 1=1 --", "{project_id:String}", "\\", "%", "\n\t", "모델"])
def test_text_of_any_kind_means_itself(name: str, value: str) -> None:
    project_id = stored_once(recorded("agentops-0.4.21-session"))

    values: dict[str, Any] = {name: value}
    assert trace_page(whole_time(project_id), replace(TraceFilter(), **values), None).traces == []


def test_filters_add_up() -> None:
    project_id = stored_once(recorded("litellm-1.106.2-mixed"))
    traces = naive.figures(project_id)
    some = next(trace for trace in traces if trace.blocked_runs)

    wanted = TraceFilter(guardrail="blocked", text=some.trace_id, service=some.service, min_duration_ns=1)
    assert trace_page(whole_time(project_id), wanted, None).traces == [some]
    assert trace_page(whole_time(project_id), TraceFilter(text=some.trace_id, guardrail="flagged"), None).traces == []
