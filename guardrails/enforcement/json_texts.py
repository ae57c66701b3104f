"""Texts within what clients send: messages, tool calls, JSON in texts. Their form stays as it is."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

Look = Callable[[str], str]
DEEPEST: Final = 100


def with_strings(text: str, look: Look) -> str:
    """`look` for a text; of one that is a JSON object or list, for each of its strings and numbers, so that it stays
    JSON. The very same text when nothing changes.
    """
    if text[:1] in "{[" and text[-1:] in "}]":
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError:
            return look(text)
        changed = _looked_through(document, look)
        return text if changed == document else orjson.dumps(changed).decode()
    return look(text)


def _looked_through(value: Any, look: Look, depth: int = 0) -> Any:
    if isinstance(value, str):
        return look(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
        return value if (seen := look(text)) == text else seen
    if depth >= DEEPEST:
        written = orjson.dumps(value).decode()
        return value if (seen := look(written)) == written else seen
    if isinstance(value, list):
        return [_looked_through(each, look, depth + 1) for each in value]
    if isinstance(value, dict):
        return {look(key): _looked_through(each, look, depth + 1) for key, each in value.items()}
    return value


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
    """Tool calls, `{"function": {"name", "arguments"}}`, with other arguments."""
    return [
        call | {"function": _arguments(call["function"], look)}
        if isinstance(call, dict) and isinstance(call.get("function"), dict)
        else call
        for call in calls
    ]


def call_texts(calls: list[Any]) -> Iterator[str]:
    seen = _Seen()
    with_calls(calls, seen)
    yield from seen.texts


def _arguments(call: dict[str, Any], look: Look) -> dict[str, Any]:
    arguments = call.get("arguments")
    return call | {"arguments": look(arguments)} if isinstance(arguments, str) else call
