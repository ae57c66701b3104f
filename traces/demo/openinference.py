"""Questions to a handbook, traced with OpenInference (the convention of Arize Phoenix): chain → retriever → LLM."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from .catalogue import EMBEDDING, Model, Usage, estimate_tokens
from .otlp import ERROR, OK, Scope, Service, Value, exception
from .recorder import Recorder

SERVICE = Service(
    {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.45.2",
        "service.name": "handbook-qa",
        "deployment.environment.name": "production",
        "openinference.project.name": "handbook-qa",
        "portal.sample": True,
    }
)
APPLICATION = Scope("handbook_qa")
INSTRUMENTATION = Scope("openinference.instrumentation.openai", "0.1.66")


@dataclass(frozen=True)
class Question:
    text: str
    passages: Sequence[str]
    answer: str
    system: str
    user: str
    session: str
    error: str = ""  # what the model's provider answered instead


def answered(recorder: Recorder, start: int, question: Question, model: Model) -> int:
    """Write the trace of one question; `start` and the returned end are nanoseconds."""
    trace = recorder.trace(SERVICE)
    recorder.tally.sessions.add(question.session)
    recorder.tally.users.add(question.user)
    root = trace.span("handle-question", APPLICATION, start, start, attributes=_root(question))
    clock = start + recorder.milliseconds(0.5, 2)
    retriever = trace.span("retrieve", APPLICATION, clock, clock, parent=root, attributes=_retriever(question))
    embedded = clock + recorder.milliseconds(60, 180)
    usage = Usage(estimate_tokens(question.text), 0)
    attributes = _embedding(question, usage, recorder)
    trace.span("CreateEmbeddings", INSTRUMENTATION, clock, embedded, parent=retriever, status=OK, attributes=attributes)
    recorder.count_call(EMBEDDING, usage)
    retriever.end_time_unix_nano = embedded + recorder.milliseconds(8, 40)
    retriever.status.code = OK
    clock = retriever.end_time_unix_nano
    messages = _messages(question)
    usage = Usage(sum(estimate_tokens(text) + 4 for _, text in messages), estimate_tokens(question.answer))
    failed = bool(question.error)
    end = clock + (recorder.milliseconds(150, 700) if failed else model.latency(usage, recorder.chance))
    trace.span(
        "ChatCompletion",
        INSTRUMENTATION,
        clock,
        end,
        parent=root,
        status=ERROR if failed else OK,
        message=question.error,
        attributes=_llm(question, model, messages, usage),
        events=[exception(end, "openai.InternalServerError", question.error)] if failed else [],
    )
    recorder.count_call(model, None if failed else usage)
    root.end_time_unix_nano = end + recorder.milliseconds(0.3, 1)
    root.status.code = ERROR if failed else OK
    return root.end_time_unix_nano


def _root(question: Question) -> dict[str, Value]:
    attributes: dict[str, Value] = {
        "openinference.span.kind": "CHAIN",
        "session.id": question.session,
        "user.id": question.user,
        "tag.tags": ["handbook", "rag"],
        "input.value": question.text,
    }
    return attributes if question.error else attributes | {"output.value": question.answer}


def _retriever(question: Question) -> dict[str, Value]:
    attributes: dict[str, Value] = {"openinference.span.kind": "RETRIEVER", "input.value": question.text}
    for index, passage in enumerate(question.passages):
        prefix = f"retrieval.documents.{index}.document"
        attributes[f"{prefix}.id"] = f"handbook-{estimate_tokens(passage):03}"
        attributes[f"{prefix}.content"] = passage
        attributes[f"{prefix}.score"] = round(0.91 - 0.07 * index, 2)
    return attributes


def _embedding(question: Question, usage: Usage, recorder: Recorder) -> dict[str, Value]:
    return {
        "openinference.span.kind": "EMBEDDING",
        "llm.system": "openai",
        "embedding.model_name": EMBEDDING.name,
        "embedding.embeddings.0.embedding.text": question.text,
        "embedding.embeddings.0.embedding.vector": [round(recorder.chance.gauss(0, 0.05), 6) for _ in range(8)],
        "llm.token_count.prompt": usage.input,
        "llm.token_count.total": usage.total,
    }


def _llm(question: Question, model: Model, messages: Sequence[tuple[str, str]], usage: Usage) -> dict[str, Value]:
    request = {"model": model.name, "messages": [{"role": role, "content": text} for role, text in messages]}
    attributes: dict[str, Value] = {
        "openinference.span.kind": "LLM",
        "llm.system": "openai",
        "input.value": json.dumps(request, ensure_ascii=False),
        "input.mime_type": "application/json",
        "llm.invocation_parameters": json.dumps({"model": model.name, "temperature": 0.1}),
        "llm.model_name": model.name,
    }
    for index, (role, text) in enumerate(messages):
        attributes[f"llm.input_messages.{index}.message.role"] = role
        attributes[f"llm.input_messages.{index}.message.content"] = text
    if question.error:
        return attributes
    return attributes | {
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": question.answer,
        "llm.finish_reason": "stop",
        "llm.token_count.prompt": usage.input,
        "llm.token_count.completion": usage.output,
        "llm.token_count.total": usage.total,
    }


def _messages(question: Question) -> list[tuple[str, str]]:
    context = "\n".join(f"[{number}] {passage}" for number, passage in enumerate(question.passages, 1))
    return [("system", f"{question.system}\n\n{context}"), ("user", question.text)]
