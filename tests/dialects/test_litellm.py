"""Calls and guardrails span by span; what else LiteLLM's proxy sends is housekeeping that counts nowhere."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from agentops_portal.clickhouse.client import get_client
from tests.receiver import Receiver, Tenant

from .typed import Typed, assert_typed, llm, names, received, usd

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

MINI: dict[str, Any] = {"model": "gpt-4o-mini", "requested_model": "gpt-4o-mini", "provider": "openai"}
MINI_USAGE: dict[str, Any] = {"input_tokens": 42, "output_tokens": 17, "cached_input_tokens": 8, "reasoning_tokens": 3}
MINI_CALL = llm(**MINI, **MINI_USAGE, total_tokens=59, reported_cost=usd("0.0000159"))
TOOL_CALL = llm(**{**MINI, "model": "call-a-tool", "requested_model": "call-a-tool"}, **MINI_USAGE, total_tokens=59)
# V2 does not tell reasoning tokens.
MINI_CALL_V2 = replace(MINI_CALL, reasoning_tokens=0)
# The proxy answers by its own name for the model, which is the one that was asked for.
QWEN: dict[str, Any] = {
    "model": "qwen/qwen3-235b-a22b-2507",
    "requested_model": "qwen-235b",
    "provider": "openai",
}
QWEN_CALL = llm(**QWEN, input_tokens=10, output_tokens=20, total_tokens=30)
EMBEDDING: dict[str, Any] = {"model": "text-embedding-3-small", "requested_model": "text-embedding-3-small"}
EMBEDDING_CALL = llm(
    "embedding", **EMBEDDING, provider="openai", input_tokens=6, total_tokens=6, reported_cost=usd("0.00000012")
)


def failed(model: str, *, provider: str = "openai", requested: str = "", **values: Any) -> Typed:
    """A call without an answer: no tokens, and a cost at most."""
    return llm(model=model, requested_model=requested or model, provider=provider, **values)


CALLS = {
    "litellm-1.106.2-mixed": {
        # Priced at 0.0, which means that LiteLLM has no price for the model.
        "5c0c28c2cf1f5e8c": replace(QWEN_CALL, session_id="sess-1", user_id="alice"),
        "a44e3c750013c72e": QWEN_CALL,
        "3069d0d127ac5ba9": llm(
            **MINI, input_tokens=11, output_tokens=8, total_tokens=19, reported_cost=usd("0.00000645")
        ),
        "d42efc68f57ea70c": llm(
            **MINI, input_tokens=10, output_tokens=20, total_tokens=30, reported_cost=usd("0.0000135")
        ),
        # Blocked after the call: a cost, and tokens nowhere.
        "ad83ee9395f0846a": failed("gpt-4o-mini", requested="bad-out", reported_cost=usd("0.0000135")),
        "086d127d3b4c5c0e": failed("gpt-4o", requested="failing"),  # refused with 429
    },
    "litellm-1.106.2-cache-hit": {
        "a02d273935139573": MINI_CALL,
        "9b49534073661f48": replace(MINI_CALL, cache_hit=True),
    },
    "litellm-1.106.2-provider-budget": {
        "f83a2b49e145ff61": MINI_CALL,
    },
    "litellm-1.106.2-semconv": {
        "e5b134b29aea3aa6": replace(MINI_CALL, session_id="s-1", user_id="end-user-7"),
        "5703330e2a832e18": MINI_CALL,
        "bf592d62aadf9abe": MINI_CALL,
        "c9c8b462306de338": EMBEDDING_CALL,
        "c7888a95994e5621": failed("err-429", requested="http-429"),
        "523e7aa8d22aa8d0": replace(QWEN_CALL, reported_cost=usd("0.000014")),
    },
    "litellm-1.106.2-otel-v2": {
        "133703345ba85e2e": replace(MINI_CALL_V2, session_id="s-1", user_id="end-user-7"),
        "79c36309b89fde12": MINI_CALL_V2,
        "f4ee538ba9195418": MINI_CALL_V2,
        "6f8477f3d2ae2346": EMBEDDING_CALL,
        "fb85f24fbbf0dbf6": failed("err-429", requested="http-429"),
        "75bcd1322622d214": replace(QWEN_CALL, reported_cost=usd("0.000014")),
    },
    "litellm-1.80.5": {
        "2e13058660e4f7bf": replace(MINI_CALL, session_id="s-1", user_id="end-user-7"),
        "72235dcf3883fa82": MINI_CALL,
        "1b1399f5546d1688": MINI_CALL,
        "6de27479b7c653e2": replace(EMBEDDING_CALL, provider=""),
        "a5aef41edb10a859": failed("err-429"),
        "ab8b9a0eedb75f05": replace(
            QWEN_CALL,
            requested_model="qwen/qwen3-235b-a22b-2507",
            reported_cost=usd("0.000014"),
        ),
    },
    "litellm-1.106.2-failures": {
        "e1870cd773c5da6f": replace(MINI_CALL, session_id="sess-1", user_id="alice"),
        "cd49672b86cf47dc": MINI_CALL,
        "0fcee9a7c2c5b75c": TOOL_CALL,
        "21335727b0555fbf": TOOL_CALL,
        "091ae2bffadb3026": EMBEDDING_CALL,
        "336916b298ddfa18": QWEN_CALL,
        "b2e875736bc8d250": QWEN_CALL,
        "038b406653a57e12": failed("gpt-4o-mini", requested="bad-out", reported_cost=usd("0.0000135")),
        "14f25c82a17dc281": failed("err-429"),
        "0363ac2a7537877d": failed("err-500"),
        # A fallback: the call that failed and the one that answered.
        "50f76288efc9e517": failed("err-500", requested="with-fallback"),
        "d6010808cf879943": MINI_CALL,
    },
}

# What a guardrail or a budget refused before a model was asked: an LLM span, and no call. 1.80.5 tells of it twice.
REFUSED = {
    "litellm-1.106.2-mixed": {"f97c1d9ef179e933", "2afc156b4281c482"},
    "litellm-1.106.2-provider-budget": {"8340150853434e95"},
    "litellm-1.106.2-semconv": {"fb5282834de7743d", "f8474bd6213e5c4b"},
    "litellm-1.80.5": {"3ca094aa65d3c35f", "7ff9d9a4e0c3eb8b", "ec8f6fea81e04881", "3c3310585bed6f4c"}
    | {"618837c131ee3988", "a3bbe4d966a778c0"},  # a key that is none
    "litellm-1.106.2-failures": {"508ca993ab6dd2ab", "19226260f7734def"},
}
BOTH = "pre_call,post_call"

# (guardrail, mode, outcome) → runs. A blocked request tells of each run twice.
RUNS = {
    "litellm-1.106.2-mixed": {
        ("prompt-injection", "pre_call", "allowed"): 7,
        ("prompt-injection", "pre_call", "blocked"): 1,
        ("content-filter", "pre_call", "allowed"): 5,
        ("content-filter", "pre_call", "masked"): 1,
        ("content-filter", "pre_call", "blocked"): 1,
        ("output-filter", "post_call", "allowed"): 4,
        ("output-filter", "post_call", "blocked"): 1,
    },
    "litellm-1.106.2-failures": {
        ("prompt-injection", "pre_call", "allowed"): 13,
        ("prompt-injection", "pre_call", "blocked"): 1,
        ("toxicity-check", "pre_call", "allowed"): 12,
        ("toxicity-check", "pre_call", "failed"): 1,
        ("content-filter", "pre_call", "allowed"): 10,
        ("content-filter", "pre_call", "masked"): 1,
        ("content-filter", "pre_call", "blocked"): 1,
        ("output-filter", "post_call", "allowed"): 8,
        ("output-filter", "post_call", "blocked"): 1,
    },
    "litellm-1.106.2-semconv": {
        ("content-filter", BOTH, "masked"): 1,
        ("content-filter", BOTH, "allowed"): 1,
        ("content-filter", BOTH, "blocked"): 1,
        ("custom-block-pre", "pre_call", "blocked"): 1,
    },
    "litellm-1.106.2-otel-v2": {
        ("content-filter", BOTH, "masked"): 1,
        ("content-filter", BOTH, "allowed"): 1,
        ("content-filter", BOTH, "blocked"): 1,
        ("custom-block-pre", "pre_call", "blocked"): 1,
    },
    "litellm-1.80.5": {("custom-block-pre", "pre_call", "blocked"): 1},
    "litellm-1.106.2-cache-hit": {},
    "litellm-1.106.2-provider-budget": {},
}
GUARDRAIL_SPANS = {
    "litellm-1.106.2-mixed": 23,
    "litellm-1.106.2-failures": 53,
    "litellm-1.106.2-semconv": 5,
    "litellm-1.106.2-otel-v2": 4,
    "litellm-1.80.5": 2,
}
# Spans of the web framework and of the proxy that are http; 1.80.5 writes no attribute that would tell.
HTTP_NAMES = ("POST ", "GET ", "fastapi.", "Received Proxy Server Request")


@pytest.mark.parametrize("body", CALLS)
def test_each_call_is_one_span_with_its_tokens_and_cost(body: str, otlp: Receiver, tenant: Tenant) -> None:
    found = received(body, otlp, tenant)

    calls = {span: values for span, values in found.items() if values.is_llm_call}
    assert_typed(calls, CALLS[body])


def test_calls_add_up(otlp: Receiver, tenant: Tenant) -> None:
    found = received("litellm-1.106.2-failures", otlp, tenant)

    calls = [values for values in found.values() if values.is_llm_call]

    assert len(calls) == 12
    assert (sum(call.input_tokens for call in calls), sum(call.output_tokens for call in calls)) == (236, 125)
    assert sum(call.reported_cost or Decimal(0) for call in calls) == usd("0.00006132")


@pytest.mark.parametrize("body", RUNS)
def test_each_guardrail_run_has_name_mode_and_outcome(body: str, otlp: Receiver, tenant: Tenant) -> None:
    found = received(body, otlp, tenant)

    spans = [values for values in found.values() if values.span_type == "guardrail"]
    assert len(spans) == GUARDRAIL_SPANS.get(body, 0)
    assert runs(tenant.project_id) == RUNS[body]


@pytest.mark.parametrize("body", CALLS)
def test_housekeeping_counts_nowhere(body: str, otlp: Receiver, tenant: Tenant) -> None:
    found = received(body, otlp, tenant)
    named = names(tenant.project_id)

    rest = {
        span: replace(values, model="", user_id="")  # V2 names model and user on every span of a request
        for span, values in found.items()
        if not values.is_llm_call and values.span_type != "guardrail"
    }
    assert rest == {span: Typed(span_type=_kind(span, body, named[span])) for span in rest}


def _kind(span: str, body: str, name: str) -> str:
    if span in REFUSED.get(body, ()):
        return "llm"
    return "http" if name.startswith(HTTP_NAMES) and body != "litellm-1.80.5" else "other"


def runs(project_id: UUID) -> dict[tuple[str, str, str], int]:
    result = get_client().query(
        "SELECT guardrail_name, guardrail_mode, guardrail_outcome, uniqExact(TraceId, Timestamp, end_timestamp) "
        "FROM otel_traces WHERE project_id = {project:String} AND guardrail_outcome != '' GROUP BY 1, 2, 3",
        parameters={"project": str(project_id)},
    )
    return {(name, mode, outcome): count for name, mode, outcome, count in result.result_rows}
