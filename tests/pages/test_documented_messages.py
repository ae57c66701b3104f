"""What was said, in the words of clients of which no body is recorded: from their documentation."""

import json
from typing import Any

import pytest

from traces.reading.messages import conversation, payload

from .test_client_messages import CALLS, CITY, PARIS, SAYS_PARIS, Line, Told, lines

CALL = {"name": "get_weather", "args": {"city": "Paris"}, "id": "1", "type": "tool_call"}
FUNCTION = {"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
DECLARED = {"type": "function", "function": {"name": "get_weather", "description": "d", "parameters": {}}}


def said(attributes: dict[str, Any], *events: tuple[str, dict[str, Any]]) -> list[list[Line]]:
    def texts(values: dict[str, Any]) -> dict[str, str]:
        return {key: each if isinstance(each, str) else json.dumps(each) for key, each in values.items()}

    talk = conversation(texts(attributes), [Told(name, texts(values)) for name, values in events])
    return [lines(talk.asked), lines(talk.answered)]


HI: list[Line] = [("user", "text", "hi")]
BRIEF_HI: list[Line] = [("system", "text", "brief"), *HI]


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param(
            {
                "events": [
                    {"event.name": "gen_ai.system.message", "role": "system", "content": "brief"},
                    {"event.name": "gen_ai.user.message", "role": "user", "content": "hi"},
                    {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": PARIS}},
                ]
            },
            id="logfire, events",
        ),
        pytest.param(
            {
                "raw_input": [{"role": "system", "content": "brief"}, {"role": "user", "content": "hi"}],
                "response": {
                    "output": [
                        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": PARIS}]}
                    ]
                },
            },
            id="logfire, openai-agents' responses",
        ),
        pytest.param(
            {
                "input": [{"role": "system", "content": "brief"}, {"role": "user", "content": "hi"}],
                "output": [{"role": "assistant", "content": PARIS}],
                "request_data": {"model": "m"},
            },
            id="logfire, openai-agents' chat",
        ),
        pytest.param(
            {
                "request_data": {"model": "m", "system": "brief", "messages": [{"role": "user", "content": "hi"}]},
                "response_data": {"combined_chunk_content": PARIS, "chunk_count": 2},
            },
            id="logfire, a stream",
        ),
        pytest.param(
            {
                "mlflow.spanType": '"CHAT_MODEL"',
                "mlflow.spanInputs": {
                    "messages": [{"role": "system", "content": "brief"}, {"role": "user", "content": "hi"}],
                    "model": "m",
                },
                "mlflow.spanOutputs": {"choices": [{"message": {"role": "assistant", "content": PARIS}, "index": 0}]},
            },
            id="mlflow, openai",
        ),
        pytest.param(
            {
                "mlflow.spanType": '"CHAT_MODEL"',
                "mlflow.spanInputs": [
                    [{"type": "system", "content": "brief"}, {"type": "human", "content": "hi", "id": None}]
                ],
                "mlflow.spanOutputs": {
                    "generations": [
                        [{"text": PARIS, "message": {"type": "ai", "content": PARIS}, "type": "ChatGeneration"}]
                    ]
                },
            },
            id="mlflow, langchain",
        ),
        pytest.param(
            {
                "mlflow.spanType": '"LLM"',
                "mlflow.spanInputs": {"system": "brief", "messages": [{"role": "user", "content": "hi"}]},
                "mlflow.spanOutputs": {"role": "assistant", "content": [{"type": "text", "text": PARIS}]},
            },
            id="mlflow, anthropic",
        ),
        pytest.param(
            {
                "langfuse.observation.type": "chain",
                "langfuse.observation.input": {
                    "messages": [{"type": "system", "content": "brief"}, {"type": "human", "content": "hi"}]
                },
                "langfuse.observation.output": {"messages": [{"type": "ai", "content": PARIS, "tool_calls": []}]},
            },
            id="langfuse, langgraph",
        ),
        pytest.param(
            {
                "langfuse.observation.type": "generation",
                "langfuse.observation.input": [
                    {"role": "system", "content": "brief"},
                    {"role": "user", "content": "hi"},
                    {"role": "tool", "content": DECLARED},
                ],
                "langfuse.observation.output": {"role": "assistant", "content": PARIS},
            },
            id="langfuse, declared tools",
        ),
        pytest.param(
            {
                "input.value": {
                    "messages": [
                        [
                            {
                                "lc": 1,
                                "type": "constructor",
                                "id": ["x", "SystemMessage"],
                                "kwargs": {"content": "brief"},
                            },
                            {"lc": 1, "type": "constructor", "id": ["x", "HumanMessage"], "kwargs": {"content": "hi"}},
                        ]
                    ]
                },
                "output.value": {"messages": [["user", "hi"], ["assistant", PARIS]]},
            },
            id="langgraph, serialized",
        ),
        pytest.param(
            {
                "gcp.vertex.agent.llm_request": {
                    "config": {"system_instruction": "brief"},
                    "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
                },
                "gcp.vertex.agent.llm_response": {"content": {"role": "model", "parts": [{"text": PARIS}]}},
            },
            id="google adk",
        ),
        pytest.param(
            {
                "span.type": "llm_request",
                "user_system_prompt": "brief",
                "new_context": "hi",
                "response.model_output": PARIS,
            },
            id="claude code",
        ),
    ],
)
def test_attributes_of_frameworks(attributes: dict[str, Any]) -> None:
    assert said(attributes) == [BRIEF_HI, SAYS_PARIS]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(
            [
                ("gen_ai.system.message", {"gen_ai.event.content": {"role": "system", "content": "brief"}}),
                ("gen_ai.user.message", {"gen_ai.event.content": {"role": "user", "content": "hi"}}),
                ("gen_ai.choice", {"gen_ai.event.content": {"message": {"tool_calls": [FUNCTION]}, "index": 0}}),
            ],
            id="azure",
        ),
        pytest.param(
            [
                ("gen_ai.system.message", {"content": "brief"}),
                ("gen_ai.user.message", {"content": "hi"}),
                ("gen_ai.choice", {"message": {"role": "assistant", "tool_calls": [FUNCTION]}, "index": "0"}),
            ],
            id="conventions of 1.36",
        ),
        pytest.param(
            [
                (
                    "gen_ai.client.inference.operation.details",
                    {
                        "gen_ai.input.messages": [
                            {"role": "system", "parts": [{"type": "text", "content": "brief"}]},
                            {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
                        ],
                        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "tool_call", **CALL}]}],
                    },
                )
            ],
            id="conventions since 1.37",
        ),
        pytest.param(
            [
                (
                    "gen_ai.content.prompt",
                    {"gen_ai.prompt": [{"role": "system", "content": "brief"}, {"role": "user", "content": "hi"}]},
                ),
                ("gen_ai.content.completion", {"gen_ai.completion": [{"role": "assistant", "tool_calls": [FUNCTION]}]}),
            ],
            id="conventions of 1.27",
        ),
    ],
)
def test_events_of_a_span(events: list[tuple[str, dict[str, Any]]]) -> None:
    assert said({}, *events) == [BRIEF_HI, CALLS]


