"""Attribute texts as values: bounded, whatever they hold."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.fuzz.texts import DEEP, FREEZING
from traces.reading.messages import conversation, payload
from traces.store.tags import UNREAD, tags_of
from traces.store.values.budget import limited
from traces.store.values.parse import MAX_FOLDERS, MAX_VALUES, decoded, nested, pretty, pretty_text
from traces.store.values.surrogates import mended_json

from .steady import STEADY

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.text(st.characters(codec=None))),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=20,
)


def whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [whole(each) for each in value]
    return {whole(key): whole(each) for key, each in value.items()} if isinstance(value, dict) else value


@STEADY
@example(["cut \ud83e", 10**20])  # read by another reader than the rest
@example({"\udd23": 10**20})
@given(JSON.filter(lambda value: isinstance(value, list | dict)))
def test_json_is_read_digit_by_digit_and_without_halves_of_pairs(value: Any) -> None:
    text = json.dumps(value)

    read = decoded(text)

    assert read == whole(value)
    assert json.loads(pretty_text(text)) == whole(value)
    pretty(read).encode()


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (r'["ok", "cut \ud83e"]', ("cut \ufffd", "ok")),
        (r"['ok', 'cut \ud83e']", ("cut \ufffd", "ok")),
        (r'["\udd23\ud83e"]', ("\ufffd\ufffd",)),
        (r'["\ud83e\udd23"]', ("🤣",)),
        (r'["\\ud83e"]', (r"\ud83e",)),  # a backslash and letters
        (r'["\\\ud83e"]', ("\\\ufffd",)),
    ],
)
def test_half_an_emoji_in_a_tag(text: str, tags: tuple[str, ...]) -> None:
    assert tags_of([UNREAD + text]) == tags


def test_a_text_for_a_tag_is_cut() -> None:
    [tag] = tags_of(["x" * 1_000_000])

    assert tag == "x" * 199 + "…"


def test_what_stands_for_itself_is_left_alone() -> None:
    assert mended_json(r'{"\ud83e\udd23": "\n\\\"\u0041 \\ud83e"}') == r'{"\ud83e\udd23": "\n\\\"\u0041 \\ud83e"}'


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("depth", [101, 250, 990, 1000, 1020, 5000, 100_000])
def test_deeper_texts_stay_texts(name: str, depth: int) -> None:
    text = DEEP[name](depth)
    talk = conversation({"gen_ai.input.messages": text, "gen_ai.output.messages": text})

    assert decoded(text) == text
    assert payload({"input.value": text}).input == text
    for message in (*talk.asked, *talk.answered):
        assert [part.text for part in message.parts] == [text]


def test_less_deep_ones_are_read() -> None:
    assert decoded("[" * 100 + "]" * 100) == json.loads("[" * 100 + "]" * 100)
    talk = conversation({"gen_ai.input.messages": DEEP["messages"](90)})
    assert [part.text for message in talk.asked for part in message.parts] == ["hi"]


@pytest.mark.parametrize("digits", [19, 40, 100])
def test_long_numbers_keep_their_digits(digits: int) -> None:
    number = "9" * digits

    assert pretty_text(f'{{"a": {number}}}') == f'{{\n  "a": {number}\n}}'
    assert pretty_text(f"{{'a': {number}}}") == f'{{\n  "a": {number}\n}}'


@pytest.mark.parametrize("text", [f"[{'9' * 5000}]", f"[0x{'f' * 5000}]", f"['a', {'9' * 5000}]", f"[1e{'9' * 5000}]"])
def test_endless_numbers_stay_text(text: str) -> None:
    assert pretty_text(text) == text


def test_many_values_stay_text() -> None:
    text = "[" + "0," * MAX_VALUES + "0]"

    assert decoded(text) is text


def test_keys_with_many_dots_and_digits() -> None:
    dots = ".".join("a" * 2001)
    found = nested({f"p.{dots}": "x", f"p.{'9' * 5000}": "y", "p.1": "z"}, "p.")

    assert pretty(found).count("{") == MAX_FOLDERS + 1
    assert found["9" * 5000] == "y"
    assert found["1"] == "z"


def test_positions_of_any_length_are_in_order() -> None:
    positions = {"9" * 5000: "last", "10": "third", "0": "first", "009": "second"}
    talk = conversation({f"gen_ai.prompt.{each}.content": text for each, text in positions.items()})

    assert [part.text for message in talk.asked for part in message.parts] == ["first", "second", "third", "last"]


def test_a_page_shares_its_budget() -> None:
    text = repr(["a"] * 1000)  # 2,001 tokens of four steps, and seven for its length
    with limited(20_000):
        assert [type(decoded(text)) for _ in range(4)] == [list, list, str, str]
        assert decoded('["small"]') == ["small"]
    assert decoded(text) == ["a"] * 1000


def test_a_budget_within_a_budget_is_the_outer_one() -> None:
    with limited(10), limited(1_000_000):
        assert isinstance(decoded(json.dumps(["a"] * 100)), str)


@pytest.mark.parametrize("name", FREEZING)
def test_whatever_is_read_can_be_written(name: str) -> None:
    value = decoded(FREEZING[name](20_000))

    pretty(value).encode()
    json.dumps(tags_of([FREEZING[name](20_000)])).encode()


ODD: list[Any] = [
    None,
    True,
    7,
    0.5,
    "x",
    "",
    [],
    {},
    [[]],
    [{}],
    {"type": ["text"]},
    {"role": {"a": 1}},
    [{"type": {}}],
    {"text": []},
]
WHERE = (
    *("role", "type", "content", "parts", "contents", "message", "name", "text", "tool_calls", "function_call"),
    *("function", "arguments", "audio", "image_url", "source", "inline_data", "url", "data", "reasoning", "summary"),
    *("finish_reason", "refusal", "tool_call_id", "message_content", "functionCall", "response", "result", "modality"),
)


@pytest.mark.parametrize("key", WHERE)
@pytest.mark.parametrize("kind", ["", "image_url", "tool_use", "tool_result", "thinking", "text", "input_audio"])
def test_a_message_may_hold_anything_anywhere(key: str, kind: str) -> None:
    for odd in ODD:
        part = {"type": kind, key: odd} if kind else {key: odd}
        for content in (part, [part], json.dumps([part]), {"message": part}, {"tool_calls": [part]}):
            for message in (content, {"role": "user", "content": content}, [{"role": "tool", "parts": content}]):
                talk = conversation(
                    {"gen_ai.input.messages": json.dumps(message), "gen_ai.tool.definitions": repr([part])}
                )
                for each in talk.asked:
                    assert all(isinstance(shown.text, str) and isinstance(shown.name, str) for shown in each.parts)


@pytest.mark.parametrize("prefix", ["gen_ai.prompt.", "llm.input_messages.", "llm.tools.", "llm.request.functions."])
@pytest.mark.parametrize(
    "tails", [["0"], ["0", "0.role"], ["0.tool"], ["0.tool.json_schema", "1"], ["0.message"], ["", "0"]]
)
def test_flattened_attributes_may_be_of_any_shape(prefix: str, tails: list[str]) -> None:
    for text in ("x", "[]", "{}", '[{"type": []}]', '{"function": 7}', "{'name': ['x']}"):
        conversation({"gen_ai.prompt": "hello", **{prefix + tail: text for tail in tails}})
