"""What tools say of recorded runs is what the pages say, and what the recordings hold."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from agentops_portal.clickhouse.gate import Scope
from tests.cast import Cast
from tests.kept import give_recorded
from tests.pages.spans import RECORDED_DAY, Spanlet, store_trace
from traces.store.queries import guardrails, usage
from traces.store.queries.filters import TraceFilter
from traces.store.queries.trace_list import totals, trace_page

from .conftest import Agent

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]

DAY = {"start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z"}
PAYLOADS = ["litellm-1.106.2-mixed", "litellm-1.106.2-failures", "agentops-0.4.21-session"]


@pytest.fixture
def scope(cast: Cast) -> Scope:
    give_recorded(cast.project, *PAYLOADS)
    return Scope(cast.project.pk, datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC))


def test_the_list_holds_the_traces_of_the_page_and_their_figures(agent: Agent, scope: Scope) -> None:
    found = agent.ask("search_traces", **DAY, limit=100)

    page = trace_page(scope, TraceFilter(), None, 100).traces
    assert len(page) > 10
    assert [trace["trace_id"] for trace in found["traces"]] == [trace.trace_id for trace in page]
    for told, trace in zip(found["traces"], page, strict=True):
        assert told["name"] == trace.name
        assert told["status"] == trace.status
        assert told["duration_ms"] == pytest.approx(trace.duration_ns / 1e6, abs=1e-3)
        assert (told["span_count"], told["error_count"]) == (trace.span_count, trace.error_count)
        assert told["llm_calls"] == trace.llm_calls
        assert told["tokens"]["total"] == trace.total_tokens
        assert told["cost"]["unknown_calls"] == trace.cost.unknown_calls
        assert told["cost"]["usd"] == (None if trace.cost.reported is None else float(trace.cost.reported))
        assert told["models"] == list(trace.models)
        assert told["guardrail"] == trace.guardrail
    sums = totals(scope, TraceFilter())
    assert found["totals"]["traces"] == sums.traces == len(page)
    assert found["totals"]["llm_calls"] == sums.llm_calls
    assert found["totals"]["total_tokens"] == sums.total_tokens
    assert Decimal(str(found["totals"]["cost"]["usd"])) == sums.cost.reported


def test_the_session_of_the_recording_says_what_it_did(agent: Agent, cast: Cast, client: Client) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    [trace] = agent.ask("search_traces", **DAY)["traces"]
    detail = agent.ask("get_trace", trace_id=trace["trace_id"])

    assert (trace["name"], trace["models"]) == ("research-run.session", ["gpt-4o-mini"])
    assert (trace["span_count"], trace["error_count"], trace["llm_calls"]) == (8, 1, 1)
    assert trace["tokens"] == {"input": 12, "output": 8, "cached_input": 0, "reasoning": 0, "total": 20}
    assert detail["trace"] == trace
    assert len(detail["spans"]) == trace["span_count"] == detail["matching_spans"]
    assert (detail["spans"][0]["name"], detail["spans"][0]["depth"]) == ("research-run.session", 0)
    assert sum(span["status"] == "Error" for span in detail["spans"]) == trace["error_count"]
    client.force_login(cast.alice)
    assert client.get(trace["url"].removeprefix("http://localhost:8003")).status_code == 200
    assert trace["name"].encode() in client.get(f"/projects/{cast.project.pk}/traces/{RECORDED_DAY}").content


def test_pages_follow_each_other(agent: Agent, scope: Scope) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        found = agent.ask("search_traces", **DAY, limit=5, cursor=cursor)
        seen += [trace["trace_id"] for trace in found["traces"]]
        cursor = found["next_cursor"]
        if not cursor:
            break

    assert seen == [trace.trace_id for trace in trace_page(scope, TraceFilter(), None, 100).traces]


@pytest.mark.parametrize(
    "arguments",
    [
        {"status": "error"},
        {"status": "ok", "llm_only": True},
        {"text": "RESEARCH"},
        {"model": "gpt-4o-mini-2024-07-18"},
        {"has_errors": True},
        {"guardrail": "blocked"},
        {"min_duration_ms": 50},
        {"min_cost_usd": "0.00001"},
        {"service": "agentops"},
        {"tag": "team-a"},
    ],
    ids=lambda arguments: "-".join(arguments),
)
def test_filters_leave_what_fits_and_nothing_else(agent: Agent, scope: Scope, arguments: dict[str, Any]) -> None:
    every = agent.ask("search_traces", **DAY, limit=100)["traces"]
    fits = {
        "status": lambda trace, value: trace["status"] == value,
        "llm_only": lambda trace, value: trace["llm_calls"] > 0,
        "text": lambda trace, value: value.lower() in trace["name"].lower(),
        "model": lambda trace, value: value.removesuffix("-2024-07-18") in trace["models"],
        "has_errors": lambda trace, value: (trace["error_count"] > 0) == value,
        "guardrail": lambda trace, value: trace["guardrail"] == value,
        "min_duration_ms": lambda trace, value: trace["duration_ms"] >= value,
        "min_cost_usd": lambda trace, value: (trace["cost"]["usd"] or 0) >= float(value),
        "service": lambda trace, value: trace["service"] == value,
        "tag": lambda trace, value: value in trace["tags"],
    }

    found = agent.ask("search_traces", **DAY, limit=100, **arguments)

    expected = [
        trace["trace_id"] for trace in every if all(fits[name](trace, value) for name, value in arguments.items())
    ]
    assert expected
    assert [trace["trace_id"] for trace in found["traces"]] == expected
    assert found["totals"]["traces"] == len(expected)


def test_usage_is_that_of_the_overview(agent: Agent, scope: Scope) -> None:
    summary = agent.ask("usage_summary", **DAY, step="hour", timezone="Asia/Seoul")

    total = usage.usage_total(scope)
    assert total.calls > 10
    assert summary["total"]["llm_calls"] == total.calls
    assert summary["total"]["tokens"]["total"] == total.total_tokens
    assert Decimal(str(summary["total"]["cost"]["usd"])) == total.cost.reported
    assert total.latency is not None
    assert summary["total"]["latency"]["p95_ms"] == pytest.approx(total.latency.p95 / 1e6, abs=1e-3)
    by_model = usage.usage_by(scope, "model")
    assert [group["name"] for group in summary["groups"]] == list(by_model)
    assert sum(group["usage"]["llm_calls"] for group in summary["groups"]) == total.calls
    assert len(summary["steps"]) == 24
    assert summary["steps"][0]["start"] == "2026-11-23T09:00:00+09:00"
    assert sum(step["usage"]["llm_calls"] for step in summary["steps"]) == total.calls


def test_usage_says_the_quarters_of_an_hour_that_it_counts(agent: Agent, scope: Scope) -> None:
    summary = agent.ask("usage_summary", start="2026-11-23T01:07:00Z", end="2026-11-23T01:30:00.5Z", group_by="none")

    assert summary["range"] == {"start": "2026-11-23T01:00:00Z", "end": "2026-11-23T01:45:00Z"}
    assert (summary["groups"], summary["steps"]) == ([], [])


def test_guardrails_are_those_of_the_ledger(agent: Agent, scope: Scope) -> None:
    summary = agent.ask("guardrail_summary", **DAY)

    uses = guardrails.guardrail_use(scope)
    assert uses
    assert [(each["guardrail"], each["mode"], each["runs"], each["blocked"]) for each in summary["guardrails"]] == [
        (use.guardrail, use.mode, use.runs, use.blocked) for use in uses
    ]
    traces = guardrails.guarded_traces(scope)
    assert summary["coverage"] == pytest.approx(traces.coverage)
    assert summary["blocked_traces"] == traces.with_blocks
    runs = guardrails.guardrail_runs(scope, 1000)
    assert [(run["span_id"], run["outcome"]) for run in summary["runs"]] == [
        (run.span_id, run.outcome) for run in runs if run.outcome != "allowed"
    ][:20]
    blocked = agent.ask("guardrail_summary", **DAY, outcomes=["blocked"], limit=100)["runs"]
    assert len(blocked) == sum(use.blocked for use in uses) > 0


def test_a_cost_that_nobody_knows_is_null_and_counted(agent: Agent, cast: Cast) -> None:
    chat: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "private-model",
        "gen_ai.usage.input_tokens": 10,
    }
    store_trace(cast.project.pk, [Spanlet("ask", attributes=chat)])

    [trace] = agent.ask("search_traces")["traces"]

    unknown = {"usd": None, "computed_usd": None, "unknown_calls": 1, "saved_usd": None}
    assert trace["cost"] == unknown | {"discounts": []}
    assert "cost unknown" in agent.text("search_traces")
    assert "cost unknown" in agent.text("usage_summary", last="1h")


def test_text_and_structure_say_the_same(agent: Agent, scope: Scope) -> None:
    answer = agent.call("search_traces", **DAY, limit=3)
    [content] = answer.content

    assert content.type == "text"
    lines = content.text.splitlines()
    assert answer.structured_content is not None
    found = answer.structured_content
    assert lines[0].startswith(f"{found['totals']['traces']} traces from 2026-11-23T00:00:00+00:00 to 2026-11-24T00")
    assert [line.split()[0] for line in lines[1:4]] == [trace["trace_id"] for trace in found["traces"]]
    assert lines[4] == f"Older ones: cursor={found['next_cursor']}"
