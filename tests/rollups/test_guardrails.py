"""The guardrail ledger counts a run once, and as a scan of all spans does, however its spans arrive."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import datetime_of
from tests.pages.spans import MS, Spanlet, recorded, request_of, span_id, store, trace_id
from traces.store.figures import TraceFigures
from traces.store.queries.guardrails import guarded_traces, guardrail_runs, guardrail_use
from traces.store.queries.scopes import whole_time

from . import naive, naive_usage
from .arrivals import DAY_NS, copied_by_a_collector, send, sent_once, spread_over_days
from .conftest import PAYLOADS

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

Sql = Callable[..., list[tuple[object, ...]]]
START = 20_000 * DAY_NS
LLM = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "session.id": "s1", "user.id": "u1"}


def run(status: str, name: str = "pii", mode: str = "pre_call") -> dict[str, str]:
    return {"guardrail_name": name, "guardrail_mode": mode, "guardrail_status": status}


BLOCKED = run("guardrail_intervened")
PASSED = run("success")


def check(scope: Scope, figures: list[TraceFigures] | None = None) -> None:
    """Against the scan; `figures` of all traces, where they have been computed."""
    runs = naive_usage.runs_in(scope)
    assert guardrail_use(scope) == naive_usage.guardrail_use(runs)
    assert guarded_traces(scope) == naive_usage.guarded_traces(scope)
    listed = guardrail_runs(scope, limit=1000)
    found = [
        naive.Run(r.trace_id, r.guardrail, r.mode, r.start_ns, r.start_ns + r.duration_ns, r.outcome) for r in listed
    ]
    assert sorted(map(str, found)) == sorted(map(str, runs))
    newest_first = [(-r.start_ns, r.trace_id) for r in listed]
    assert [start for start, _ in newest_first] == sorted(start for start, _ in newest_first)
    traces = {trace.trace_id: trace for trace in figures or naive.figures(scope.project_id)}
    for each in listed:
        trace = traces[each.trace_id]
        assert (each.models, each.session_id, each.user_id) == (trace.models, trace.session_id, trace.user_id)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_runs_are_what_a_scan_of_the_spans_gives(payload: str) -> None:
    project_id = sent_once(recorded(payload))

    check(whole_time(project_id))


def test_the_recorded_traffic_has_blocked_runs_that_were_sent_twice() -> None:
    project_id = sent_once(recorded("litellm-1.106.2-mixed"))

    spans = [span for span in naive.spans_of(project_id) if span["guardrail_outcome"] == "blocked"]

    assert len(spans) > sum(use.blocked for use in guardrail_use(whole_time(project_id))) > 0


@pytest.mark.parametrize("seed", range(2))
def test_runs_count_in_the_range_in_which_they_start(seed: int) -> None:
    project_id = sent_once(spread_over_days(recorded("litellm-1.106.2-mixed"), seed), seed, requests=10)

    figures = naive.figures(project_id)
    for run_start in sorted(run.start for run in naive_usage.runs_in(whole_time(project_id)))[::2]:
        start = datetime_of(run_start)
        check(Scope(project_id, start, start + timedelta(days=1)), figures)
        check(Scope(project_id, start - timedelta(days=20), start), figures)


@pytest.mark.parametrize("together", [True, False], ids=["one insert", "an insert each"])
@pytest.mark.parametrize("newest_first", [True, False])
def test_a_blocked_run_that_is_sent_twice_is_one_run(project_id: UUID, together: bool, newest_first: bool) -> None:
    spans = [
        Spanlet("root", 1, 0, 0, 30),
        Spanlet("call", 2, 1, 1, 20, attributes=LLM),
        Spanlet("pii", 3, 1, 2, 5, attributes=BLOCKED),
        Spanlet("pii", 4, 2, 2, 5, attributes=BLOCKED),  # the same under another parent
        Spanlet("pii", 5, 2, 6, 9, attributes=PASSED),  # the retry is another run
    ]
    if newest_first:
        spans.reverse()
    for part in [spans] if together else [[span] for span in spans]:
        store(project_id, request_of({1: part}, START))

    check(whole_time(project_id))
    [use] = guardrail_use(whole_time(project_id))
    assert (use.runs, use.blocked, use.allowed, use.block_rate) == (2, 1, 1, 0.5)
    assert (use.p50_ns, use.p95_ns) == (3 * MS, 3 * MS)
    passed, blocked = guardrail_runs(whole_time(project_id))
    assert (passed.outcome, blocked.outcome, blocked.trace_id) == ("allowed", "blocked", trace_id(1))
    assert blocked.span_id in (span_id(3), span_id(4))
    assert (blocked.models, blocked.session_id, blocked.user_id) == (("gpt-4o",), "s1", "u1")


def test_runs_differ_by_trace_guardrail_mode_start_and_end(project_id: UUID) -> None:
    one = [
        Spanlet("pii", 1, 0, 0, 5, attributes=PASSED),
        Spanlet("pii", 2, 0, 0, 6, attributes=PASSED),
        Spanlet("pii", 3, 0, 1, 5, attributes=PASSED),
        Spanlet("pii", 4, 0, 0, 5, attributes=run("success", mode="post_call")),
        Spanlet("toxic", 5, 0, 0, 5, attributes=run("success", name="toxic")),
    ]
    store(project_id, request_of({1: one, 2: one[:1]}, START))

    assert {(use.guardrail, use.mode): use.runs for use in guardrail_use(whole_time(project_id))} == {
        ("pii", "pre_call"): 4,
        ("pii", "post_call"): 1,
        ("toxic", "pre_call"): 1,
    }


def test_coverage_and_block_rate_of_requests(project_id: UUID) -> None:
    call = Spanlet("call", 2, 1, attributes=LLM)
    traces = {
        1: [Spanlet("root", 1), call],
        2: [Spanlet("root", 1), call, Spanlet("pii", 3, 1, attributes=PASSED)],
        3: [
            Spanlet("root", 1),
            call,
            Spanlet("pii", 3, 1, attributes=BLOCKED),
            Spanlet("pii", 4, 2, attributes=PASSED),
        ],
        4: [Spanlet("root", 1), Spanlet("pii", 3, 1, attributes=run("guardrail_failed_to_respond"))],
        5: [Spanlet("root", 1)],
    }
    store(project_id, request_of(traces, START))

    guarded = guarded_traces(whole_time(project_id))

    assert (guarded.with_calls, guarded.with_calls_and_runs) == (3, 2)
    assert (guarded.with_runs, guarded.with_blocks) == (3, 1)
    assert guarded.coverage == pytest.approx(2 / 3)
    assert guarded.block_rate == pytest.approx(1 / 3)


def test_a_project_without_runs_has_no_rates(project_id: UUID) -> None:
    guarded = guarded_traces(whole_time(project_id))

    assert (guarded.coverage, guarded.block_rate) == (None, None)
    assert guardrail_use(whole_time(project_id)) == []
    assert guardrail_runs(whole_time(project_id)) == []


def test_the_ledger_does_not_change_when_its_rows_are_merged(project_id: UUID, sql: Sql) -> None:
    send(project_id, recorded("litellm-1.80.5"), seed=3, requests=15)
    before = guardrail_use(whole_time(project_id))

    sql("OPTIMIZE TABLE guardrail_runs FINAL")

    assert guardrail_use(whole_time(project_id)) == before
    check(whole_time(project_id))


def test_runs_that_a_collector_writes_itself_are_in_the_ledger(project_id: UUID, sql: Sql) -> None:
    send(project_id, recorded("litellm-1.106.2-mixed"), seed=1)
    other = uuid4()

    copied_by_a_collector(sql, project_id, other)

    assert guardrail_use(whole_time(other)) == guardrail_use(whole_time(project_id))
    check(whole_time(other))
