from typing import Any

import pytest

from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give_recorded
from tests.pages.spans import MS, Spanlet, Value, store_trace

from .stored import address

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_795_422_415_123_456_789  # 2026-11-23T08:26:55.123456789Z
LLM: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}


def replay_of(get: Get, trace: str) -> Any:
    answer = get(address(f"replay/{trace}"), person="bob")
    assert answer.status_code == 200, answer.content
    return answer.json()


def events_of(get: Get, cast: Cast, *spanlets: Spanlet) -> list[Any]:
    return list(replay_of(get, store_trace(cast.project.pk, spanlets, start_ns=START))["events"])


def test_times_are_milliseconds_with_their_fractions(cast: Cast, get: Get) -> None:
    spanlets = [Spanlet("root", 1, end=10.5), Spanlet("late", 2, 1, 0.25, 20.125), Spanlet("last", 3, 1, 9, 9.5)]

    film = replay_of(get, store_trace(cast.project.pk, spanlets, start_ns=START))

    assert film["timeline"] == [0, 0.25, 9]
    assert [event["relative_time"] for event in film["events"]] == film["timeline"]
    assert [event["timestamp"] for event in film["events"]] == [
        "2026-11-23T08:26:55.123456",
        "2026-11-23T08:26:55.123706",
        "2026-11-23T08:26:55.132456",
    ]
    assert film["total_duration"] == 20.125  # the latest end, not that of the span which started last
    assert film["start_time"] == START // 1000 / 1000
    assert film["events"][1]["data"]["duration"] == 19.875


