"""What was said in the spans of real clients (tests/payloads/clients), read straight from their bodies."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import pytest

from traces.reading.messages import Conversation, conversation, payload

from .spans import recorded

PARIS = "Paris is the capital of France."
CITY = '{\n  "city": "Paris"\n}'
Line = tuple[str, str, str]
SAYS_PARIS: list[Line] = [("assistant", "text", PARIS)]
CALLS: list[Line] = [("assistant", "tool_call", f"get_weather({CITY})")]


@dataclass(frozen=True)
class Told:
    name: str
    attributes: Mapping[str, str]
    events: Sequence["Told"] = ()


def text_of(value: object) -> str:
    kind = value.WhichOneof("value")  # type: ignore[attr-defined]
    if kind == "array_value":
        return json.dumps([text_of(each) for each in value.array_value.values])  # type: ignore[attr-defined]
    return str(getattr(value, kind)) if kind else ""


def told(item: object) -> Told:
    """A span or an event, with its values as the store holds them."""
    events = [told(each) for each in getattr(item, "events", ())]
    values = {pair.key: text_of(pair.value) for pair in item.attributes}  # type: ignore[attr-defined]
    return Told(item.name, values, events)  # type: ignore[attr-defined]


@cache
def spans(body: str) -> list[Told]:
    found = recorded(f"clients/{body}").resource_spans
    return [told(span) for resource in found for scope in resource.scope_spans for span in scope.spans]


def span(body: str, name: str, position: int = 0, **wanted: str) -> Told:
    """The span of that name at the position among those that have the `wanted` attributes (`__` for a dot)."""
    values = {key.replace("__", "."): value for key, value in wanted.items()}
    fitting = [each for each in spans(body) if each.name == name and values.items() <= each.attributes.items()]
    return fitting[position]


def lines(messages: Sequence[object]) -> list[Line]:
    return [
        (message.role, part.kind.value, f"{part.name}({part.text})" if part.name else part.text)  # type: ignore[attr-defined]
        for message in messages
        for part in message.parts  # type: ignore[attr-defined]
    ]


def talk_of(each: Told) -> Conversation:
    return conversation(each.attributes, each.events)


QUESTION = ("user", "text", "TOOL:get_weather")
STRANDS: list[Line] = [("system", "text", "be brief"), QUESTION]
CASES: list[tuple[str, str, int, list[Line], list[Line]]] = [
    ("strands", "chat", 0, STRANDS, CALLS),
    ("strands", "chat", 1, [*STRANDS, *CALLS, ("tool", "tool_result", "sunny in Paris")], SAYS_PARIS),
    ("strands", "invoke_agent weather_agent", 0, STRANDS, [("assistant", "text", f"{PARIS}\n")]),
    (
        *("strands", "execute_event_loop_cycle", 0, [QUESTION]),
        [*CALLS, ("tool", "tool_result", "sunny in Paris")],
    ),
    ("strands", "execute_tool get_weather", 0, [], []),
    (
        *("nemo", "self_check_input gpt-4o-mini", 0),
        [("user", "text", "Should this be blocked? REPLY<<No>> capital of France?")],
        [("assistant", "text", "No")],
    ),
    ("nemo", "guardrails.request", 0, [("user", "text", "capital of France?")], SAYS_PARIS),
    ("nemo", "guardrails.request", 1, [], [("assistant", "text", "I'm sorry, I can't respond to that.")]),
    (
        *("vercel", "ai.generateText.doGenerate", 0),
        [("system", "text", "brief"), ("user", "text", "capital? NOTOOL")],
        SAYS_PARIS,
    ),
    ("vercel", "ai.generateText.doGenerate", 1, [QUESTION], CALLS),
    (
        *("vercel", "ai.generateText.doGenerate", 2),
        [QUESTION, *CALLS, ("tool", "tool_result", "get_weather(sunny in Paris)")],
        SAYS_PARIS,
    ),
    (
        *("vercel", "ai.generateText", 0),
        [("system", "text", "brief"), ("user", "text", "capital? NOTOOL")],
        SAYS_PARIS,
    ),
    ("vercel", "ai.streamText.doStream", 0, [("user", "text", "stream")], SAYS_PARIS),
    (
        *("vercel", "ai.generateObject.doGenerate", 0, [("user", "text", "obj NOTOOL")]),
        [("assistant", "text", '{"city": "Paris"}')],
    ),
    ("vercel", "ai.toolCall", 0, [], []),
    (
        *("logfire-openai", "Chat Completion with {request_data[model]!r}", 1),
        [("user", "text", "tool")],
        CALLS,
    ),
    ("claude-code", "claude_code.interaction", 0, [("user", "text", "hi NOTOOL")], []),
    # Answers told twice, as content and as contents; a call told as content and as a call.
    (
        *("oia-oi", "response", 1),
        [
            ("system", "text", "You tell weather"),
            ("user", "text", "Weather? TOOL:get_weather"),
            *CALLS,
            ("tool", "tool_result", "sunny in Paris"),
        ],
        SAYS_PARIS,
    ),
    ("anth-oi", "messages.create", 1, [("user", "text", "tool")], CALLS),
    (
        *("anth-oi", "messages.create", 2),
        [("user", "text", "tool"), *CALLS, ("tool", "tool_result", "sunny")],
        SAYS_PARIS,
    ),
    (
        *("anth-oi", "messages.create", 5),
        [("user", "text", "image"), ("user", "media", "image(image/png, 8 bytes)")],
        SAYS_PARIS,
    ),
    # An agent's state holds what was asked, too.
    (
        *("lc-oi", "weather_agent", 0),
        [("user", "text", "weather? TOOL:get_weather")],
        [*CALLS, ("tool", "tool_result", "get_weather(sunny in Paris)"), *SAYS_PARIS],
    ),
    ("lc-oi", "get_weather", 0, [], []),
    (
        *("langfuse", "OpenAI-generation", 0),
        [("system", "text", "brief"), ("user", "text", "capital?")],
        SAYS_PARIS,
    ),
    ("langfuse", "my-llm", 0, [("user", "text", "hi")], [("assistant", "text", "hello")]),
    ("langfuse", "get_weather", 0, [], []),
    ("langfuse", "researcher", 0, [], []),
    ("li", "OpenAI.complete", 0, [("user", "text", "hi")], SAYS_PARIS),
    (
        *("pyai-logfire", "invoke_agent weather_agent", 0),
        [
            ("system", "text", "be brief"),
            ("user", "text", "weather? TOOL:get_weather"),
            *CALLS,
            ("user", "tool_result", "get_weather(sunny in Paris)"),
        ],
        SAYS_PARIS,
    ),
    ("litellm-new", "litellm_request", 3, [("user", "text", "tool please")], CALLS),
]


@pytest.mark.parametrize(("body", "name", "position", "asked", "answered"), CASES)
def test_who_said_what(body: str, name: str, position: int, asked: list[Line], answered: list[Line]) -> None:
    talk = talk_of(span(body, name, position))

    assert lines(talk.asked) == asked
    assert lines(talk.answered) == answered


@pytest.mark.parametrize(
    ("body", "name", "arguments", "result"),
    [
        ("strands", "execute_tool get_weather", CITY, "sunny in Paris"),
        ("strands", "execute_tool boom", CITY, "Error: tool exploded"),
        ("vercel", "ai.toolCall", CITY, "sunny in Paris"),
        ("oia-oi", "get_weather", CITY, "sunny in Paris"),
        ("oia-oi", "boom", CITY, "An error occurred while running the tool. Please try again."),
        ("lc-oi", "get_weather", "Paris", "sunny in Paris"),
        ("langfuse", "get_weather", '{\n  "args": [\n    "Paris"\n  ],\n  "kwargs": {}\n}', "sunny in Paris"),
        ("pyai-logfire", "execute_tool get_weather", CITY, "sunny in Paris"),
        ("autogen-oi", "weather_agent.get_weather", CITY, "sunny"),
        ("li", "FunctionTool.acall", '{\n  "kwargs": {\n    "city": "Paris"\n  }\n}', None),
    ],
)
def test_what_a_tool_was_given_and_gave_back(body: str, name: str, arguments: str, result: str | None) -> None:
    each = span(body, name)
    said = payload(each.attributes, each.events)

    assert said.input == arguments
    assert result is None or said.output == result


def test_a_call_that_only_the_second_dialect_tells_ends_as_the_first_one_says() -> None:
    [answer] = talk_of(span("litellm-new", "litellm_request", 3)).answered

    assert answer.finish_reason == "tool_calls"


def test_an_answer_without_words_is_the_models() -> None:
    """LiteLLM's /v1/completions: what the model said is told by the provider's request below."""
    above = span("litellm-new", "litellm_request", llm__request__type="atext_completion")
    below = span("litellm-new", "raw_gen_ai_request", llm__openai__id="chatcmpl-litellm-new-35")

    assert [(each.role, each.parts, each.finish_reason) for each in talk_of(above).answered] == [
        ("assistant", (), "stop")
    ]
    assert lines(talk_of(below).answered) == SAYS_PARIS


def test_smolagents_words_for_roles() -> None:
    talk = talk_of(span("smol", "OpenAIModel.generate", 1))

    assert [message.role for message in talk.asked] == ["system", "user", "assistant", "tool"]
    assert lines(talk.asked)[-1] == ("tool", "tool_result", "Observation:\nsunny in Paris")


def test_the_tools_that_were_offered() -> None:
    assert talk_of(span("vercel", "ai.generateText.doGenerate", 1)).tools == ("get_weather",)
    assert talk_of(span("oia-oi", "response")).tools == ("get_weather", "boom")


def test_no_recorded_call_says_the_same_twice_or_nothing() -> None:
    bodies = ("adk-oi", "af", "anth-oi", "ao-native", "autogen-oi", "dspy-both", "langfuse", "lc-oi", "lc-oiboth", "li")
    for body in (*bodies, "litellm-new", "oia-oi", "openlit", "pyai-logfire", "smol", "strands", "tl-crew", "vercel"):
        for each in spans(body):
            for message in (*talk_of(each).asked, *talk_of(each).answered):
                assert len(set(message.parts)) == len(message.parts), (body, each.name)
                assert all(part.text or part.name for part in message.parts), (body, each.name)
