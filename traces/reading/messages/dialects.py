"""Where each client puts the messages of an LLM call. Recorded examples: tests/payloads."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from traces.store.values.parse import as_list, decoded, nested, pretty

from . import normal
from .types import Message

Attributes = Mapping[str, str]
Reader = Callable[[Attributes], Iterable[Message]]


@dataclass(frozen=True)
class MessageDialect:
    """How one kind of client writes what was asked and what was answered."""

    name: str
    asked: Reader
    answered: Reader


def _one(key: str, role: str) -> Reader:
    """Messages as JSON in one attribute."""

    def read(attributes: Attributes) -> list[Message]:
        text = attributes.get(key, "")
        return normal.messages(decoded(text), role) if text else []

    return read


def _numbered(prefix: str, role: str) -> Reader:
    """Messages spread over attributes: `{prefix}0.role`, `{prefix}0.content` …"""

    def read(attributes: Attributes) -> list[Message]:
        found = nested(dict(attributes), prefix)
        return normal.messages(found, role) if isinstance(found, list) else []

    return read


def _raw(attributes: Attributes, *names: str) -> Any:
    """LiteLLM's raw provider request: `llm.<provider>.<name>`, in Python notation."""
    for key, text in attributes.items():
        parts = key.split(".")
        if len(parts) == 3 and parts[0] == "llm" and parts[2] in names and text:
            value = decoded(text)
            if isinstance(value, list | dict):
                return value
    return None


def _traceloop(key: str, role: str) -> Reader:
    """`traceloop.entity.input` of an LLM task, when it holds messages rather than arguments."""

    def read(attributes: Attributes) -> list[Message]:
        value = decoded(attributes.get(key, ""))
        if isinstance(value, dict):
            value = value.get("messages") or value.get("outputs") or []
        is_messages = isinstance(value, list) and all(isinstance(each, dict) and "role" in each for each in value)
        return normal.messages(value, role) if is_messages else []

    return read


# The order matters where a span speaks several: the fullest first.
DIALECTS = (
    MessageDialect(
        "OpenTelemetry GenAI, LiteLLM",
        _one("gen_ai.input.messages", "user"),
        _one("gen_ai.output.messages", "assistant"),
    ),
    MessageDialect(
        "OpenLLMetry and AgentOps, numbered",
        _numbered("gen_ai.prompt.", "user"),
        _numbered("gen_ai.completion.", "assistant"),
    ),
    MessageDialect(
        "OpenInference",
        _numbered("llm.input_messages.", "user"),
        _numbered("llm.output_messages.", "assistant"),
    ),
    MessageDialect(
        "Langfuse",
        _one("langfuse.observation.input", "user"),
        _one("langfuse.observation.output", "assistant"),
    ),
    MessageDialect(
        "Traceloop entities",
        _traceloop("traceloop.entity.input", "user"),
        _traceloop("traceloop.entity.output", "assistant"),
    ),
    MessageDialect(
        "LiteLLM, the provider's own request",
        lambda attributes: normal.messages(_raw(attributes, "messages", "input", "prompt", "contents"), "user"),
        lambda attributes: normal.messages(_raw(attributes, "choices", "output", "content"), "assistant"),
    ),
    MessageDialect(
        "plain prompt and completion", _one("gen_ai.prompt", "user"), _one("gen_ai.completion", "assistant")
    ),
)


def instructions(attributes: Attributes) -> str:
    """The system prompt where it stands apart from the messages."""
    value = decoded(attributes.get("gen_ai.system_instructions", ""))
    if isinstance(value, list):
        return "\n".join(part.text for each in value for part in normal.message(each, "system").parts)
    return pretty(value)


def offered_tools(attributes: Attributes) -> list[str]:
    """The names of the tools a model could call."""
    found: list[Any] = as_list(decoded(attributes.get("gen_ai.tool.definitions", "")))
    for prefix in ("llm.request.functions.", "gen_ai.request.functions."):
        found = found or as_list(nested(dict(attributes), prefix))
    if not found:
        tools = as_list(nested(dict(attributes), "llm.tools."))
        found = [_schema(each) for each in tools]
    return [name for name in map(_tool_name, found) if name]


def _schema(entry: Any) -> Any:
    """OpenInference's `tool.json_schema` of one tool."""
    tool = entry.get("tool") if isinstance(entry, Mapping) else None
    text = tool.get("json_schema") if isinstance(tool, Mapping) else None
    return decoded(text) if isinstance(text, str) else None


def _tool_name(tool: Any) -> str:
    if not isinstance(tool, Mapping):
        return tool if isinstance(tool, str) else ""
    function = tool.get("function")
    inner = function if isinstance(function, Mapping) else tool
    return str(inner.get("name") or "")
