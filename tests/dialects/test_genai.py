from typing import Any

import pytest

from tests.receiver import Receiver, Tenant

from .typed import Typed, assert_typed, guardrail, llm, received, usd

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

GPT: dict[str, Any] = {"model": "gpt-4o-mini", "requested_model": "gpt-4o-mini", "provider": "openai"}
USAGE: dict[str, Any] = {
    "input_tokens": 42,
    "output_tokens": 17,
    "cached_input_tokens": 8,
    "reasoning_tokens": 3,
    "total_tokens": 59,  # the convention has no total: 42 + 17
}


def test_the_official_instrumentation_of_openai(otlp: Receiver, tenant: Tenant) -> None:
    assert_typed(
        received("genai-openai-1.3b0", otlp, tenant),
        {
            "528b048ae4644714": Typed(session_id="sess-77"),
            "1eeac4902a833073": llm(**GPT, **USAGE),
            "80aff3633af9caa1": llm(**GPT, **USAGE),  # streamed
            "89456732a6e3e667": llm(**GPT, **USAGE),  # asks for a tool
            "78a214a36e0c9758": llm(**GPT, **USAGE),
            "92d3083f09ee2e36": llm(
                **{**GPT, "model": "gpt-4o-mini-2024-07-18"}, input_tokens=21, output_tokens=9, total_tokens=30
            ),
            "5429c0b856865fcc": llm(
                "embedding",
                model="text-embedding-3-small",
                requested_model="text-embedding-3-small",
                provider="openai",
                input_tokens=6,
                total_tokens=6,
            ),
            "5eff18b5c742d1af": llm(model="err-429", requested_model="err-429", provider="openai"),  # refused with 429
        },
    )


def test_agents_tools_and_every_kind_of_call(otlp: Receiver, tenant: Tenant) -> None:
    found = received("genai", otlp, tenant)

    assert_typed(
        {span: values for span, values in found.items() if span <= "0000001d00000009"},
        {
            "0000001d00000001": Typed(span_type="workflow", session_id="conv-1"),
            "0000001d00000002": Typed(span_type="task", model="gpt-5"),  # creating an agent is no run of it
            # Its tokens are those of the call below it, which is why they count there alone.
            "0000001d00000003": Typed(span_type="agent", agent_name="researcher", model="gpt-5", session_id="conv-1"),
            "0000001d00000004": llm(
                model="gpt-5-2026-01-01",
                requested_model="gpt-5",
                provider="aws.bedrock",
                input_tokens=500,
                output_tokens=80,
                cached_input_tokens=384,
                reasoning_tokens=48,
                total_tokens=580,
                session_id="conv-1",
                user_id="dora",
            ),
            "0000001d00000005": llm(
                model="davinci-002",
                requested_model="davinci-002",
                provider="openai",
                input_tokens=7,
                output_tokens=3,
                total_tokens=10,
            ),
            "0000001d00000006": llm(
                model="gemini-3-pro",
                requested_model="gemini-3-pro",
                provider="gcp.gemini",
                input_tokens=11,
                output_tokens=5,
                total_tokens=16,
                reported_cost=usd("0.000123"),
            ),
            "0000001d00000007": llm(
                "embedding",
                model="text-embedding-3-small",
                requested_model="text-embedding-3-small",
                provider="openai",
                input_tokens=6,
                total_tokens=6,
            ),
            "0000001d00000008": Typed(span_type="tool", tool_name="web_search"),
            "0000001d00000009": Typed(span_type="retriever"),
        },
    )


def test_guardrails_in_the_words_of_the_proposals(otlp: Receiver, tenant: Tenant) -> None:
    found = received("genai", otlp, tenant)

    assert_typed(
        {span: values for span, values in found.items() if span > "0000001d00000009"},
        {
            "0000001d0000000a": guardrail("no_pii", "input", "blocked"),
            "0000001d0000000b": guardrail("redactor", "output", "masked"),
            "0000001d0000000c": guardrail("tone", "output", "flagged"),
            "0000001d0000000d": guardrail("fine", "input", "allowed"),
            "0000001d0000000e": guardrail("broken", "input", "failed"),
            "0000001d0000000f": guardrail("model-armor", "llm_input", "blocked"),
            "0000001d00000010": guardrail("jailbreak", "llm_output", "masked"),
        },
    )
