"""One message out of the shapes in which providers and instrumentations write it.

Read here: OpenAI (chat and responses), Anthropic, Google (parts), the OpenTelemetry `parts` format, and OpenInference's
flattened attributes once `decode.nested` has put them together. A shape that is not known is shown as JSON, never lost.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traces.store.values.parse import as_list, decoded, pretty

from .types import Message, Part, PartKind

_TEXT_TYPES = {"text", "input_text", "output_text", "refusal", "summary_text"}
_REASONING_TYPES = {"reasoning", "thinking", "reasoning_text"}
_CALL_TYPES = {"tool_call", "tool_use", "function", "function_call", "server_tool_use"}
_RESULT_TYPES = {"tool_call_response", "tool_result", "function_call_output"}
_MEDIA_TYPES = {
    *("image", "image_url", "input_image", "audio", "input_audio", "output_audio", "video", "file", "input_file"),
    *("document", "blob", "uri"),
}


def messages(value: Any, default_role: str) -> list[Message]:
    """All messages in a decoded value: a list of messages, one message, a wrapper around them, or mere text."""
    if isinstance(value, Mapping):
        for wrapper in ("messages", "choices", "input", "output"):
            inner = value.get(wrapper)
            if isinstance(inner, list) and "role" not in value:
                return messages(inner, default_role)
    found = [message(each, default_role) for each in as_list(value)]
    return [each for each in found if each.parts or each.finish_reason]


def message(value: Any, default_role: str) -> Message:
    """One message; text and unknown shapes get `default_role`."""
    if not isinstance(value, Mapping):
        return Message(default_role, tuple(_parts(value)))
    if isinstance(value.get("message"), Mapping):  # a choice of an OpenAI answer, or OpenInference's wrapper
        inner = message(value["message"], default_role)
        return Message(inner.role, inner.parts, inner.name, inner.finish_reason or _text(value.get("finish_reason")))
    kind = _text(value.get("type"))
    role = _text(value.get("role")).lower() or ("tool" if kind in _RESULT_TYPES else default_role)
    role = {"model": "assistant", "ai": "assistant", "human": "user", "function": "tool"}.get(role, role)
    parts = tuple(_parts_of_mapping(value, role))
    return Message(role, parts, _text(value.get("name")), _text(value.get("finish_reason")))


def _parts_of_mapping(value: Mapping[str, Any], role: str) -> Iterator[Part]:
    if "role" not in value and _text(value.get("type")) and not {"parts", "contents"} & set(value):
        yield _part(value)
        return
    for key in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(value.get(key), str) and value[key]:
            yield Part(PartKind.REASONING, text=value[key])
            break
    answers = _text(value.get("tool_call_id") or value.get("call_id"))
    for key in ("content", "parts", "contents", "refusal", "text"):
        for part in _parts(value.get(key)):
            if role == "tool" and part.kind in (PartKind.TEXT, PartKind.OTHER):
                part = Part(PartKind.TOOL_RESULT, part.text, _text(value.get("name")), answers)
            yield part
    for call in as_list(value.get("tool_calls")):
        yield _call(call)
    if value.get("function_call"):
        yield _call(value["function_call"])
    if isinstance(value.get("audio"), Mapping):
        yield Part(PartKind.MEDIA, text=_text(value["audio"].get("transcript")), name="audio")


def _parts(content: Any) -> Iterator[Part]:
    if isinstance(content, str):
        structure = decoded(content)
        if _is_part_list(structure):
            yield from (_part(each) for each in structure)
        elif content:
            yield Part(PartKind.TEXT, text=content)
        return
    for each in as_list(content):
        yield _part(each)


def _is_part_list(value: Any) -> bool:
    """Whether a text was a list of parts before somebody wrote it as JSON; user's own JSON stays text."""
    known = _TEXT_TYPES | _REASONING_TYPES | _CALL_TYPES | _RESULT_TYPES | _MEDIA_TYPES
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, Mapping) and _text(each.get("type")) in known for each in value)
    )


