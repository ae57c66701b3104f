"""Flat attributes as nested objects."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from traces.reading.nesting import MAX_HOLES, nested

VECTORS = [
    ({"foo.bar.0.baz": "v"}, {"foo": {"bar": [{"baz": "v"}]}}),
    ({"gen_ai.prompt": "hi"}, {"gen_ai": {"prompt": [{"content": "hi", "role": "user"}]}}),
    (
        {"gen_ai.prompt.0.content": "a", "gen_ai.prompt.0.role": "user", "gen_ai.prompt.1.content": "b"},
        {"gen_ai": {"prompt": [{"content": "a", "role": "user"}, {"content": "b"}]}},
    ),
    ({"a.10": "x"}, {"a": {"10": "x"}}),
    ({"a.0": "x", "a.3": "y"}, {"a": ["x", None, None, "y"]}),
    ({"tool.0.x.0": "q"}, {"tool": [{"x": ["q"]}]}),
    ({"a.0.1": "x"}, {"a": [[None, "x"]]}),
    (
        {"gen_ai.completion.0.tool_calls.0.name": "n", "gen_ai.completion.0.content": "c"},
        {"gen_ai": {"completion": [{"tool_calls": [{"name": "n"}], "content": "c"}]}},
    ),
    ({}, {}),
]

# Where AgentOps loses a value.
REPAIRED = [
    (
        {"gen_ai.prompt.1.content": "b", "gen_ai.prompt.0.content": "a"},
        {"gen_ai": {"prompt": [{"content": "a"}, {"content": "b"}]}},
    ),
    ({"a.b": "y", "a": "x"}, {"a": "x", "a.b": "y"}),
    ({"a": "x", "a.b": "y", "a.b.c": "z"}, {"a": "x", "a.b": "y", "a.b.c": "z"}),
    ({"a.2": "x"}, {"a": {"2": "x"}}),
    ({"0": "x"}, {"0": "x"}),
    ({"a.0.b": "x", "a.c": "y", "a.d.0": "z"}, {"a": [{"b": "x"}], "a.c": "y", "a.d.0": "z"}),
    ({"a.c": "y", "a.0.b": "x"}, {"a": [{"b": "x"}], "a.c": "y"}),
    ({"a.1": "x", "a.01": "y", "a.0": "z"}, {"a": ["z", "x"], "a.01": "y"}),
    ({"a.2": "x", "a.10": "y", "a.0": "z", "a.1": "w"}, {"a": ["z", "w", "x", *[None] * 7, "y"]}),
    (
        {"gen_ai.prompt": "hi", "gen_ai.prompt.0.content": "a"},
        {"gen_ai": {"prompt": [{"content": "hi", "role": "user"}]}, "gen_ai.prompt.0.content": "a"},
    ),
    ({"": "x", "a..b": "y", "a.": "z"}, {"": "x", "a": {"": "z"}, "a..b": "y"}),
]


@pytest.mark.parametrize(("attributes", "expected"), VECTORS)
def test_well_formed_attributes_nest_as_agentops_nests_them(attributes: dict[str, str], expected: Any) -> None:
    assert nested(attributes) == expected


@pytest.mark.parametrize(("attributes", "expected"), REPAIRED)
def test_no_value_is_lost_where_agentops_loses_it(attributes: dict[str, str], expected: Any) -> None:
    assert nested(attributes) == expected


def test_a_position_far_away_costs_no_memory() -> None:
    assert nested({"a.0": "x", "a.999999999": "y"}) == {"a": {"0": "x", "999999999": "y"}}
    assert nested({"a.0": "x", f"a.{MAX_HOLES + 2}": "y"}) == {"a": {"0": "x", f"{MAX_HOLES + 2}": "y"}}
    assert nested({"a.0": "x", f"a.{MAX_HOLES + 1}": "y"}) == {"a": ["x", *[None] * MAX_HOLES, "y"]}


def test_a_key_of_very_many_parts_stays_as_it_is() -> None:
    key = ".".join("a" * 10_000)

    assert nested({key: "x"}) == {key: "x"}
    assert orjson.dumps(nested({".".join("b" * 64): "x"}))


PARTS = st.sampled_from(["a", "b", "gen_ai", "prompt", "0", "1", "2", "10", "01", "", "250"])
ATTRIBUTES = st.dictionaries(st.lists(PARTS, min_size=1, max_size=5).map(".".join), st.text(max_size=3), max_size=12)


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    elif value is not None:
        yield value


@given(ATTRIBUTES)
def test_every_value_is_there_once(attributes: dict[str, str]) -> None:
    marked = {key: f"value {number}" for number, key in enumerate(attributes)}

    found = [leaf for leaf in leaves(nested(marked)) if leaf != "user" or "user" in marked.values()]

    assert sorted(found) == sorted(marked.values())


@given(ATTRIBUTES, st.randoms(use_true_random=False))
@example({"a.1": "x", "a.0": "y"}, None)
def test_the_order_of_arrival_makes_no_difference(attributes: dict[str, str], random: Any) -> None:
    items = list(attributes.items())
    if random is None:
        items.reverse()
    else:
        random.shuffle(items)

    # Texts, because the order of an object's keys is part of the answer too.
    assert orjson.dumps(nested(dict(items))) == orjson.dumps(nested(attributes))


NAMES = st.text("abcdefgh_", min_size=1, max_size=6)
VALUES = st.recursive(
    st.text(max_size=3),
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(NAMES, inner, min_size=1, max_size=4),
    max_leaves=12,
)


def flat(value: Any, path: str) -> dict[str, str]:
    """What a client writes of a structure: a key for each text in it."""
    if isinstance(value, str):
        return {path: value}
    items: Any = value.items() if isinstance(value, dict) else enumerate(value)
    return {key: text for name, inner in items for key, text in flat(inner, f"{path}.{name}" if path else name).items()}


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_a_client_flattened_comes_back_as_it_was(structure: dict[str, Any]) -> None:
    assert nested(flat(structure, "")) == structure
