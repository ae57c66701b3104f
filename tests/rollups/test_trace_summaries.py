"""What pages read from the roll-up is what a scan of all spans gives, however the spans arrive."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import datetime_of
from tests.pages.spans import MS, Spanlet, recorded, request_of, store, trace_id
from traces.store.figures import TraceFigures
from traces.store.queries.filters import TraceFilter
from traces.store.queries.scopes import whole_time
from traces.store.queries.trace_detail import trace_scope
from traces.store.queries.trace_list import Cursor, newest_trace, totals, trace_page

from . import naive
from .arrivals import DAY_NS, copied_by_a_collector, send, sent_once, spread_over_days
from .conftest import PAYLOADS

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

Sql = Callable[..., list[tuple[object, ...]]]
ERROR = 2
LLM = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
MIDNIGHT = 20_000 * DAY_NS  # 2024-10-04
MINUTE = 60_000  # milliseconds, the unit of a Spanlet


def listed(
    project_id: UUID, wanted: TraceFilter | None = None, scope: Scope | None = None, size: int = 4
) -> list[TraceFigures]:
    """All pages, small ones."""
    found: list[TraceFigures] = []
    cursor: Cursor | None = None
    while True:
        page = trace_page(scope or whole_time(project_id), wanted or TraceFilter(), cursor, size=size)
        found += page.traces
        cursor = page.next_cursor
        if cursor is None:
            return found


def check(project_id: UUID, scope: Scope | None = None) -> None:
    """List, totals and filters of a project against the scan."""
    scope = scope or whole_time(project_id)
    first, end = (int(moment.timestamp() * 10**6) * 1000 for moment in (scope.start, scope.end))
    expected = naive.figures_in(project_id, first, end)
    spans = naive.traces_of(naive.spans_of(project_id))
    model = next((trace.models[0] for trace in expected if trace.models), "none")
    text = expected[0].name[1:6].upper() if expected else "x"
    filters = {
        TraceFilter(): lambda trace: True,
        TraceFilter(status="error"): lambda trace: trace.status == "error",
        TraceFilter(status="ok", llm_only=True): lambda trace: trace.status == "ok" and trace.llm_calls > 0,
        TraceFilter(model=model): lambda trace: model in trace.models,
        TraceFilter(text=text): lambda trace: any(
            text.lower() in span["SpanName"].lower() for span in spans[trace.trace_id]
        ),
    }
    for wanted, fits in filters.items():
        traces = [trace for trace in expected if fits(trace)]
        assert listed(project_id, wanted, scope) == traces, wanted
        sums = totals(scope, wanted)
        assert sums.traces == len(traces)
        assert sums.error_traces == sum(trace.status == "error" for trace in traces)
        assert sums.spans == sum(trace.span_count for trace in traces)
        assert sums.llm_calls == sum(trace.llm_calls for trace in traces)
        assert sums.total_tokens == sum(trace.total_tokens for trace in traces)
        reported = [trace.cost.reported for trace in traces if trace.cost.reported is not None]
        assert sums.cost.reported == (sum(reported) if reported else None)
        assert sums.cost.unknown_calls == sum(trace.cost.unknown_calls for trace in traces)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_list_is_what_a_scan_of_the_spans_gives(payload: str) -> None:
    project_id = sent_once(recorded(payload))

    assert listed(project_id)
    check(project_id)


@pytest.mark.parametrize("seed", range(2))
def test_traces_that_lie_on_several_days_are_listed_once_and_whole(seed: int) -> None:
    project_id = sent_once(spread_over_days(recorded("litellm-1.106.2-mixed"), seed), seed, requests=10)

    check(project_id)
    starts = sorted(trace.start_ns for trace in listed(project_id))
    edges = {starts[0], starts[len(starts) // 2], starts[-1]}
    for start in map(datetime_of, edges):  # a trace as the first and as the last one of a range
        check(project_id, Scope(project_id, start, start + timedelta(days=1)))
        check(project_id, Scope(project_id, start - timedelta(days=20), start))
    everything = listed(project_id)
    for start in map(datetime_of, starts):  # and every trace at the edge of a list
        after = listed(project_id, scope=Scope(project_id, start, start + timedelta(days=400)), size=200)
        assert after == [trace for trace in everything if datetime_of(trace.end_ns) >= start]


def test_merging_changes_nothing(project_id: UUID, sql: Sql) -> None:
    send(project_id, spread_over_days(recorded("litellm-1.106.2-semconv"), 1), seed=2, requests=8)
    before = listed(project_id)

    sql("OPTIMIZE TABLE trace_summaries FINAL")

    assert listed(project_id) == before
    check(project_id)


def test_a_collector_that_writes_spans_itself_fills_the_roll_up(project_id: UUID, sql: Sql) -> None:
    send(project_id, recorded("litellm-1.80.5"), seed=1)
    other = uuid4()

    copied_by_a_collector(sql, project_id, other)

    assert listed(other) == listed(project_id)
    check(other)


def test_a_trace_starts_where_its_first_span_does_even_when_that_arrives_last(project_id: UUID) -> None:
    for spanlet in (
        Spanlet("third", 3, 1, start=3 * MINUTE, end=4 * MINUTE, attributes=LLM),
        Spanlet("second", 2, 1, start=MINUTE, end=2 * MINUTE),
        Spanlet("root", 1, start=-5 * MINUTE, end=5 * MINUTE),
    ):
        store(project_id, request_of({1: [spanlet]}, MIDNIGHT))

    [trace] = listed(project_id)

    assert (trace.name, trace.span_count, trace.llm_calls) == ("root", 3, 1)
    assert trace.start_ns == MIDNIGHT - 5 * MINUTE * MS
    assert trace.duration_ns == 10 * MINUTE * MS
    scope = trace_scope(project_id, trace_id(1))
    assert scope is not None
    assert (scope.start, scope.end) == (
        datetime_of(trace.start_ns),
        datetime_of(trace.end_ns) + timedelta(microseconds=1),
    )


def test_two_roots_on_different_days_are_one_trace(project_id: UUID) -> None:
    day = 24 * 60 * MINUTE
    for number, start in enumerate((3 * day, 0, day), start=1):
        store(project_id, request_of({1: [Spanlet(f"root {number}", number, start=start, end=start + 5)]}, MIDNIGHT))

    [trace] = listed(project_id)

    assert (trace.name, trace.span_count) == ("root 2", 3)
    for first, traces in ((1, 1), (4, 0)):
        later = Scope(project_id, datetime_of(MIDNIGHT + first * DAY_NS), datetime_of(MIDNIGHT + 9 * DAY_NS))
        assert len(trace_page(later, TraceFilter(), None).traces) == traces
        assert totals(later, TraceFilter()).traces == traces
        assert totals(later, TraceFilter(text="root")).traces == traces


def test_a_page_goes_past_any_number_of_late_rows(project_id: UUID, sql: Sql) -> None:
    day = 24 * 60 * MINUTE  # each has a row of its own in the roll-up
    ticks = [Spanlet("tick", number + 1, start=number * day, end=number * day + 1) for number in range(60)]
    store(project_id, request_of({1: ticks}, MIDNIGHT))
    assert sql(f"SELECT count() FROM trace_summaries WHERE project_id = '{project_id}'") == [(60,)]
    store(project_id, request_of({number: [Spanlet("short")] for number in (2, 3)}, {2: MIDNIGHT - 5, 3: MIDNIGHT - 9}))

    assert [trace.trace_id for trace in listed(project_id)] == [trace_id(1), trace_id(2), trace_id(3)]
    newest = newest_trace(project_id)
    assert newest is not None
    assert newest.trace_id == trace_id(1)


def test_filters_look_further_back_until_a_page_is_full(project_id: UUID) -> None:
    now = MIDNIGHT + 40 * DAY_NS
    starts = {number: now - number * DAY_NS for number in range(1, 31)}
    wanted = {number: [Spanlet("rare" if number % 10 == 0 else "often")] for number in starts}
    store(project_id, request_of(wanted, starts))
    scope = Scope(project_id, datetime_of(now - 35 * DAY_NS), datetime_of(now))

    assert [trace.trace_id for trace in listed(project_id, TraceFilter(text="RARE"), scope)] == [
        trace_id(number) for number in (10, 20, 30)
    ]
    assert len(listed(project_id, TraceFilter(text="often"), scope)) == 27
    recent = replace(scope, start=datetime_of(now - 12 * DAY_NS))
    assert [trace.trace_id for trace in listed(project_id, TraceFilter(text="rare"), recent)] == [trace_id(10)]


def test_a_failed_call_that_was_sent_twice_is_one_call(project_id: UUID) -> None:
    # LiteLLM 1.80.5 describes a call that a guardrail stopped by two spans: same parent, start and model.
    twice = [Spanlet("litellm_request", number, 1, 0, 5 * number, status=ERROR, attributes=LLM) for number in (2, 3)]
    for spanlet in (*twice, Spanlet("root", 1), Spanlet("retry", 4, 1, 6, 9, attributes=LLM)):
        store(project_id, request_of({1: [spanlet]}, MIDNIGHT))

    [trace] = listed(project_id)

    assert (trace.llm_calls, trace.error_count, trace.cost.unknown_calls) == (2, 2, 2)
    assert totals(whole_time(project_id), TraceFilter()).llm_calls == 2


def test_an_answer_from_the_cache_costs_nothing_and_says_what_it_saved(project_id: UUID) -> None:
    priced: dict[str, str | float] = {**LLM, "gen_ai.cost.total_cost": 0.25, "gen_ai.usage.input_tokens": 7}
    hit = {**priced, "hidden_params": '{"cache_key": "abc"}'}
    store(project_id, request_of({1: [Spanlet("paid", 1, attributes=priced), Spanlet("hit", 2, attributes=hit)]}, 5))

    [trace] = listed(project_id)

    assert (trace.llm_calls, trace.cache_hits) == (2, 1)
    assert (trace.cost.reported, trace.cost.saved, trace.cost.unknown_calls) == (Decimal("0.25"), Decimal("0.25"), 0)
    assert (trace.input_tokens, trace.total_tokens) == (7, 7)  # of two calls that tell 7


def test_an_answer_from_the_cache_without_a_price_is_no_unknown_cost(project_id: UUID) -> None:
    hit = {**LLM, "hidden_params": '{"cache_key": "abc"}'}
    spans = [Spanlet("hit", 1, attributes=hit), Spanlet("call", 2, attributes=LLM)]
    store(project_id, request_of({1: spans}, MIDNIGHT))

    [trace] = listed(project_id)

    assert (trace.llm_calls, trace.cache_hits, trace.cost.unknown_calls) == (2, 1, 1)
    assert totals(whole_time(project_id), TraceFilter()).cost.unknown_calls == 1


def test_another_project_with_the_same_trace_ids_is_kept_apart(project_id: UUID) -> None:
    other = uuid4()
    store(project_id, request_of({1: [Spanlet("mine")]}, MIDNIGHT))
    store(other, request_of({1: [Spanlet("other"), Spanlet("child", 2, 1)]}, MIDNIGHT - DAY_NS))

    assert [(trace.name, trace.span_count) for trace in listed(project_id)] == [("mine", 1)]
    assert [(trace.name, trace.span_count) for trace in listed(other)] == [("other", 2)]
    assert totals(whole_time(project_id), TraceFilter()).spans == 1


@pytest.mark.parametrize("start_ns", [0, 4_291_747_200 * 10**9 + 1, 2**63 - 2 * DAY_NS], ids=["1970", "2106", "2262"])
def test_times_that_no_calendar_of_32_bits_holds_are_listed(project_id: UUID, start_ns: int) -> None:
    store(project_id, request_of({1: [Spanlet("odd clock")]}, start_ns))

    assert [trace.start_ns for trace in listed(project_id)] == [start_ns]
    start = datetime_of(start_ns)
    [trace] = trace_page(Scope(project_id, start, start + timedelta(seconds=1)), TraceFilter(), None).traces
    assert trace.name == "odd clock"