def _part(value: Any) -> Part:
    if isinstance(value, str):
        return Part(PartKind.TEXT, text=value)
    if not isinstance(value, Mapping):
        return Part(PartKind.OTHER, text=pretty(value))
    if isinstance(value.get("message_content"), Mapping):  # OpenInference
        return _part(value["message_content"])
    kind = _text(value.get("type"))
    if kind in _REASONING_TYPES:
        return Part(PartKind.REASONING, text=_words(value, "content", "text", "thinking", "reasoning", "summary"))
    if kind in _CALL_TYPES or isinstance(value.get("functionCall") or value.get("function_call"), Mapping):
        return _call(value.get("functionCall") or value.get("function_call") or value)
    if kind in _RESULT_TYPES:
        return Part(
            PartKind.TOOL_RESULT,
            text=_words(value, "response", "result", "content", "output"),
            name=_text(value.get("name")),
            id=_text(value.get("id") or value.get("tool_use_id") or value.get("call_id")),
        )
    if kind in _MEDIA_TYPES or (not kind and {"inline_data", "inlineData", "image", "image_url"} & set(value)):
        return _media(kind or "image", value)
    if kind in _TEXT_TYPES or (not kind and isinstance(value.get("text") or value.get("content"), str)):
        return Part(PartKind.TEXT, text=_words(value, "text", "content", "refusal"))
    return Part(PartKind.OTHER, text=pretty(value))


def _call(value: Any) -> Part:
    """A tool call of any provider: OpenAI's `function`, Anthropic's `input`, OpenTelemetry's `arguments`."""
    if isinstance(value, Mapping) and isinstance(value.get("tool_call"), Mapping):  # OpenInference
        value = value["tool_call"]
    if not isinstance(value, Mapping):
        return Part(PartKind.TOOL_CALL, text=pretty(value))
    inner = value.get("function")
    function = inner if isinstance(inner, Mapping) else value
    arguments = next((function[key] for key in ("arguments", "input", "args", "parameters") if key in function), "")
    if isinstance(arguments, str):
        arguments = decoded(arguments)
    return Part(
        PartKind.TOOL_CALL,
        text=pretty(arguments),
        name=_text(function.get("name") or value.get("name")),
        id=_text(value.get("id") or value.get("call_id")),
    )


def _media(kind: str, value: Mapping[str, Any]) -> Part:
    """What and where a medium is. Its bytes are not shown: a data URL is named by its type and size."""
    where: Any = value
    for key in ("image_url", "image", "input_audio", "file", "source", "inline_data", "inlineData", "url", "uri"):
        if isinstance(where, Mapping) and where.get(key):
            where = where[key]
    address = where if isinstance(where, str) else ""
    if isinstance(where, Mapping):
        kept = {key: where[key] for key in where if key not in ("data", "content", "type")}
        data = _text(where.get("data") or where.get("content"))
        address = pretty(kept) if kept else ""
        if data:
            address = _named(kept, data)
    elif address.startswith("data:"):
        head, _, data = address.partition(",")
        address = _named({"mime_type": head.removeprefix("data:").partition(";")[0]}, data)
    name = {"image_url": "image", "input_image": "image", "input_audio": "audio", "input_file": "file"}.get(kind, kind)
    return Part(PartKind.MEDIA, text=address, name=_text(value.get("modality")) or name)


def _named(about: Mapping[str, Any], data: str) -> str:
    """`image/png, 150 kB`: what is known of a medium, and the size of its base64."""
    [*known] = about.values()
    what = _text(known[0]) if len(known) == 1 else pretty(about) if known else ""
    return f"{what}, {_size(len(data) * 3 // 4)}" if what else _size(len(data) * 3 // 4)


def _size(count: int) -> str:
    for unit, name in ((10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}" if count < 1000 * unit else f"{count // unit:,} {name}"
    return f"{count} bytes"


def _words(value: Mapping[str, Any], *keys: str) -> str:
    """The first of `keys` that holds something, as text."""
    for key in keys:
        inner = value.get(key)
        if isinstance(inner, list) and inner and all(isinstance(each, Mapping) and "text" in each for each in inner):
            return "\n".join(_text(each["text"]) for each in inner)
        if inner not in (None, "", [], {}):
            return pretty(inner)
    return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
