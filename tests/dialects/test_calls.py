"""Calls in the words of clients that nobody recorded, and of people: what a span carries makes it one."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from agentops_portal.clickhouse.client import get_client
from tests.receiver import Receiver, entry_of
from traces.ingest.otlp import receiver

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

USED = {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}
LANGFUSE = {"langfuse.observation.type": "generation", "langfuse.observation.model.name": "m"}
PAID = {"gen_ai.request.model": "m", "gen_ai.cost.total_cost": 0.04}
LLM = {"openinference.span.kind": "LLM", "llm.model_name": "m"}


def langfuse(**counts: Any) -> dict[str, Any]:
    return {**LANGFUSE, "langfuse.observation.usage_details": json.dumps(counts)}


def in_usage(**counts: Any) -> dict[str, Any]:
    return {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.raw": json.dumps(counts)}


# What it is → attributes, and columns that must have these values.
CALLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no operation": (USED, {"type": "llm", "calls": 1, "input": 100, "output": 20, "operation": "chat"}),
    "a task's name": ({**USED, "gen_ai.operation.name": "self_check_facts"}, {"type": "llm", "calls": 1}),
    "answered": ({"gen_ai.prompt": "hi", "gen_ai.completion": "hello"}, {"type": "llm", "calls": 1}),
    "messages": ({"gen_ai.request.model": "m", "gen_ai.input.messages": "[]"}, {"type": "llm", "calls": 1}),
    "a model alone": ({"gen_ai.request.model": "m"}, {"type": "other", "calls": 0}),
    "usage alone": ({"gen_ai.usage.input_tokens": 7}, {"type": "other", "calls": 0, "input": 0}),
    "mlflow": (
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.llm.model": '"gpt-4o-mini"',
            "mlflow.llm.provider": '"openai"',
            "mlflow.chat.tokenUsage": '{"input_tokens": 11, "output_tokens": 5, "total_tokens": 16}',
            "mlflow.llm.cost": '{"input_cost": 0.01, "output_cost": 0.02, "total_cost": 0.03}',
        },
        {"type": "llm", "model": "gpt-4o-mini", "provider": "openai", "input": 11, "output": 5, "cost": 0.03},
    ),
    "an agent": ({**USED, "gen_ai.operation.name": "invoke_agent"}, {"type": "agent", "calls": 0, "input": 0}),
    "a chain": ({**USED, "openinference.span.kind": "CHAIN"}, {"type": "chain", "calls": 0, "input": 0}),
    "its own kind": (
        {"gen_ai.operation.name": "invoke_agent", "traceloop.span.kind": "task"},
        {"type": "task", "calls": 0},
    ),
    "ai.generateText": (
        {"ai.operationId": "ai.generateText", "ai.usage.inputTokens": 9},
        {"type": "chain", "calls": 0},
    ),
    "ai.embed": (
        {"ai.operationId": "ai.embed.doEmbed", "ai.model.id": "emb", "ai.usage.tokens": 6},
        {"type": "embedding", "calls": 1, "input": 6, "operation": "embedding"},
    ),
    "ai.generateImage": (
        {"ai.operationId": "ai.generateImage.doGenerate", "ai.model.id": "gpt-image-1"},
        {"type": "llm", "calls": 1, "model": "gpt-image-1"},
    ),
    # Operations beyond chat: with a cost, each of them is a call of its own kind.
    **{
        name: ({**PAID, "gen_ai.operation.name": name}, {"type": "llm", "calls": 1, "operation": kind, "cost": 0.04})
        for name, kind in {
            "acompletion": "chat",
            "aimage_generation": "image",
            "aspeech": "speech",
            "atranscription": "transcription",
            "arerank": "rerank",
            "aocr": "ocr",
            "agenerate_content_stream": "chat",
            "allm_passthrough_route": "passthrough",
            "_arealtime": "realtime",
            "litellm.moderation": "moderation",
            "acreate_batch": "batch",
            "avideo_generation": "video",
            "something_new": "chat",
        }.items()
    },
    "an image by its output": (
        {"gen_ai.operation.name": "generate_content", "gen_ai.output.type": "image", "gen_ai.request.model": "m"},
        {"calls": 1, "operation": "image"},
    ),
    "speech": (
        {**PAID, "gen_ai.operation.name": "aspeech", "metadata.usage_object": "{'characters': 120, 'seconds': 7}"},
        {"operation": "speech", "units": 120},
    ),
    "transcription": (
        {**PAID, "gen_ai.operation.name": "transcription", "metadata.usage_object": "{'seconds': 12.5}"},
        {"operation": "transcription", "units": 12.5},
    ),
    # Langfuse tells parts of any name; what the operation is, its instrumented client says beside them.
    "images in parts": (
        {**langfuse(images=2), "gen_ai.operation.name": "image_generation"},
        {"operation": "image", "units": 2, "input": 0},
    ),
    "seconds in parts": (
        {**langfuse(input=20, output=5, total=25, input_audio_seconds=12.5), "gen_ai.operation.name": "transcription"},
        {"operation": "transcription", "units": 12.5, "input": 20, "total": 25},
    ),
    "managing what a provider keeps": (
        {"gen_ai.operation.name": "litellm.responses_management", "gen_ai.request.model": "m"},
        {"type": "other", "calls": 0},
    ),
    # Tokens, however they are written.
    "numbers as text": (
        {**USED, "gen_ai.usage.input_tokens": "12.0", "gen_ai.usage.output_tokens": " 7 "},
        {"input": 12, "output": 7, "total": 19},
    ),
    "no numbers": (
        {**USED, "gen_ai.usage.input_tokens": "NaN", "gen_ai.usage.output_tokens": -3},
        {"input": 0, "output": 0, "total": 0},
    ),
    "too many": ({**USED, "gen_ai.usage.input_tokens": 2**62}, {"input": 10**12, "total": 10**12 + 20}),
    "disjoint parts": (
        langfuse(input=883, output=45, total=1072, input_cache_read=128, output_reasoning=16),
        {"input": 1011, "output": 61, "cached": 128, "reasoning": 16, "total": 1072},
    ),
    "parts that are none": (
        langfuse(input=120, output=30, total=150, input_cached_tokens=100),
        {"input": 120, "output": 30, "cached": 100, "total": 150},
    ),
    "more cached than told": (
        langfuse(input=86, output=10, input_cached_tokens=17817),
        {"input": 17903, "cached": 17817},
    ),
    "as OpenAI nests it": (
        langfuse(
            prompt_tokens=1001, completion_tokens=51, prompt_tokens_details={"cached_tokens": 128, "audio_tokens": 9}
        ),
        {"input": 1001, "output": 51, "cached": 128, "details": {"input_audio": 9}},
    ),
    "of the Responses API": (
        langfuse(input_tokens=1004, output_tokens=54, output_tokens_details={"reasoning_tokens": 16}),
        {"input": 1004, "output": 54, "reasoning": 16},
    ),
    "as Anthropic counts": (
        langfuse(input_tokens=1007, output_tokens=57, cache_read_input_tokens=128, cache_creation_input_tokens=64),
        {"input": 1199, "output": 57, "cached": 128, "written": 64},
    ),
    "logfire's raw usage": (
        in_usage(input_tokens=50, output_tokens=9, output_tokens_details={"reasoning_tokens": 4}),
        {"input": 50, "output": 9, "reasoning": 4},
    ),
    "an hour's cache": (
        in_usage(prompt_tokens=90, cache_creation_input_tokens=64, cache_creation={"ephemeral_1h_input_tokens": 60}),
        {"input": 90, "written": 64, "details": {"cache_write_1h": 60}},
    ),
    "costs in parts": (
        {**LANGFUSE, "langfuse.observation.cost_details": '{"input": 0.01, "output": 0.02}'},
        {"cost": 0.03},
    ),
    # One model, one name.
    "a provider before it": ({**LLM, "llm.model_name": "openai/gpt-4o"}, {"model": "gpt-4o"}),
    "a router before it": ({**LLM, "llm.model_name": "openrouter/anthropic/claude-x"}, {"model": "claude-x"}),
    "who made it": ({**LLM, "llm.model_name": "qwen/qwen3-235b"}, {"model": "qwen/qwen3-235b"}),
    "of Bedrock": ({**LLM, "llm.model_name": "us.anthropic.claude-y-v1:0"}, {"model": "claude-y-v1:0"}),
    "asked for alone": (
        {"openinference.span.kind": "LLM", "llm.invocation_parameters": '{"model": "err-500", "stream": false}'},
        {"model": "err-500", "calls": 1},
    ),
    "google": ({**LLM, "llm.provider": "google"}, {"provider": "gcp.gemini"}),
    "nobody": ({**USED, "gen_ai.system": "strands-agents"}, {"provider": ""}),
    "somebody new": ({**USED, "gen_ai.system": "Cerebras.chat"}, {"provider": "cerebras"}),
}

_COLUMNS = """
    SELECT SpanName, span_type AS type, toUInt8(is_llm_call) AS calls, model, provider, operation,
        input_tokens AS input, output_tokens AS output, cached_input_tokens AS cached, cache_write_tokens AS written,
        reasoning_tokens AS reasoning, total_tokens AS total, token_details AS details, units, reported_cost AS cost
    FROM otel_traces WHERE project_id = {project:String}
