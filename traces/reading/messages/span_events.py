"""Messages as events, one each: of the span, as the OpenTelemetry conventions had it up to 1.36, or in a list.

Strands, NeMo Guardrails, Azure's SDKs, Semantic Kernel; Pydantic's Logfire writes the same events as JSON into one
attribute. `gen_ai.choice` and `gen_ai.content.completion` are answers, all others were asked.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from traces.store.values.parse import as_list, decoded

from . import normal
from .parts import is_part_list, result_text, text_of
from .sent import Sent
from .types import Message

_ROLE = re.compile(r"gen_ai\.(system|developer|user|assistant|tool)\.message")
_ASKED = {"gen_ai.content.prompt": "user", "guardrails.user_message": "user"}
_ANSWERED = ("gen_ai.choice", "gen_ai.content.completion", "guardrails.utterance.bot.started")
_DETAILS = "gen_ai.client.inference.operation.details"  # since 1.37: all messages in one event
_CONTENT = ("content", "gen_ai.event.content", "gen_ai.prompt", "gen_ai.completion", "message", "body")


def asked(sent: Sent) -> Iterator[Message]:
    """A tool's events are its arguments and result: `tool_values` has them."""
    if is_tool(sent):
        return
    for event in sent.events:
        if event.name == _DETAILS:
            yield from normal.messages(decoded(event.attributes.get("gen_ai.input.messages", "")), "user")
        elif role := _asked_role(event.name):
            yield from _told(_body(event.attributes), role)


def answered(sent: Sent) -> Iterator[Message]:
    if is_tool(sent):
        return
    for event in sent.events:
        if event.name == _DETAILS:
            yield from normal.messages(decoded(event.attributes.get("gen_ai.output.messages", "")), "assistant")
        elif event.name in _ANSWERED:
            yield from _told(_body(event.attributes), "assistant")
            # Strands' cycle of an agent: the answer, and what the tools said to it.
            yield from _results(event.attributes.get("tool.result", ""))


def listed_asked(value: Any) -> Iterator[Message]:
    """Of a list of events as JSON: `[{"event.name": "gen_ai.user.message", "content": …}]`."""
    for event in _events(value):
        name = text_of(event.get("event.name"))
        if name not in _ANSWERED:
            data = event.get("data")  # what Logfire has no event for: `content` says only that it is there
            known = {"content": [data]} if isinstance(data, Mapping) else event
            yield from _told(known, text_of(event.get("role")) or _asked_role(name) or "user")


def listed_answered(value: Any) -> Iterator[Message]:
    for event in _events(value):
        if event.get("event.name") in _ANSWERED:
            yield from _told(event, "assistant")


def is_tool(sent: Sent) -> bool:
    return sent.attributes.get("gen_ai.operation.name") == "execute_tool"


def tool_values(sent: Sent) -> tuple[str, str]:
    """Arguments and result of a tool that tells them as events; '' for what it does not tell."""
    told = {event.name: event.attributes for event in sent.events} if is_tool(sent) else {}
    return _words(told.get("gen_ai.tool.message", {})), _words(told.get("gen_ai.choice", {}))


def _words(attributes: Mapping[str, str]) -> str:
    return result_text(decoded(next((attributes[key] for key in _CONTENT if attributes.get(key)), "")))


def _asked_role(name: str) -> str:
    found = _ROLE.fullmatch(name)
    return found[1] if found else _ASKED.get(name, "")


def _events(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in as_list(value) if isinstance(each, Mapping) and "event.name" in each]


def _body(attributes: Mapping[str, str]) -> dict[str, Any]:
    """An event's attributes as a message."""
    whole = decoded(attributes.get("gen_ai.event.content", ""))
    if isinstance(whole, Mapping):
        return dict(whole)
    kept = ("role", "name", "id", "finish_reason")
    body: dict[str, Any] = {key: attributes[key] for key in kept if key in attributes}
    text = next((attributes[key] for key in _CONTENT if attributes.get(key)), "")
    value = decoded(text)
    # Users' own JSON stays text.
    is_structure = is_part_list(value, keyed=True) or normal.is_messages(value) or _is_message(value)
    body["content"] = value if is_structure else text
    if calls := decoded(attributes.get("tool_calls", "")):
        body["tool_calls"] = calls
    return body


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and bool({"content", "tool_calls", "parts"} & set(value))


def _told(body: Mapping[str, Any], role: str) -> Iterator[Message]:
    content = body.get("content")
    if isinstance(content, list) and normal.is_messages(content):
        yield from normal.messages(content, role)
        return
    if isinstance(content, Mapping) and _is_message(content):
        around = {key: body[key] for key in ("finish_reason", "name") if key in body}
        body = {**content, **around}
    if role == "tool" and "id" in body:
        body = {"tool_call_id": body["id"], **body}
    yield from normal.messages({"role": role, **body}, role)


def _results(text: str) -> Iterator[Message]:
    value = decoded(text)
    if is_part_list(value, keyed=True):
        yield from normal.messages({"role": "tool", "content": value}, "tool")
