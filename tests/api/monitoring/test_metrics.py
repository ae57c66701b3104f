"""Figures of a recorded day of LiteLLM 1.106, counted by hand in the body's spans."""

from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give_recorded
from tests.pages.spans import Spanlet, Value, store_trace

from .stored import address

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_795_422_415_000_000_000  # 2026-11-23T08:26:55Z
ERROR = 2
LLM: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}


@pytest.fixture
def mixed(cast: Cast) -> None:
    give_recorded(cast.project, "litellm-1.106.2-mixed")


def ask(get: Get, cast: Cast, path: str = "metrics", **query: Any) -> Any:
    answer = get(address(path, cast.project.pk, **query), person="bob")
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.usefixtures("mixed")
def test_metrics_of_a_recorded_day(cast: Cast, get: Get) -> None:
    # Durations in ms: 12.925598 14.130321 17.09441 17.69309 18.052646 351.510992 598.158721 690.174682 2292.942749
    assert ask(get, cast) == {
        "trace_count": 9,
        "error_trace_count": 4,
        "span_count": 103,
        "error_count": 13,
        "llm_call_count": 6,  # two were blocked before a model was asked
        "agent_call_count": 0,
        "total_cost": pytest.approx(1.35e-05 + 6.45e-06 + 1.35e-05, rel=1e-12),
        "unknown_cost_calls": 3,
        "prompt_tokens": 10 + 11 + 10 + 10,
        "completion_tokens": 20 + 8 + 20 + 20,
        "total_tokens": 109,
        "cache_read_input_tokens": 0,
        "reasoning_tokens": 0,
        "avg_duration": pytest.approx(445.853690, abs=1e-6),
        "p50_duration": 18.052646,
        "p95_duration": pytest.approx(690.174682 + 0.6 * (2292.942749 - 690.174682)),
        "p99_duration": pytest.approx(690.174682 + 0.92 * (2292.942749 - 690.174682)),
    }