def test_what_a_recorded_agent_did(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    film = replay_of(get, "da3ddb1b0c511473c4cfcfa4e671121b")

    assert [(event["type"], event["span_name"]) for event in film["events"]] == [
        ("span_start", "research-run.session"),
        ("decision", "no_pii.guardrail"),
        ("decision", "no_pii.guardrail"),
        ("span_start", "Researcher.agent"),
        ("span_start", "think.task"),
        ("tool_use", "search.tool"),
        ("llm_call", "openai.chat.completion"),
        ("error", "fail.task"),
    ]
    tool, call, error = (film["events"][number]["data"] for number in (5, 6, 7))
    assert (tool["tool_name"], tool["status"], tool["duration"]) == ("search", "success", 0.047321)
    assert "capital of Korea?" in tool["input"]
    assert '"r1"' in tool["output"]
    assert call == {
        "model": "gpt-4o-mini-2024-07-18",
        "prompt": "brief\ncapital of Korea?",
        "response": "Seoul is the capital of Korea.",
        "prompt_tokens": 12,
        "completion_tokens": 8,
        "total_tokens": 20,
        "cost": 0,
        "cost_known": False,
        "latency": 95.211098,
        "status": "success",
        "error_message": None,
    }
    assert (error["error_type"], error["error_message"]) == ("ValueError", "boom")
    assert error["stack_trace"].startswith("Traceback (most recent call last)")
    assert error["span_id"] == film["events"][7]["span_id"]


def test_a_guardrail_is_a_decision_with_its_outcome(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    allowed, blocked = (replay_of(get, "da3ddb1b0c511473c4cfcfa4e671121b")["events"][n]["data"] for n in (1, 2))

    assert (allowed["selected_option"], blocked["selected_option"]) == ("allowed", "blocked")
    assert blocked["alternatives"] == ["allowed", "masked", "flagged", "failed"]
    assert (blocked["decision_type"], blocked["guardrail"], blocked["mode"]) == ("guardrail", "no_pii", "input")
    assert "tripwire_triggered" in blocked["reasoning"]


def test_one_call_of_litellm_is_one_event_with_tokens_and_cost(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.106.2-mixed")

    events = replay_of(get, "95c31d28b21739cb93431e8f9e5df0a6")["events"]

    calls = [event["data"] for event in events if event["type"] == "llm_call"]
    assert len(events) == 13
    assert [(call["total_tokens"], call["cost"], call["cost_known"]) for call in calls] == [(19, 6.45e-06, True)]
    assert calls[0]["prompt"]
    assert calls[0]["response"]


@pytest.mark.parametrize(
    "spanlet",
    [
        Spanlet("chat with the tool of the llm"),
        Spanlet("plain", attributes={"note": "gen_ai decision llm tool"}),
        Spanlet("decision", attributes={"decision": "left"}),
        Spanlet("tool", attributes={"gen_ai_like": "x"}),
    ],
    ids=["name", "text of an attribute", "key of an attribute", "tool in the name"],
)
def test_words_in_names_and_attributes_make_no_event_of_another_kind(cast: Cast, get: Get, spanlet: Spanlet) -> None:
    [event] = events_of(get, cast, spanlet)

    assert event["type"] == "span_start"
    assert event["data"] == {
        "span_id": event["span_id"],
        "span_name": spanlet.name,
        "status": "Unset",
        "duration": 10,
    }


def test_numbered_prompts_are_read(cast: Cast, get: Get) -> None:
    said = {
        "gen_ai.prompt.1.content": "Which city?",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.0.role": "system",
        "gen_ai.completion.0.content": "Seoul.",
        "gen_ai.completion.0.role": "assistant",
    }

    [event] = events_of(get, cast, Spanlet("call", attributes={**LLM, **said}))

    assert (event["data"]["prompt"], event["data"]["response"]) == ("Be brief.\nWhich city?", "Seoul.")


def test_an_answer_that_only_calls_tools_is_shown_as_calls(cast: Cast, get: Get) -> None:
    answer = (
        '[{"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "weather",'
        ' "arguments": {"city": "Seoul"}}], "finish_reason": "tool_call"}]'
    )

    [event] = events_of(get, cast, Spanlet("call", attributes={**LLM, "gen_ai.output.messages": answer}))

    assert event["data"]["response"].startswith("weather(")
    assert "Seoul" in event["data"]["response"]


def test_a_failed_call_and_a_failed_tool_say_why(cast: Cast, get: Get) -> None:
    raised: list[tuple[str, dict[str, Value]]] = [
        ("exception", {"exception.type": "RateLimitError", "exception.message": "slow down"})
    ]
    call, tool = events_of(
        get,
        cast,
        Spanlet("call", 1, status=2, events=raised, attributes={**LLM, "error.message": "other"}),
        Spanlet("tool", 2, 1, 1, 2, status=2, message="no network", attributes={"gen_ai.tool.name": "search"}),
    )

    assert (call["type"], call["data"]["status"], call["data"]["error_message"]) == ("llm_call", "error", "slow down")
    assert (tool["type"], tool["data"]["status"], tool["data"]["error_message"]) == ("tool_use", "error", "no network")


def test_an_error_without_an_exception_has_its_status_message(cast: Cast, get: Get) -> None:
    [event] = events_of(get, cast, Spanlet("step", status=2, message="it broke"))

    assert event["data"] == {
        "error_type": "Error",
        "error_message": "it broke",
        "stack_trace": None,
        "span_id": event["span_id"],
    }


def test_an_answer_from_the_cache_cost_nothing_and_that_is_known(cast: Cast, get: Get) -> None:
    hit = {**LLM, "gen_ai.cost.total_cost": 0.25, "hidden_params": '{"cache_key": "abc"}'}

    [event] = events_of(get, cast, Spanlet("call", attributes=hit))

    assert (event["data"]["cost"], event["data"]["cost_known"]) == (0, True)


def test_an_agents_decision_is_one(cast: Cast, get: Get) -> None:
    said: dict[str, Value] = {
        "agentops.span.kind": "agent.decision",
        "agentops.agent.input": '"left or right?"',
        "agentops.agent.output": '"left"',
    }

    [event] = events_of(get, cast, Spanlet("choose", attributes=said))

    assert (event["type"], event["data"]["decision_type"]) == ("decision", "agent")
    assert "left" in event["data"]["selected_option"]


def test_the_first_span_counts_from_the_start_of_the_trace(cast: Cast, get: Get) -> None:
    spanlets = [Spanlet("root", 1, 0, start=3, end=5), Spanlet("early", 2, 1, 0, 1)]
    trace = store_trace(cast.project.pk, spanlets, start_ns=START)

    film = replay_of(get, trace)

    assert [(event["span_name"], event["relative_time"]) for event in film["events"]] == [("early", 0), ("root", 3)]
    assert film["start_time"] == pytest.approx(START / MS)