"""


def body(spans: dict[str, dict[str, Any]]) -> bytes:
    def value(each: Any) -> dict[str, Any]:
        if isinstance(each, float):
            return {"doubleValue": each}
        return {"intValue": str(each)} if isinstance(each, int) else {"stringValue": each}

    written = [
        {
            "traceId": uuid4().hex,
            "spanId": uuid4().hex[:16],
            "name": name,
            "startTimeUnixNano": "1795807641000000000",
            "endTimeUnixNano": "1795807642000000000",
            "attributes": [{"key": key, "value": value(each)} for key, each in attributes.items()],
        }
        for name, attributes in spans.items()
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "test"}, "spans": written}]}]}).encode()


def test_calls_of_every_kind(receiver_server: Receiver) -> None:
    project: UUID = uuid4()
    spans = {name: attributes for name, (attributes, _) in CALLS.items()}
    receiver.committer().submit(entry_of(project, body(spans), "application/json")).result(timeout=60)
    receiver.committer().settle()

    result = get_client().query(_COLUMNS, parameters={"project": str(project)})
    found = {row.pop("SpanName"): row for row in map(dict, result.named_results())}
    wrong = {
        f"{name}: {column}": (told, expected)
        for name, (_, columns) in CALLS.items()
        for column, expected in columns.items()
        if (told := _plain(found[name][column])) != expected
    }
    assert wrong == {}


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
