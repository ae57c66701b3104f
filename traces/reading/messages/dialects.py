"""Where each client puts the messages of an LLM call. Recorded examples: tests/payloads."""

from traces.store.values.parse import decoded, pretty

from . import frameworks, normal, span_events
from .sent import MessageDialect, Reader, Sent
from .types import Message


def _one(key: str, role: str) -> Reader:
    """Messages as JSON in one attribute."""

    def read(sent: Sent) -> list[Message]:
        text = sent.text(key)
        return normal.messages(decoded(text), role) if text else []

    return read


def _numbered(prefix: str, role: str) -> Reader:
    """Messages spread over attributes: `{prefix}0.role`, `{prefix}0.content` …"""

    def read(sent: Sent) -> list[Message]:
        found = sent.numbered(prefix)
        return normal.messages(found, role) if isinstance(found, list) else []

    return read


def _raw(role: str, *names: str) -> Reader:
    """LiteLLM's raw provider request: `llm.<provider>.<name>`, in Python notation."""

    def read(sent: Sent) -> list[Message]:
        for key, text in sent.attributes.items():
            parts = key.split(".", 3)
            if len(parts) == 3 and parts[0] == "llm" and parts[2] in names and text:
                value = decoded(text)
                if isinstance(value, list | dict):
                    return normal.messages(value, role)
        return []

    return read


def _traceloop(key: str, role: str) -> Reader:
    """`traceloop.entity.input` of an LLM task, when it holds messages rather than arguments."""

    def read(sent: Sent) -> list[Message]:
        value = sent.value(key)
        if isinstance(value, dict):
            value = value.get("messages") or value.get("outputs") or []
        return normal.messages(value, role) if normal.is_messages(value) else []

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
    MessageDialect("Vercel AI SDK", frameworks.vercel_asked, frameworks.vercel_answered),
    MessageDialect(
        "Langfuse",
        frameworks.langfuse("langfuse.observation.input", "user"),
        frameworks.langfuse("langfuse.observation.output", "assistant"),
    ),
    MessageDialect(
        "Traceloop entities",
        _traceloop("traceloop.entity.input", "user"),
        _traceloop("traceloop.entity.output", "assistant"),
    ),
    MessageDialect(
        "LiteLLM, the provider's own request",
        _raw("user", "messages", "input", "prompt", "contents"),
        _raw("assistant", "choices", "output", "content"),
    ),
    MessageDialect(
        "plain prompt and completion", _one("gen_ai.prompt", "user"), _one("gen_ai.completion", "assistant")
    ),
    MessageDialect("OpenTelemetry GenAI up to 1.36, span events", span_events.asked, span_events.answered),
    MessageDialect(
        "Pydantic Logfire, events as an attribute",
        lambda sent: span_events.listed_asked(sent.value("events", "all_messages_events")),
        lambda sent: span_events.listed_answered(sent.value("events", "all_messages_events")),
    ),
    MessageDialect("Pydantic Logfire, requests", frameworks.logfire_asked, frameworks.logfire_answered),
    MessageDialect(
        "Pydantic AI, agents",
        lambda sent: frameworks.agent_run(sent)[0],
        lambda sent: frameworks.agent_run(sent)[1],
    ),
    MessageDialect("MLflow", frameworks.mlflow_asked, frameworks.mlflow_answered),
    MessageDialect("Google ADK", frameworks.adk_asked, _one("gcp.vertex.agent.llm_response", "assistant")),
    MessageDialect("Claude Code", frameworks.claude_code_asked, _one("response.model_output", "assistant")),
    MessageDialect(
        "OpenInference, text completions",
        frameworks.openinference_prompt,
        frameworks.openinference_completion,
    ),
    MessageDialect(
        "LangChain and LangGraph, state",
        frameworks.state("input.value", answer=False),
        frameworks.state("output.value", answer=True),
    ),
)


def instructions(sent: Sent) -> str:
    """The system prompt where it stands apart from the messages."""
    value = sent.value("gen_ai.system_instructions")
    if isinstance(value, list):
        return "\n".join(part.text for each in value for part in normal.message(each, "system").parts)
    return pretty(value)