def test_calls_in_a_list_of_texts() -> None:
    """LiveKit's: attributes of events have no lists of maps."""
    events: list[tuple[str, dict[str, Any]]] = [
        ("gen_ai.user.message", {"content": "hi"}),
        ("gen_ai.choice", {"role": "assistant", "content": "", "tool_calls": [json.dumps(FUNCTION)]}),
    ]

    assert said({}, *events) == [HI, CALLS]


def test_calls_that_langchain_did_not_read() -> None:
    message = {"type": "ai", "content": "", "additional_kwargs": {"tool_calls": [FUNCTION]}}

    assert said({"langfuse.observation.output": message})[1] == CALLS


def test_input_and_output_of_livekits_tool() -> None:
    said = payload({"lk.function_tool.arguments": '{"city": "Paris"}', "lk.function_tool.output": "sunny"})

    assert (said.input, said.output) == (CITY, "sunny")


def test_a_users_own_json_in_an_event_stays_text() -> None:
    text = '[{"x": 1}]'

    assert said({}, ("gen_ai.user.message", {"content": text})) == [[("user", "text", text)], []]


def test_words_and_calls_of_an_answer_in_two_dialects() -> None:
    attributes = {
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": "Let me see."}], "finish_reason": "tool_calls"}
        ],
        "gen_ai.completion.0.function_call.name": "get_weather",
        "gen_ai.completion.0.function_call.arguments": '{"city": "Paris"}',
    }

    assert said(attributes)[1] == [("assistant", "text", "Let me see."), *CALLS]


def test_declared_tools_are_offered_and_no_results() -> None:
    messages = [{"role": "user", "content": "hi"}, {"role": "tool", "content": DECLARED}]
    talk = conversation({"langfuse.observation.input": json.dumps(messages)})

    assert (lines(talk.asked), talk.tools) == (HI, ("get_weather",))


@pytest.mark.parametrize("kind", ["tool", "span", "agent", "retriever"])
def test_what_is_no_generation_has_values_and_no_messages(kind: str) -> None:
    attributes = {
        "langfuse.observation.type": kind,
        "langfuse.observation.input": '{"city": "Paris"}',
        "langfuse.observation.output": "sunny",
    }

    assert not conversation(attributes)
    assert (payload(attributes).input, payload(attributes).output) == (CITY, "sunny")


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ('{"type": "object", "properties": {"city": {"type": "string"}}}', ""),
        ('{"city": {"type": "string", "description": "a city"}}', ""),
        ('{"city": "Paris"}', CITY),
    ],
)
def test_what_a_tool_takes_is_not_what_it_was_given(parameters: str, shown: str) -> None:
    assert payload({"tool.parameters": parameters}).input == shown
    assert payload({"tool.parameters": parameters, "input.value": '{"city":"Rome"}'}).input == '{\n  "city": "Rome"\n}'
