"""Attribute texts as values: JSON, or the Python notation that LiteLLM writes.

The texts come from strangers. What comes out of here is bounded in depth and size, holds no number that is slow to
write and no half of a surrogate pair; what would not, stays text.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Any

import orjson

from .budget import left, spend
from .python_text import MAX_DEPTH, MAX_DIGITS, MAX_TOKENS, NotPlain, python_value
from .surrogates import mended_json

MAX_PYTHON_TEXT = 200_000
# Values in a JSON text, by its commas and brackets: each takes up to 230 bytes of memory.
MAX_VALUES = 300_000
# What is spent of the budget: a step for a value of JSON, more for Python, which is read by Python.
CHARACTERS_A_STEP = 256
STEPS_A_TOKEN = 4
# Of a key that is taken apart at its dots: what is made of it is followed by recursion.
MAX_FOLDERS = 60

_LONG_NUMBER = re.compile(r"[0-9]{19}")
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


def decoded(text: str) -> Any:
    """The value that `text` denotes; the text itself when it is neither JSON nor a plain Python value.

    Only texts that begin like an array, an object or a quoted string are tried: "42" and "true" stay texts, because
    they are what somebody wrote as often as they are values.
    """
    start = text.lstrip()[:1]
    if start not in ("[", "{", '"', "(", "'"):
        return text
    value = _json(text) if start in ("[", "{", '"') else _NOTHING
    if value is not _NOTHING:
        return value
    return _python(text)


_NOTHING = object()


def _json(text: str) -> Any:
    """The JSON value; _NOTHING when it is no JSON, the text when it is too much of it."""
    brackets = text.count("[") + text.count("{")
    values = brackets + text.count(",")
    if values > MAX_VALUES or not spend(values + len(text) // CHARACTERS_A_STEP):
        return text
    try:
        # Of the two that read JSON, one takes half of a pair for a character.
        value = _loaded(mended_json(text) if _HALF_PAIR.search(text) else text)
    except (ValueError, RecursionError):
        return _NOTHING
    return text if brackets > MAX_DEPTH and _is_deep(value) else value


def _python(text: str) -> Any:
    """The value of Python's notation; the text when it is none or too much of it."""
    if len(text) > MAX_PYTHON_TEXT or not spend(len(text) // CHARACTERS_A_STEP):
        return text
    try:
        value, tokens = python_value(text, min(MAX_TOKENS, left() // STEPS_A_TOKEN))
    except NotPlain as given_up:
        value, tokens = text, given_up.tokens
    spend(tokens * STEPS_A_TOKEN)
    return value


def _loaded(text: str) -> Any:
    """Raises ValueError or RecursionError."""
    if _LONG_NUMBER.search(text):  # orjson rounds integers of more than 64 bits
        return json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_float)
    return orjson.loads(text)


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("too long a number")
    return int(digits)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("not a number of JSON")
    return value


def _inner(values: Iterable[Any]) -> list[Any]:
    """What is in those of the values that hold others."""
    return [
        each
        for value in values
        if isinstance(value, dict | list | tuple | set)
        for each in (value.values() if isinstance(value, dict) else value)
    ]


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [each for each in _inner(level) if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def pretty(value: Any) -> str:
    """A value of `decoded` as text for people: indented JSON for structures, plain text for the rest."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        written = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode()
        if "null" in written and _has_odd_float(value):
            raise ValueError("orjson writes NaN as null")
        return written
    except (TypeError, ValueError):  # numbers beyond 64 bits, keys that JSON has not
        return _written(value)


def _has_odd_float(value: Any) -> bool:
    level = [value]
    while level:
        if any(isinstance(each, float) and not math.isfinite(each) for each in level):
            return True
        level = _inner(level)
    return False


def _written(value: Any) -> str:
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return str(value)


def pretty_text(text: str) -> str:
    """An attribute's text, indented when it is a JSON or Python structure."""
    value = decoded(text)
    return pretty(value) if isinstance(value, dict | list | tuple) else text


def as_list(value: Any) -> list[Any]:
    """A list as it is, one value as a list of it, nothing as an empty list."""
    if value is None or value == "":
        return []
    if isinstance(value, list | tuple):
        return list(value)
    return [value]


def nested(attributes: dict[str, str], prefix: str) -> Any:
    """`{prefix}0.role`, `{prefix}0.content` … as `[{"role": …, "content": …}]`, numbers being positions in a list.

    Positions may start above 0 and may arrive in any order; a key that is both a value and a folder keeps its value
    under "". What is behind more than MAX_FOLDERS dots is one name.
    """
    tree: dict[str, Any] = {}
    for key, value in attributes.items():
        if not key.startswith(prefix):
            continue
        node = tree
        *folders, leaf = key[len(prefix) :].split(".", MAX_FOLDERS)
        for folder in folders:
            inner = node.setdefault(folder, {})
            if not isinstance(inner, dict):
                inner = node[folder] = {"": inner}
            node = inner
        if isinstance(node.get(leaf), dict):
            node[leaf][""] = value
        else:
            node[leaf] = value
    return _listed(tree)


def _listed(tree: dict[str, Any]) -> Any:
    """Dicts whose keys are all numbers as lists, from the inside out. MAX_FOLDERS bounds the depth."""
    values = {key: _listed(value) if isinstance(value, dict) else value for key, value in tree.items()}
    if values and all(key.isascii() and key.isdigit() for key in values):
        return [values[key] for key in sorted(values, key=_in_order)]
    return values


def _in_order(digits: str) -> tuple[int, str]:
    """Sorts numbers by their size, however long they are."""
    number = digits.lstrip("0")
    return len(number), number
