"""Input and output of spans that are no LLM call: tools, agents, tasks, retrievers, guardrails."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traces.store.values.parse import decoded, pretty
from traces.store.values.readable import readable

from . import normal
from .media import named, named_text
from .parts import result_text
from .sent import Sent
from .span_events import tool_values

_KINDS = ("entity", "session", "workflow", "agent", "task", "operation", "tool", "guardrail")

_INPUTS = (
    *(f"agentops.{kind}.input" for kind in _KINDS),
    *("traceloop.entity.input", "gen_ai.tool.call.arguments", "langfuse.observation.input", "input.value"),
    *("ai.toolCall.args", "ai.value", "ai.values", "mlflow.spanInputs", "gcp.vertex.agent.tool_call_args"),
    *("agent.inputs", "mcp.request.argument", "guardrail_request", "litellm.guardrail.request"),
    *("lk.function_tool.arguments", "lk.user_transcript", "lk.pii.user_transcript", "lk.input_text"),
    *("tool_arguments", "tool_input", "input", "user_prompt"),
)
_OUTPUTS = (
    *(f"agentops.{kind}.output" for kind in _KINDS),
    *("traceloop.entity.output", "gen_ai.tool.call.result", "tool.result", "langfuse.observation.output"),
    *("output.value", "ai.toolCall.result", "mlflow.spanOutputs", "gcp.vertex.agent.tool_response"),
    *("lk.function_tool.output", "lk.pii.function_tool.output", "lk.response.text"),
    *("agent.outputs", "mcp.response.value", "tool_response", "tool_output", "final_result", "output"),
)
# What a tool takes, in OpenInference; a few clients put what it was given there.
_PARAMETERS = "tool.parameters"
# Whose writers put every value into quotes.
_QUOTED = ("ai.toolCall.", "ai.value", "mlflow.", "agentops.", "traceloop.")
_GUARDRAIL_RESPONSES = ("guardrail_response", "litellm.guardrail.response", "agentops.guardrail.output")
_MASKED = ("masked_entity_count", "litellm.guardrail.masked_entity_count")


@dataclass(frozen=True)
class Payload:
    """Texts to show, structures indented; '' where the client sent nothing."""

    input: str
    output: str
    guardrail_response: str
    masked_entities: str


def payload_of(sent: Sent) -> Payload:
    """What went into a span and what came out, from the first dialect that says so."""
    arguments, result = tool_values(sent)
    return Payload(
        input=_first(sent, _INPUTS) or arguments or _parameters(sent),
        output=_first(sent, _OUTPUTS) or result,
        # A word such as "allow" is sent as JSON, quotes included.
        guardrail_response=pretty(named(sent.value(*_GUARDRAIL_RESPONSES))),
        masked_entities=_first(sent, _MASKED),
    )


def _first(sent: Sent, keys: tuple[str, ...]) -> str:
    return next((_text(key, sent.attributes[key]) for key in keys if sent.attributes.get(key)), "")


def _text(key: str, text: str) -> str:
    value = decoded(text)
    if isinstance(value, Mapping) and value.get("type") == "tool" and normal.is_messages(value):
        return "\n".join(part.text for message in normal.messages(value, "tool") for part in message.parts)
    if isinstance(value, dict | list | tuple):
        return pretty(named(_unquoted(value) if key == "ai.values" else value))
    if isinstance(value, str) and key.startswith(_QUOTED):
        return named_text(value)
    return named_text(readable(text))


def _unquoted(value: Any) -> Any:
    return [decoded(each) if isinstance(each, str) else each for each in value]


def _parameters(sent: Sent) -> str:
    value = sent.value(_PARAMETERS)
    return "" if not value or _is_schema(value) else result_text(value)


def _is_schema(value: Any) -> bool:
    """Whether it says what a tool takes: a JSON schema, or the properties of one."""
    if not isinstance(value, Mapping):
        return False
    return "properties" in value or all(isinstance(each, Mapping) and "type" in each for each in value.values())
