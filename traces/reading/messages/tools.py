"""The tools that a model could call: declared, not called."""

from collections.abc import Iterator, Mapping
from typing import Any

from traces.store.values.parse import as_list, decoded

from .parts import text_of
from .roles import is_declaration
from .sent import Sent

_LISTS = ("gen_ai.tool.definitions", "ai.prompt.tools", "mlflow.chat.tools", "gen_ai.agent.tools")
_NUMBERED = ("llm.request.functions.", "gen_ai.request.functions.")
# What requests are told whole in, with their tools.
_REQUESTS = ("langfuse.observation.input", "mlflow.spanInputs", "request_data")


def offered_tools(sent: Sent) -> list[str]:
    """Their names, from the first dialect that tells some."""
    names = (_names(found) for found in _told(sent))
    return next((each for each in names if each), [])


def _told(sent: Sent) -> Iterator[list[Any]]:
    for key in _LISTS:
        yield [decoded(each) if isinstance(each, str) else each for each in as_list(sent.value(key))]
    for prefix in _NUMBERED:
        yield as_list(sent.numbered(prefix))
    yield [_schema(each) for each in as_list(sent.numbered("llm.tools."))]
    for key in _REQUESTS:
        value = sent.value(key)
        if isinstance(value, Mapping):
            yield as_list(value.get("tools"))
        yield [each["content"] for each in as_list(value) if is_declaration(each)]


def _names(tools: list[Any]) -> list[str]:
    return [name for name in map(_name, tools) if name]


def _schema(entry: Any) -> Any:
    """OpenInference's `tool.json_schema` of one tool."""
    tool = entry.get("tool") if isinstance(entry, Mapping) else None
    text = tool.get("json_schema") if isinstance(tool, Mapping) else None
    return decoded(text) if isinstance(text, str) else None


def _name(tool: Any) -> str:
    if not isinstance(tool, Mapping):
        return tool if isinstance(tool, str) else ""
    function = tool.get("function")
    inner = function if isinstance(function, Mapping) else tool
    return text_of(inner.get("name"))
