"""Texts within what clients send: messages, tool calls, JSON in texts. Their form stays as it is."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

Look = Callable[[str], str]
DEEPEST: Final = 100
LONGEST_LABELLED: Final = 60


class _TooDeep(ValueError):
    pass


class _Number(str):
    """A number of JSON as it is written: a double would change what is longer."""

    __slots__ = ()


class _Object(list[tuple[str, Any]]):
    """An object of JSON with all its entries: of two with the same name, either may be the one that is read."""


def with_strings(text: str, look: Look) -> str:
    """`look` for a text; of one that is a JSON object or list, for each of its strings and numbers, so that it stays
    JSON. The very same text when nothing changes. What lies deeper than anybody nests is looked at as a text.
    """
    if text[:1] in "{[" and text[-1:] in "}]":
        try:
            document = json.loads(
                text, object_pairs_hook=_Object, parse_int=_Number, parse_float=_Number, parse_constant=_Number
            )
            changed = _looked_through(document, look)
        except (ValueError, RecursionError):
            return look(text)
        return text if changed == document else _written(changed)
    return look(text)


def _looked_through(value: Any, look: Look, depth: int = 0) -> Any:
    """Raises _TooDeep."""
    if depth > DEEPEST:
        raise _TooDeep
    if isinstance(value, _Number):
        return value if (seen := look(str(value))) == value else seen
    if isinstance(value, str):
        return look(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if (seen := look(str(value))) == str(value) else seen
    if isinstance(value, _Object):
        return _Object(_entries(value, look, depth))
    if isinstance(value, list):
        return [_looked_through(each, look, depth + 1) for each in value]
    if isinstance(value, dict):
        return dict(_entries(value.items(), look, depth))
    return value


def _entries(entries: Any, look: Look, depth: int) -> Iterator[tuple[str, Any]]:
    """With another name for each: two that are masked alike stay two."""
    taken: set[str] = set()
    for name, value in entries:
        seen = look(name)
        shown = seen
        if seen != name:
            number = 1
            while shown in taken:
                number += 1
                shown = f"{seen} {number}"
            taken.add(shown)
        changed = _looked_through(value, look, depth + 1)
        yield shown, _labelled(name, value, look) if seen == name and changed is value else changed


def _labelled(name: str, value: Any, look: Look) -> Any:
    """A short value beside its name, which may say what it is: {"passport": "M12345678"}."""
    if type(value) is not str or len(value) > LONGEST_LABELLED or not value:
        return value
    before = f"{name}: "
    seen = look(before + value)
    return seen.removeprefix(before) if seen.startswith(before) else value


def _written(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, _Object):
        return "{" + ",".join(f"{_written(name)}:{_written(each)}" for name, each in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _deep(value: Any, look: Look) -> Any:
    """What a client sent as an object where others send JSON as text."""
    try:
        return _looked_through(value, look)
    except (_TooDeep, RecursionError):
        written = json.dumps(value, ensure_ascii=False)
        return value if (seen := look(written)) == written else seen


class _Seen:
    """Looks at texts and changes none."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> str:
        self.texts.append(text)
        return text


def message_texts(messages: list[Any]) -> Iterator[str]:
    """What people, models and tools said in messages as OpenAI writes them: content, and arguments of tool calls."""
    seen = _Seen()
    rewritten(messages, seen)
    yield from seen.texts


def rewritten(messages: list[Any], look: Look) -> list[Any]:
    return [_message(each, look) if isinstance(each, dict) else each for each in messages]


def _message(message: dict[str, Any], look: Look) -> dict[str, Any]:
    changed = dict(message)
    content = message.get("content")
    if isinstance(content, str):
        changed["content"] = look(content)
    elif isinstance(content, list):
        changed["content"] = [_part(each, look) for each in content]
    if isinstance(calls := message.get("tool_calls"), list):
        changed["tool_calls"] = with_calls(calls, look)
    if isinstance(call := message.get("function_call"), dict):
        changed["function_call"] = _arguments(call, look)
    return changed


def _part(part: Any, look: Look) -> Any:
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return part | {"text": look(part["text"])}
    return look(part) if isinstance(part, str) else part


def with_calls(calls: list[Any], look: Look) -> list[Any]:
    """Tool calls, `{"function": {"name", "arguments"}}` or `{"custom": {"name", "input"}}`, with other arguments."""
    return [_call(each, look) if isinstance(each, dict) else each for each in calls]


def _call(call: dict[str, Any], look: Look) -> dict[str, Any]:
    changed = dict(call)
    for name in ("function", "custom"):
        if isinstance(call.get(name), dict):
            changed[name] = _arguments(call[name], look)
    return changed


def call_texts(calls: list[Any]) -> Iterator[str]:
    seen = _Seen()
    with_calls(calls, seen)
    yield from seen.texts


def _arguments(call: dict[str, Any], look: Look) -> dict[str, Any]:
    changed = dict(call)
    for name in ("arguments", "input"):
        given = call.get(name)
        if isinstance(given, str):
            changed[name] = look(given)
        elif isinstance(given, dict | list):
            changed[name] = _deep(given, look)
    return changed
