"""Python's notation of plain values, and nothing but that, in linear time."""

import math
import pprint
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fuzz.texts import FREEZING, PRIME
from traces.store.values.parse import decoded, pretty
from traces.store.values.python_text import MAX_DEPTH, MAX_TOKENS, NotPlain, python_value

from .steady import STEADY

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**80), 2**80),
    st.floats(allow_nan=False),
    st.text(),  # Hypothesis makes no halves of surrogate pairs here
    st.binary(),
)
# Keys that Python tells apart without an equal of another type: True == 1 == 1.0.
KEYS = st.one_of(st.text(), st.binary(), st.none(), st.integers(2, 2**60), st.tuples(st.text(), st.integers()))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(KEYS, inner),
        st.sets(KEYS),
    ),
    max_leaves=40,
)


@STEADY
@given(VALUES)
def test_what_repr_writes_is_read(value: Any) -> None:
    read, _ = python_value(repr(value))

    assert read == value
    assert repr(read) == repr(value) or "{" in repr(value)  # types and signs too; sets have no order


@STEADY
@given(VALUES)
def test_what_pprint_writes_is_read(value: Any) -> None:
    assert python_value(pprint.pformat(value, width=30))[0] == value


@STEADY
@given(st.text(alphabet=st.characters(codec=None)))
def test_half_a_pair_is_replaced(text: str) -> None:
    [read], _ = python_value(repr([text]))

    assert read == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    read.encode()


@STEADY
@given(st.text(alphabet="[](){},:'\"\\bruf0159.eE+-_ naiNTFxu\n"))
def test_anything_else_is_given_up(text: str) -> None:
    try:
        value, _ = python_value(text)
    except NotPlain:
        return
    pretty(value).encode()


def test_numbers_that_are_none() -> None:
    [nothing, endless, low], _ = python_value("[nan, inf, -inf]")

    assert math.isnan(nothing)
    assert (endless, low) == (math.inf, -math.inf)
    assert pretty([nothing, None, endless]) == "[\n  NaN,\n  null,\n  Infinity\n]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[u'a', U\"b\", r'\\d', b'\\x00\\'', Rb'\\n']", ["a", "b", "\\d", b"\x00'", b"\\n"]),
        ("('a'\n 'b' \"c\")", "abc"),
        ("(b'a'\n b'b',)", (b"ab",)),
        ("['\\101\\a\\d\\\n']", ["A\a\\d"]),
        ("{1, 2,}", {1, 2}),
        ("{'a': set(), 'b': (), 'c': {}}", {"a": set(), "b": (), "c": {}}),
        (" [ -1 , +2.5e-3 ] ", [-1, 0.0025]),
        ("['\\ud83e\\udd23 \\ud83e']", ["🤣 \ufffd"]),
    ],
)
def test_notation_that_repr_writes_seldom(text: str, value: Any) -> None:
    assert python_value(text)[0] == value


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "a",
            "[a]",
            "[1+1]",
            "[1 if 1 else 2]",
            "[x for x in y]",
            "[1j]",
            "[0x1]",
            "[1_0]",
            "[01]",
            "[1.2.3]",
            "[1e999]",
        ),
        *("[f'a']", "[f'{1}']", "['''a''']", '["""a"""]', "['a''b']", "['a' b'b']", "[('a') 'b']", "['a\nb']", "['a"),
        *("['\\N{DIGIT ONE}']", "['\\x4']", "['\\U00110000']", "[b'\\777']", "[b'é']", "[bu'a']", "[true]", "[null]"),
        *("[,]", "[1,,2]", "[1 2]", "[1", "[1)", "1]", "[1]]", "[1] [2]", "{1: 2, 3}", "{1, 2: 3}", "{'a':}", "{:1}"),
        *(
            "{[]: 1}",
            "{{}}",
            "{([],): 1}",
            "(,)",
            "[1:2]",
            "(1:2)",
            "datetime.now()",
            "set([1])",
            "[Nonesuch]",
            "{**a}",
        ),
    ],
)
def test_no_plain_value(text: str) -> None:
    with pytest.raises(NotPlain):
        python_value(text)


def test_depth_digits_and_tokens_are_bounded() -> None:
    python_value("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    python_value(f"[{'9' * 100}]")
    for text in (
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        f"[{'9' * 101}]",
        f"[1.{'9' * 100}]",
        "[" + "1," * (MAX_TOKENS // 2) + "]",
    ):
        with pytest.raises(NotPlain):
            python_value(text)


@pytest.mark.parametrize("key", ["{0}", "{0}.0", "({0},)", "-{0}"])
def test_few_keys_whose_hashes_can_be_chosen(key: str) -> None:
    def text(count: int) -> str:
        return "{" + ", ".join(f"{key.format(each * PRIME)}: 0" for each in range(1, count + 1)) + "}"

    assert len(python_value(text(90))[0]) == 90
    with pytest.raises(NotPlain):
        python_value(text(200))


def cpu_seconds(text: str) -> float:
    def once() -> float:
        started = time.thread_time()
        value = decoded(text)
        pretty(value)
        return time.thread_time() - started

    return min(once() for _ in range(3))


@pytest.mark.parametrize("name", FREEZING)
def test_time_is_linear(name: str) -> None:
    """16 times the text may take 16 times as long, and four times that for the noise; the square of 16 is 256."""
    short, long = FREEZING[name](6_000), FREEZING[name](96_000)

    assert cpu_seconds(long) < 64 * max(cpu_seconds(short), 0.000_2)
