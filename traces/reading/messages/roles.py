"""Who said something, in the words of one client or another; and what LangChain wraps around a message."""

from collections.abc import Mapping
from typing import Any

from traces.store.values.parse import decoded

from .parts import RESULT_TYPES, text_of

_SAME = {
    "human": "user",
    **dict.fromkeys(("model", "ai", "chatbot", "bot", "tool-call"), "assistant"),
    **dict.fromkeys(("function", "tool-response", "tool_response"), "tool"),
}
# As `type`, not as `role`: {"type": "human", "content": …}, AIMessageChunk …
_LANGCHAIN = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "tool"}
_SCHEMA = {"parameters", "input_schema", "inputSchema"}
KNOWN = {"system", "developer", "user", "assistant", "tool", *_SAME}


def unwrapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message as LangChain's `dumpd` or `messages_to_dict` writes it, without what they put around it."""
    kwargs, data = value.get("kwargs"), value.get("data")
    if "lc" in value and isinstance(kwargs, Mapping):
        path = value.get("id")
        name = path[-1] if isinstance(path, list) and path else ""
        return {**kwargs, "type": text_of(kwargs.get("type") or name)}
    if isinstance(data, Mapping) and "content" in data and _LANGCHAIN.get(_kind(value)):
        return {**data, "type": value["type"]}
    return value


def role_of(value: Mapping[str, Any]) -> str:
    """The role that a message itself names; '' when it names none."""
    role = text_of(value.get("role")).lower().rpartition("messagerole.")[2]
    if role:
        return _SAME.get(role, role)
    if text_of(value.get("type")) in RESULT_TYPES:
        return "tool"
    return langchain_role(value)


def langchain_role(value: Mapping[str, Any]) -> str:
    """Of a message whose `type` is its role; '' for all others."""
    return _LANGCHAIN.get(_kind(value), "") if "content" in value else ""


def _kind(value: Mapping[str, Any]) -> str:
    return text_of(value.get("type")).lower().removesuffix("chunk").removesuffix("message")


def is_declaration(value: Any) -> bool:
    """Whether a message of role `tool` is no result: Langfuse's callback writes the tools that way."""
    if not isinstance(value, Mapping) or text_of(value.get("role")) != "tool":
        return False
    content = value.get("content")
    content = decoded(content) if isinstance(content, str) else content
    inner = content.get("function") if isinstance(content, Mapping) else None
    function = inner if isinstance(inner, Mapping) else content
    return isinstance(function, Mapping) and "name" in function and bool(_SCHEMA & set(function))