def test_metrics_of_the_litellm_of_the_guides_time(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.80.5")

    # Of 12 spans that look like calls two are of requests that a wrong key stopped before there was a call, and four of
    # two that a guardrail did. Tokens: 3 x (42, 17), (10, 20) and an embedding of 6.
    found = ask(get, cast)

    assert {name: found[name] for name in ("trace_count", "span_count", "error_count", "llm_call_count")} == {
        "trace_count": 11,
        "span_count": 63,
        "error_count": 12,
        "llm_call_count": 6,
    }
    assert (found["prompt_tokens"], found["completion_tokens"], found["total_tokens"]) == (142, 71, 213)
    assert found["total_cost"] == pytest.approx(3 * 1.59e-05 + 1.4e-05 + 1.2e-07, rel=1e-12)
    assert found["unknown_cost_calls"] == 1


def test_metrics_of_a_recorded_day_of_failures(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.106.2-failures")

    found = ask(get, cast)
    [fallback] = ask(get, cast, "traces", search="0a33fb")["traces"]

    assert (found["trace_count"], found["span_count"], found["error_count"]) == (16, 208, 29)
    assert (found["llm_call_count"], found["unknown_cost_calls"]) == (12, 7)
    assert found["total_cost"] == pytest.approx(3 * 1.59e-05 + 1.2e-07 + 1.35e-05, rel=1e-12)
    assert (fallback["status"], fallback["llm_call_count"]) == ("success", 2)
    assert fallback["error_count"] > 0


@pytest.mark.usefixtures("mixed")
def test_trends_add_up_to_the_metrics(cast: Cast, get: Get) -> None:
    metrics = ask(get, cast)
    for interval in ("hour", "day", "week"):
        cost = ask(get, cast, "analytics/cost-trend", interval=interval)
        tokens = ask(get, cast, "analytics/token-usage", interval=interval)

        assert sum(each["cost"] for each in cost) == pytest.approx(metrics["total_cost"], rel=1e-12)
        assert sum(each["unknown_cost_calls"] for each in cost) == metrics["unknown_cost_calls"]
        assert sum(each["prompt_tokens"] for each in tokens) == metrics["prompt_tokens"]
        assert sum(each["completion_tokens"] for each in tokens) == metrics["completion_tokens"]


@pytest.mark.usefixtures("mixed")
def test_a_cost_is_what_its_client_reported(cast: Cast, get: Get) -> None:
    [row] = ask(get, cast, "traces", search="95c31d28b21739cb93431e8f9e5df0a6")["traces"]

    assert row["total_cost"] == 6.45e-06  # 11 and 8 tokens of gpt-4o-mini, sent as 6.449999999999999e-06
    assert (row["prompt_tokens"], row["completion_tokens"], row["total_tokens"]) == (11, 8, 19)


@pytest.mark.usefixtures("mixed")
def test_an_unknown_cost_is_counted_and_not_estimated(cast: Cast, get: Get) -> None:
    [row] = ask(get, cast, "traces", search="0bc4ed10adf7267627b4fcf03e4879ad")["traces"]

    assert (row["total_cost"], row["unknown_cost_calls"], row["total_tokens"]) == (0, 1, 30)


@pytest.mark.usefixtures("mixed")
def test_an_error_status_is_seen_however_it_is_written(cast: Cast, get: Get) -> None:
    metrics = ask(get, cast)
    statuses = [trace["status"] for trace in ask(get, cast, "analytics/performance")]

    assert metrics["error_count"] == 13  # the store holds "Error"
    assert statuses == ["error", "error", "success", "error", "error", "success", "success", "success", "success"]
    assert metrics["error_trace_count"] == statuses.count("error")


def test_a_fallback_that_worked_leaves_a_trace_that_is_fine(cast: Cast, get: Get) -> None:
    store_trace(
        cast.project.pk,
        [
            Spanlet("request", 1, 0, 0, 10, status=1),
            Spanlet("first", 2, 1, 0, 4, status=ERROR, attributes=LLM),
            Spanlet("second", 3, 1, 4, 10, attributes=LLM),
        ],
        start_ns=START,
    )

    metrics = ask(get, cast)
    [row] = ask(get, cast, "traces")["traces"]

    assert (metrics["error_trace_count"], metrics["error_count"], metrics["llm_call_count"]) == (0, 1, 2)
    assert (row["status"], row["error_count"]) == ("success", 1)


def test_tokens_and_cost_of_a_call_that_two_spans_describe_count_once(cast: Cast, get: Get) -> None:
    usage: dict[str, Value] = {
        "gen_ai.usage.prompt_tokens": 40,
        "gen_ai.usage.completion_tokens": 2,
        "llm.usage.total_tokens": 42,
    }
    priced: dict[str, Value] = {**LLM, **usage, "gen_ai.cost.total_cost": 0.5}
    raw = {"llm.openai.messages": "[]", "llm.openai.usage": "{'prompt_tokens': 40, 'completion_tokens': 2}"}
    store_trace(
        cast.project.pk,
        [Spanlet("litellm_request", 1, attributes=priced), Spanlet("raw_gen_ai_request", 2, 1, attributes=raw)],
        start_ns=START,
    )

    metrics = ask(get, cast)

    assert (metrics["prompt_tokens"], metrics["completion_tokens"], metrics["total_tokens"]) == (40, 2, 42)
    assert (metrics["total_cost"], metrics["llm_call_count"]) == (0.5, 1)
    [bucket] = ask(get, cast, "analytics/token-usage")
    assert (bucket["prompt_tokens"], bucket["completion_tokens"]) == (40, 2)


def test_cached_and_reasoning_tokens_are_parts_and_not_added(cast: Cast, get: Get) -> None:
    usage: dict[str, Value] = {
        **LLM,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 80,
        "gen_ai.usage.reasoning.output_tokens": 30,
    }
    store_trace(cast.project.pk, [Spanlet("call", attributes=usage)], start_ns=START)

    metrics = ask(get, cast)
    [bucket] = ask(get, cast, "analytics/token-usage")

    assert (metrics["prompt_tokens"], metrics["completion_tokens"], metrics["total_tokens"]) == (100, 50, 150)
    assert (metrics["cache_read_input_tokens"], metrics["reasoning_tokens"]) == (80, 30)
    assert (bucket["prompt_tokens"], bucket["completion_tokens"], bucket["cache_hits"]) == (100, 50, 80)


def test_an_answer_from_the_cache_costs_nothing(cast: Cast, get: Get) -> None:
    hit: dict[str, Value] = {**LLM, "gen_ai.cost.total_cost": 0.25, "hidden_params": '{"cache_key": "abc"}'}
    store_trace(cast.project.pk, [Spanlet("hit", attributes=hit)], start_ns=START)

    assert ask(get, cast)["total_cost"] == 0
    assert ask(get, cast)["unknown_cost_calls"] == 0


def test_a_duration_is_no_sum_of_nested_spans_and_keeps_its_fraction(cast: Cast, get: Get) -> None:
    trace = store_trace(
        cast.project.pk,
        [Spanlet("root", 1, end=0.7), Spanlet("child", 2, 1, 0.1, 0.6), Spanlet("grandchild", 3, 2, 0.2, 0.5)],
        start_ns=START,
    )

    assert ask(get, cast)["avg_duration"] == 0.7
    [row] = ask(get, cast, "traces")["traces"]
    assert (row["trace_id"], row["duration"]) == (trace, 0.7)
    [each] = ask(get, cast, "analytics/performance")
    assert (each["duration"], each["duration_ms"]) == (1, 0.7)


def test_agent_calls_are_spans_of_agents_and_no_names(cast: Cast, get: Get) -> None:
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Planner"}
    spanlets = [
        Spanlet("travel agent booking", 1),
        Spanlet("plan", 2, 1, attributes=agent),
        Spanlet("plan", 3, 1, attributes=agent),
    ]
    store_trace(cast.project.pk, spanlets, start_ns=START)

    assert ask(get, cast)["agent_call_count"] == 2


@pytest.mark.usefixtures("mixed")
def test_the_newest_durations_are_bounded_and_a_summary_has_all(cast: Cast, get: Get) -> None:
    newest = ask(get, cast, "analytics/performance", limit=2)
    summary = ask(get, cast, "analytics/performance-summary")

    assert [each["duration_ms"] for each in newest] == [2292.942749, 17.09441]
    assert newest[0]["timestamp"] == "2026-11-23 08:26:57.142171235"
    assert (summary["trace_count"], summary["error_count"], summary["error_rate"]) == (9, 4, 44.44)
    counts = [each["count"] for each in summary["histogram"]]
    assert len(counts) == 20
    assert {number: count for number, count in enumerate(counts) if count} == {0: 5, 2: 1, 5: 2, 19: 1}
    assert summary["histogram"][0]["start"] == 12.925598
    assert summary["histogram"][-1]["end"] == pytest.approx(2292.942749)


def test_traces_of_one_length_lie_in_one_bin(cast: Cast, get: Get) -> None:
    for number in (1, 2):
        store_trace(cast.project.pk, [Spanlet("same")], number=number, start_ns=START)

    assert [each["count"] for each in ask(get, cast, "analytics/performance-summary")["histogram"]] == [2] + [0] * 19


def test_a_server_span_s_answer_decides_where_the_root_says_nothing(cast: Cast, get: Get) -> None:
    failed: dict[str, Value] = {"http.response.status_code": 500}
    store_trace(
        cast.project.pk,
        [Spanlet("POST /chat", kind=Span.SPAN_KIND_SERVER, attributes=failed)],
        start_ns=START,
    )

    assert ask(get, cast)["error_trace_count"] == 1
    assert ask(get, cast)["error_count"] == 0


@pytest.mark.usefixtures("mixed")
def test_figures_of_one_type_of_traces(cast: Cast, get: Get) -> None:
    metrics = ask(get, cast, trace_type="llm")

    assert (metrics["trace_count"], metrics["span_count"]) == (6, 79)  # without the health probe, and what was blocked
    assert len(ask(get, cast, "analytics/performance", trace_type="llm")) == 6
    summary = ask(get, cast, "analytics/performance-summary", trace_type="llm")
    assert (summary["trace_count"], summary["error_rate"]) == (6, pytest.approx(100 * 2 / 6, abs=0.1))
    assert sum(each["count"] for each in summary["histogram"]) == 6
    assert ask(get, cast, trace_type="agent")["trace_count"] == 0
    [bucket] = ask(get, cast, "analytics/cost-trend", trace_type="agent")
    assert (bucket["cost"], bucket["unknown_cost_calls"]) == (0, 0)
