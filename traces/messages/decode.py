"""Attribute texts as values: JSON, or the Python notation that LiteLLM writes."""

import ast
from typing import Any

import orjson

# Python's parser takes more memory than the text by two orders; larger texts stay text.
MAX_PYTHON_TEXT = 200_000


def decoded(text: str) -> Any:
    """The value that `text` denotes; the text itself when it is neither JSON nor a Python literal.

    Only texts that begin like an array, an object or a quoted string are tried: "42" and "true" stay texts, because
    they are what somebody wrote as often as they are values.
    """
    start = text.lstrip()[:1]
    if start not in ("[", "{", '"', "(", "'"):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    if len(text) > MAX_PYTHON_TEXT:
        return text
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def pretty(value: Any) -> str:
    """A value as text for people: indented JSON for structures, plain text for the rest."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode()
    except (TypeError, ValueError):  # deeper than orjson writes, or numbers beyond 64 bits
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
    under "".
    """
    tree: dict[str, Any] = {}
    for key, value in attributes.items():
        if not key.startswith(prefix):
            continue
        node = tree
        *folders, leaf = key[len(prefix) :].split(".")
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
    """Dicts whose keys are all numbers as lists, from the inside out. Depth is bounded by the dots of a key."""
    values = {key: _listed(value) if isinstance(value, dict) else value for key, value in tree.items()}
    if values and all(key.isascii() and key.isdigit() for key in values):
        return [values[key] for key in sorted(values, key=int)]
    return values
