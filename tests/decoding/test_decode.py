"""Attribute texts as values: bounded, whatever they hold."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fuzz.texts import DEEP, FREEZING
from traces.messages import conversation, payload
from traces.messages.budget import limited
from traces.messages.decode import MAX_FOLDERS, MAX_VALUES, decoded, nested, pretty, pretty_text
from traces.surrogates import mended_json
from traces.tags import tags_of

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
    return {key: whole(each) for key, each in value.items()} if isinstance(value, dict) else value


@STEADY
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
    assert tags_of([text]) == tags


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
