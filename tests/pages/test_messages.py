"""What was said in an LLM call, out of every dialect, recorded or documented."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces.reading.messages import Conversation, PartKind, conversation, payload
from traces.store.values.parse import decoded, nested, pretty_text

from .spans import recorded


def said(talk: Conversation) -> list[tuple[str, str, str]]:
    return [
        (message.role, part.kind.value, f"{part.name}({part.text})" if part.name else part.text)
        for message in (*talk.asked, *talk.answered)
        for part in message.parts
    ]


def attributes_of(body: str, position: int, **wanted: str) -> dict[str, str]:
    """Attributes, as the store holds them, of the span of a recorded body that has the `wanted` ones."""
    found = []
    for resource_spans in recorded(body).resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                values = {pair.key: text_of(pair.value) for pair in span.attributes} | {"name": span.name}
                if all(values.get(key.replace("__", ".")) == value for key, value in wanted.items()):
                    found.append(values)
    return found[position]


def text_of(value: object) -> str:
    kind = value.WhichOneof("value")  # type: ignore[attr-defined]
    if kind == "array_value":
        return json.dumps([text_of(each) for each in value.array_value.values])  # type: ignore[attr-defined]
    return str(getattr(value, kind)) if kind else ""


@pytest.mark.parametrize(
    ("body", "position", "wanted", "expected"),
    [
        (
            "litellm-1.106.2-mixed",
            0,
            {"name": "litellm_request"},
            [
                ("system", "text", "Be brief."),
                ("user", "text", "Hello"),
                ("assistant", "text", "Hello! I am a mock of Qwen."),
            ],
        ),
        (
            "litellm-1.106.2-cache-hit",
            0,
            {"name": "raw_gen_ai_request"},
            [("user", "text", "same question"), ("assistant", "text", "Paris is the capital of France.")],
        ),
        (
            "agentops-0.4.21-session",
            0,
            {"name": "openai.chat.completion"},
            [
                ("system", "text", "brief"),
                ("user", "text", "capital of Korea?"),
                ("assistant", "text", "Seoul is the capital of Korea."),
            ],
        ),
        (
            "openinference-openai-0.1.66",
            0,
            {"name": "ChatCompletion"},
            [
                ("system", "text", "brief"),
                ("user", "text", "안녕하세요?"),
                ("assistant", "text", "Seoul is the capital of Korea."),
            ],
        ),
        (
            "traceloop-openai-0.62.4",
            3,
            {"name": "openai.chat"},
            [
                ("user", "text", "weather?"),
                ("assistant", "tool_call", 'get_weather({\n  "city": "Paris"\n})'),
                ("tool", "tool_result", "18C"),
                ("assistant", "text", "Paris is the capital of France."),
            ],
        ),
        (
            "litellm-1.80.5",
            0,
            {"name": "litellm_request", "llm__request__functions__0__name": "get_weather"},
            [
                ("user", "text", "weather in Paris?"),
                ("assistant", "tool_call", 'get_weather({\n  "city": "Paris"\n})'),
            ],
        ),
    ],
)
def test_messages_of_recorded_calls(
    body: str, position: int, wanted: dict[str, str], expected: list[tuple[str, str, str]]
) -> None:
    assert said(conversation(attributes_of(body, position, **wanted))) == expected


def test_every_recorded_llm_call_with_content_has_messages() -> None:
    for name in ("litellm-1.106.2-mixed", "litellm-1.106.2-semconv", "genai-openai-1.3b0", "litellm-1.80.5"):
        for resource_spans in recorded(name).resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    attributes = {pair.key: text_of(pair.value) for pair in span.attributes}
                    if any(attributes.get(key) for key in ("gen_ai.input.messages", "gen_ai.prompt.0.content")):
                        assert conversation(attributes).asked, (name, span.name)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "user", "content": "hi"}, [("user", "text", "hi")]),
        ({"role": "user", "content": None}, []),
        (
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                ],
            },
            [("user", "text", "look"), ("user", "media", "image(https://x/y.png)")],
        ),
        (
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400}}],
            },
            [("user", "media", "image(image/png, 300 bytes)")],
        ),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
            },
            [("assistant", "tool_call", 'f({\n  "a": 1\n})')],
        ),
        ({"role": "tool", "tool_call_id": "1", "content": "42"}, [("tool", "tool_result", "42")]),
        # Anthropic
        (
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm"},
                    {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
                ],
            },
            [("assistant", "reasoning", "hm"), ("assistant", "tool_call", 'f({\n  "a": 1\n})')],
        ),
        (
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "ok"}]}],
            },
            [("user", "tool_result", "ok")],
        ),
        # OpenTelemetry parts
        (
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "hm"},
                    {"type": "tool_call", "name": "f", "arguments": {"a": 1}},
                ],
            },
            [("assistant", "reasoning", "hm"), ("assistant", "tool_call", 'f({\n  "a": 1\n})')],
        ),
        (
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "18C"}]},
            [("tool", "tool_result", "18C")],
        ),
        # Google
        ({"role": "model", "parts": [{"text": "hi"}]}, [("assistant", "text", "hi")]),
        # OpenAI responses
        ({"type": "function_call", "name": "f", "arguments": "{}", "call_id": "1"}, [("user", "tool_call", "f({})")]),
        (
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]},
            [("assistant", "text", "hi")],
        ),
        # A shape nobody knows is shown, not dropped.
        (
            {"role": "user", "content": [{"type": "hologram", "x": 1}]},
            [("user", "other", '{\n  "type": "hologram",\n  "x": 1\n}')],
        ),
    ],
)
def test_shapes_in_which_providers_write_a_message(
    message: dict[str, object], expected: list[tuple[str, str, str]]
) -> None:
    assert said(conversation({"gen_ai.input.messages": json.dumps([message])})) == expected


def test_a_users_own_json_stays_text() -> None:
    text = '[{"type": "shipment", "id": 1}]'

    assert said(conversation({"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": text})) == [
        ("user", "text", text)
    ]


def test_instructions_that_stand_apart_come_first() -> None:
    attributes = {
        "gen_ai.system_instructions": '[{"type": "text", "content": "Be kind."}]',
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]',
    }

    assert said(conversation(attributes)) == [("system", "text", "Be kind."), ("user", "text", "hi")]


def test_numbered_attributes_may_come_in_any_order_and_start_anywhere() -> None:
    attributes = {f"p.{number}.content": str(number) for number in (11, 2, 7)}

    assert nested(attributes, "p.") == [{"content": "2"}, {"content": "7"}, {"content": "11"}]


def test_input_and_output_of_a_tool_and_a_guardrail() -> None:
    tool = payload(attributes_of("agentops-0.4.21-session", 0, name="search.tool"))
    guardrail = payload(attributes_of("litellm-1.106.2-mixed", 0, guardrail_status="guardrail_intervened"))

    assert json.loads(tool.input) == {"args": ["capital of Korea?"], "kwargs": {}}
    assert json.loads(tool.output) == ["r1", "r2"]
    assert guardrail.guardrail_response.startswith("400: {'error':")


@given(st.text(alphabet="[]{}()'\",:ab1 \n\\", max_size=80))
def test_no_text_breaks_the_decoder(text: str) -> None:
    decoded(text)
    pretty_text(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "role",
                    "type",
                    "content",
                    "parts",
                    "text",
                    "tool_calls",
                    "function",
                    "name",
                    "image_url",
                    "message",
                    "id",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values, json_values)
def test_no_value_breaks_the_reader(asked: object, answered: object) -> None:
    attributes = {"gen_ai.input.messages": json.dumps(asked), "llm.openai.choices": repr(answered)}

    talk = conversation(attributes)

    assert all(isinstance(part.text, str) and part.kind in PartKind for m in talk.asked for part in m.parts)


def test_deep_nesting_is_shown_as_the_text_it_is() -> None:
    deep = "[" * 5_000 + "]" * 5_000

    assert pretty_text(deep) == deep
