"""One part of a message, of any provider: text, reasoning, a tool's call or result, a medium.

Read here: OpenAI (chat and responses), Anthropic, Google, Amazon Bedrock, the Vercel AI SDK, LangChain, OpenTelemetry's
`parts`, and OpenInference's flattened attributes once `parse.nested` has put them together. A shape that is not known
is shown as JSON, never lost. What says nothing is no part.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traces.store.values.parse import as_list, decoded, pretty

from .media import media, named
from .types import Part, PartKind

_TEXT_TYPES = {"text", "input_text", "output_text", "refusal", "summary_text"}
_REASONING_TYPES = {"reasoning", "thinking", "reasoning_text", "redacted_thinking", "reasoning_content"}
_CALL_TYPES = {
    *("tool_call", "tool-call", "tool_use", "function", "function_call", "server_tool_use", "custom_tool_call"),
    *("mcp_call", "input_json_delta"),
}
RESULT_TYPES = {
    *("tool_call_response", "tool_result", "tool-result", "function_call_output", "custom_tool_call_output"),
}
_MEDIA_TYPES = {
    *("image", "image_url", "input_image", "audio", "input_audio", "output_audio", "video", "file", "input_file"),
    *("document", "blob", "uri", "media"),
}
_KNOWN = _TEXT_TYPES | _REASONING_TYPES | _CALL_TYPES | RESULT_TYPES | _MEDIA_TYPES
# Parts that say by their one key what they are: Bedrock's and Google's.
_CALL_KEYS = ("toolUse", "functionCall", "function_call", "tool_call")
_RESULT_KEYS = ("toolResult", "functionResponse", "function_response")
_MEDIA_KEYS = (
    *("inline_data", "inlineData", "file_data", "fileData", "image", "image_url", "document", "video", "input_audio"),
)
_KEYED = {"text", "reasoningContent", *_CALL_KEYS, *_RESULT_KEYS, *_MEDIA_KEYS}


def parts(content: Any, *, keyed: bool = False) -> Iterator[Part]:
    """The parts of a message's content. A text may be a list of parts that somebody wrote as JSON: of parts with a
    `type`, and with `keyed` also of those that Bedrock writes without.
    """
    if isinstance(content, str):
        structure = decoded(content)
        if is_part_list(structure, keyed):
            content = structure
    for each in as_list(content):
        found = part(each)
        if found.text or found.name or found.id:
            yield found


def is_part_list(value: Any, keyed: bool) -> bool:
    """Whether a value is nothing but parts; users' own JSON is none. `keyed`: see `parts`."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(each, Mapping) and (text_of(each.get("type")) in _KNOWN or (keyed and bool(_KEYED & set(each))))
            for each in value
        )
    )


def part(value: Any) -> Part:
    """One part; whoever calls leaves out those that say nothing."""
    if isinstance(value, str):
        return Part(PartKind.TEXT, text=value)
    if not isinstance(value, Mapping):
        return Part(PartKind.OTHER, text=pretty(named(value)))
    kind = text_of(value.get("type"))
    if inner := _inner(value, _CALL_KEYS):
        return call(inner)
    if isinstance(value.get("message_content"), Mapping):  # OpenInference
        return part(value["message_content"])
    if kind in _REASONING_TYPES or "reasoningContent" in value or value.get("thought") is True:
        return Part(PartKind.REASONING, text=_reasoning(value))
    if kind in _CALL_TYPES:
        return call(value)
    if kind in RESULT_TYPES:
        return _result(value)
    if inner := _inner(value, _RESULT_KEYS):
        return _result(inner)
    if kind in _MEDIA_TYPES or (not kind and any(key in value for key in _MEDIA_KEYS)):
        return media(kind or next(key for key in _MEDIA_KEYS if key in value), value)
    if kind in _TEXT_TYPES or (not kind and isinstance(value.get("text") or value.get("content"), str)):
        return Part(PartKind.TEXT, text=_words(value, "text", "content", "refusal"))
    return Part(PartKind.OTHER, text=pretty(named(value)))


def call(value: Any) -> Part:
    """A tool call: OpenAI's `function`, Anthropic's and Vercel's `input`, LangChain's `args`, OpenTelemetry's
    `arguments`.
    """
    if isinstance(value, str):
        value = decoded(value)
    if isinstance(value, Mapping) and isinstance(value.get("tool_call"), Mapping):  # OpenInference
        value = value["tool_call"]
    if not isinstance(value, Mapping):
        return Part(PartKind.TOOL_CALL, text=pretty(named(value)))
    inner = value.get("function")
    function = inner if isinstance(inner, Mapping) else value
    arguments = next((function[key] for key in ("arguments", "input", "args", "parameters") if key in function), "")
    if isinstance(arguments, str):
        arguments = decoded(arguments)
    return Part(
        PartKind.TOOL_CALL,
        text=pretty(named(arguments)),
        name=text_of(function.get("name") or value.get("name") or value.get("toolName")),
        id=_id(value),
    )


def _result(value: Mapping[str, Any]) -> Part:
    found = next((value[key] for key in ("response", "result", "content", "output") if value.get(key)), "")
    return Part(
        PartKind.TOOL_RESULT,
        text=result_text(found),
        name=text_of(value.get("name") or value.get("toolName")),
        id=_id(value),
    )


def result_text(value: Any) -> str:
    """What a tool gave back as text: the words of its parts, JSON for what has none."""
    if isinstance(value, Mapping):
        if text_of(value.get("type")) in ("text", "json", "error-text", "error-json", "content") and "value" in value:
            return result_text(value["value"])  # Vercel
        if set(value) == {"json"}:  # Bedrock
            return pretty(named(value["json"]))
    if is_part_list(value, keyed=True):
        return "\n".join(label(part(each)) for each in value)
    return pretty(named(value))


def label(found: Part) -> str:
    """A part as a line of text."""
    if found.kind is PartKind.MEDIA:
        return f"[{found.name}: {found.text}]" if found.name and found.text else f"[{found.name or 'media'}]"
    return f"{found.name}({found.text})" if found.kind is PartKind.TOOL_CALL else found.text


def _reasoning(value: Mapping[str, Any]) -> str:
    inner = value.get("reasoningContent")
    if isinstance(inner, Mapping):  # Bedrock
        told = inner.get("reasoningText")
        value = told if isinstance(told, Mapping) else inner
    return _words(value, "content", "text", "thinking", "reasoning", "summary")


def _inner(value: Mapping[str, Any], keys: tuple[str, ...]) -> Mapping[str, Any] | None:
    return next((value[key] for key in keys if isinstance(value.get(key), Mapping)), None)


def _id(value: Mapping[str, Any]) -> str:
    keys = ("call_id", "tool_use_id", "toolUseId", "toolCallId", "tool_call_id", "id")
    return text_of(next((value[key] for key in keys if value.get(key)), ""))


def _words(value: Mapping[str, Any], *keys: str) -> str:
    """The first of `keys` that holds something, as text."""
    for key in keys:
        inner = value.get(key)
        if isinstance(inner, list) and inner and all(isinstance(each, Mapping) and "text" in each for each in inner):
            return "\n".join(text_of(each["text"]) for each in inner)
        if inner not in (None, "", [], {}):
            return pretty(named(inner))
    return ""


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
