"""Messages out of the shapes in which providers, frameworks and instrumentations write them; parts.py reads a part."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from traces.store.values.parse import as_list

from .parts import call, part, parts, text_of
from .roles import KNOWN, is_declaration, langchain_role, role_of, unwrapped
from .types import Message, Part, PartKind

_CONTENTS = ("content", "parts", "contents", "refusal", "text")
_WRAPPERS = ("messages", "choices", "candidates", "generations", "contents", "input", "output")
_INSTRUCTIONS = ("system", "instructions", "system_instruction", "systemInstruction")
_ASKED = ("messages", "contents", "input", "prompt")


def messages(value: Any, default_role: str) -> list[Message]:
    """All messages in a decoded value: a list of messages, one message, a wrapper around them, or mere text."""
    found = [message(each, default_role) for each in _listed(value) if not is_declaration(each)]
    return [each for each in found if each.parts or each.finish_reason]


def request(value: Any) -> list[Message]:
    """What a provider was asked: instructions, then messages or a prompt."""
    if not isinstance(value, Mapping) or "role" in value:
        return messages(value, "user")
    told = next((value[key] for key in _INSTRUCTIONS if value.get(key)), None)
    body = next((value[key] for key in _ASKED if value.get(key)), None)
    system = [replace(each, role="system") for each in messages(told, "system")]
    return [*system, *messages(body, "user")]


def is_messages(value: Any) -> bool:
    """Whether a value is messages and nothing else: who names no role may have sent anything."""
    found = _listed(value)
    return bool(found) and all(_names_role(each) for each in found)


def _names_role(value: Any) -> bool:
    if _is_pair(value):
        return True
    if not isinstance(value, Mapping):
        return False
    inner = value.get("message")
    return bool(role_of(unwrapped(inner if isinstance(inner, Mapping) else value)))


def _listed(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    if isinstance(value, Mapping) and "role" not in value:
        inner = next((value[key] for key in _WRAPPERS if isinstance(value.get(key), list) and value[key]), None)
        if inner is not None:
            return _listed(inner)
        if isinstance(value.get("update"), Mapping):  # LangGraph's command
            return _listed(value["update"])
    found = as_list(value)
    if found and all(isinstance(each, list) and not _is_pair(each) for each in found):  # a batch of conversations
        return [each for inner in found for each in inner]
    return found


def _is_pair(value: Any) -> bool:
    """LangGraph's short form: `["user", "hello"]`."""
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(each, str) for each in value)
        and value[0].lower() in KNOWN
    )


def message(value: Any, default_role: str) -> Message:
    """One message; text and unknown shapes get `default_role`."""
    if _is_pair(value):
        value = {"role": value[0], "content": value[1]}
    if not isinstance(value, Mapping):
        return Message(default_role, tuple(parts(value)))
    value = unwrapped(value)
    inner = value.get("message")  # a choice of an OpenAI answer, LangChain's generation, OpenInference's wrapper
    content = value.get("content")  # Google's candidate
    if not isinstance(inner, Mapping) and isinstance(content, Mapping) and isinstance(content.get("parts"), list):
        inner = content
    if isinstance(inner, Mapping):
        found = message(inner, default_role)
        return replace(found, finish_reason=found.finish_reason or _finish_reason(value))
    role = role_of(value) or default_role
    return Message(role, tuple(_parts_of_mapping(value, role)), text_of(value.get("name")), _finish_reason(value))


def _finish_reason(value: Mapping[str, Any]) -> str:
    around = next((value[key] for key in ("response_metadata", "generation_info") if key in value), None)
    for each in (value, around):
        if isinstance(each, Mapping):
            for key in ("finish_reason", "finishReason", "stop_reason"):
                if isinstance(each.get(key), str):
                    return str(each[key])
    return ""


def _parts_of_mapping(value: Mapping[str, Any], role: str) -> Iterator[Part]:
    if _is_part(value):
        yield from _known(part(value))
        return
    for key in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(value.get(key), str) and value[key]:
            yield Part(PartKind.REASONING, text=value[key])
            break
    calls: set[tuple[str, str]] = set()
    for each in _contents(value, role):
        if each.kind is PartKind.TOOL_CALL:
            calls.add(_same_call(each))
        yield each
    for wanted in _calls(value):
        found = call(wanted)
        if _same_call(found) not in calls:  # Anthropic's calls are told twice: as content and as calls
            yield from _known(found)
    if isinstance(value.get("audio"), Mapping):
        yield Part(PartKind.MEDIA, text=text_of(value["audio"].get("transcript")), name="audio")


def _calls(value: Mapping[str, Any]) -> list[Any]:
    around = value.get("additional_kwargs")  # LangChain's, where it did not read the calls itself
    for each in (value, around):
        if isinstance(each, Mapping) and (each.get("tool_calls") or each.get("function_call")):
            return [*as_list(each.get("tool_calls")), *as_list(each.get("function_call"))]
    return []


def _is_part(value: Mapping[str, Any]) -> bool:
    """Whether what stands where a message should is a part of one, as in OpenAI's responses."""
    kind = text_of(value.get("type"))
    is_message = kind == "message" or kind.endswith(("Generation", "GenerationChunk")) or langchain_role(value)
    return bool(kind) and not is_message and not {"role", "parts", "contents"} & set(value)


def _contents(value: Mapping[str, Any], role: str) -> Iterator[Part]:
    """What is in the keys of content. Some clients write the same text in two of them."""
    groups = [list(parts(value[key])) for key in _CONTENTS if value.get(key)]
    told: list[set[str]] = [_texts(group) if len(groups) > 1 else set() for group in groups]
    answers = text_of(value.get("tool_call_id") or value.get("call_id"))
    for number, group in enumerate(groups):
        is_again = bool(told[number]) and any(told[number] & other for other in told[number + 1 :])
        for each in group:
            if is_again and each.kind is PartKind.TEXT:
                continue
            if role == "tool" and each.kind in (PartKind.TEXT, PartKind.OTHER):
                each = Part(PartKind.TOOL_RESULT, each.text, text_of(value.get("name")), answers)
            yield each


def _texts(group: list[Part]) -> set[str]:
    """The text of a group, however its parts are joined."""
    texts = [each.text for each in group if each.kind is PartKind.TEXT]
    return {"".join(texts), "\n".join(texts)} if texts else set()


def _same_call(found: Part) -> tuple[str, str]:
    return ("id", found.id) if found.id else (found.name, found.text)


def _known(found: Part) -> Iterator[Part]:
    if found.text or found.name or found.id:
        yield found
