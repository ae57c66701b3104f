"""Where frameworks put messages: in attributes of their own, in the shape of the provider that they called."""

from collections.abc import Iterator, Mapping
from typing import Any

from traces.store.values.parse import as_list

from . import normal
from .parts import call
from .sent import Reader, Sent
from .types import Message, Part, PartKind

# Kinds of OpenInference whose input and output are values, though a tool may give back a message.
_NO_TALK = ("TOOL", "RETRIEVER", "EMBEDDING", "RERANKER", "GUARDRAIL", "EVALUATOR")


def vercel_asked(sent: Sent) -> list[Message]:
    """`ai.prompt.messages` of a call, `ai.prompt` of what is around it: `{"system", "prompt" or "messages"}`."""
    return normal.request(sent.value("ai.prompt.messages", "ai.prompt"))


def vercel_answered(sent: Sent) -> Iterator[Message]:
    parts = [
        *(Part(PartKind.REASONING, text) for text in [sent.text("ai.response.reasoning")] if text),
        *(Part(PartKind.TEXT, text) for text in [sent.text("ai.response.text", "ai.result.text")] if text),
        *(Part(PartKind.TEXT, text) for text in [sent.text("ai.response.object", "ai.result.object")] if text),
        *map(call, as_list(sent.value("ai.response.toolCalls", "ai.result.toolCalls"))),
    ]
    for message in normal.messages({"role": "assistant", "content": sent.value("ai.response.files") or None}, ""):
        parts += message.parts
    reason = sent.text("ai.response.finishReason", "ai.finishReason")
    if parts or reason:
        yield Message("assistant", tuple(parts), finish_reason=reason)


def langfuse(key: str, role: str) -> Reader:
    """Input and output of an observation. Of a generation they are messages; of a tool, a span or an agent, whatever
    went in and came out, unless it names its roles.
    """

    def read(sent: Sent) -> list[Message]:
        value = sent.value(key)
        is_generation = sent.attributes.get("langfuse.observation.type") in ("generation", "embedding", None)
        if not is_generation and not normal.is_messages(value):
            return []
        return normal.request(value) if role == "user" else normal.messages(value, role)

    return read


def mlflow_asked(sent: Sent) -> list[Message]:
    value = sent.value("mlflow.spanInputs")
    return normal.request(value) if _is_mlflow_call(sent) or normal.is_messages(value) else []


def mlflow_answered(sent: Sent) -> list[Message]:
    value = sent.value("mlflow.spanOutputs")
    return normal.messages(value, "assistant") if _is_mlflow_call(sent) or normal.is_messages(value) else []


def _is_mlflow_call(sent: Sent) -> bool:
    return sent.value("mlflow.spanType") in ("CHAT_MODEL", "LLM")


def logfire_asked(sent: Sent) -> list[Message]:
    """Pydantic's Logfire: the request, or in attributes of everyday names what names its roles."""
    data = sent.value("request_data")
    found = normal.request(data) if isinstance(data, Mapping) else []
    if found:
        return found
    raw = sent.value("raw_input")
    return normal.messages(raw, "user") if raw else _if_messages(sent.value("input"), "user")


def logfire_answered(sent: Sent) -> list[Message]:
    data = sent.value("response_data")
    if isinstance(data, Mapping):
        streamed = data.get("combined_chunk_content")
        return normal.messages(streamed if isinstance(streamed, str) else data, "assistant")
    response = sent.value("response")
    if isinstance(response, Mapping) and isinstance(response.get("output"), list):
        return normal.messages(response, "assistant")
    return _if_messages(sent.value("output"), "assistant")


def agent_run(sent: Sent) -> tuple[list[Message], list[Message]]:
    """Pydantic AI's agent tells the whole conversation: what was asked, and the answer at its end."""
    told = normal.messages(sent.value("pydantic_ai.all_messages"), "user")
    return _parted(told) if told else ([], [])


def state(key: str, *, answer: bool) -> Reader:
    """Input and output of chains and agents: LangChain's and LangGraph's messages. What comes out is the state: the
    answer is what follows the last word of the user.
    """

    def read(sent: Sent) -> list[Message]:
        value = sent.value(key)
        if sent.attributes.get("openinference.span.kind") in _NO_TALK or not normal.is_messages(value):
            return []
        found = normal.messages(value, "assistant" if answer else "user")
        if not answer:
            return found
        last = max((number for number, each in enumerate(found) if each.role in ("user", "system")), default=-1)
        return found[last + 1 :]

    return read


def adk_asked(sent: Sent) -> list[Message]:
    """Google's ADK: the request with its instructions in `config`."""
    value = sent.value("gcp.vertex.agent.llm_request")
    if not isinstance(value, Mapping):
        return []
    config = value.get("config")
    told = config.get("system_instruction") if isinstance(config, Mapping) else None
    return normal.request({"system_instruction": told, **value})


def claude_code_asked(sent: Sent) -> list[Message]:
    """What Claude Code adds to the conversation with each request; on the span around them, the prompt."""
    told = normal.messages(sent.text("user_system_prompt"), "system") if sent.text("user_system_prompt") else []
    text = sent.text("new_context", "user_prompt")
    is_its = "span.type" in sent.attributes and text
    return [*told, Message("user", (Part(PartKind.TEXT, text),))] if is_its else []


def openinference_prompt(sent: Sent) -> list[Message]:
    """Of calls that are no chat: `llm.prompts`, as a list of texts or numbered, else the input when it is text."""
    prompts = as_list(sent.value("llm.prompts")) or as_list(sent.numbered("llm.prompts."))
    return normal.messages([_inner(each, "prompt") for each in prompts], "user") or _plain_value(sent, "input", "user")


def openinference_completion(sent: Sent) -> list[Message]:
    choices = as_list(sent.numbered("llm.choices."))
    found = normal.messages([_inner(each, "completion") for each in choices], "assistant")
    return found or _plain_value(sent, "output", "assistant")


def _inner(value: Any, key: str) -> Any:
    return value[key] if isinstance(value, Mapping) and isinstance(value.get(key), Mapping) else value


def _plain_value(sent: Sent, side: str, role: str) -> list[Message]:
    value = sent.value(f"{side}.value")
    is_call = sent.attributes.get("openinference.span.kind") == "LLM"
    return normal.messages(value, role) if is_call and isinstance(value, str) else []


def _if_messages(value: Any, role: str) -> list[Message]:
    return normal.messages(value, role) if normal.is_messages(value) else []


def _parted(told: list[Message]) -> tuple[list[Message], list[Message]]:
    is_answered = told[-1].role == "assistant"
    return (told[:-1], told[-1:]) if is_answered else (told, [])
