"""Input and output of spans that are no LLM call: tools, agents, tasks, retrievers, guardrails."""

from collections.abc import Mapping
from dataclasses import dataclass

from traces.store.values.parse import decoded, pretty, pretty_text

_KINDS = ("entity", "session", "workflow", "agent", "task", "operation", "tool", "guardrail")

_INPUTS = (
    *(f"agentops.{kind}.input" for kind in _KINDS),
    *("traceloop.entity.input", "gen_ai.tool.call.arguments", "tool.parameters", "langfuse.observation.input"),
    *("input.value", "agent.inputs", "mcp.request.argument", "guardrail_request", "litellm.guardrail.request"),
)
_OUTPUTS = (
    *(f"agentops.{kind}.output" for kind in _KINDS),
    *("traceloop.entity.output", "gen_ai.tool.call.result", "tool.result", "langfuse.observation.output"),
    *("output.value", "agent.outputs", "mcp.response.value"),
)
_GUARDRAIL_RESPONSES = ("guardrail_response", "litellm.guardrail.response", "agentops.guardrail.output")
_MASKED = ("masked_entity_count", "litellm.guardrail.masked_entity_count")


@dataclass(frozen=True)
class Payload:
    """Texts to show, structures indented; '' where the client sent nothing."""

    input: str
    output: str
    guardrail_response: str
    masked_entities: str


def payload(attributes: Mapping[str, str]) -> Payload:
    """What went into a span and what came out, from the first dialect that says so."""
    return Payload(
        input=_first(attributes, _INPUTS),
        output=_first(attributes, _OUTPUTS),
        # A word such as "allow" is sent as JSON, quotes included.
        guardrail_response=pretty(
            decoded(next((attributes[key] for key in _GUARDRAIL_RESPONSES if attributes.get(key)), ""))
        ),
        masked_entities=_first(attributes, _MASKED),
    )


def _first(attributes: Mapping[str, str], keys: tuple[str, ...]) -> str:
    return next((pretty_text(attributes[key]) for key in keys if attributes.get(key)), "")
