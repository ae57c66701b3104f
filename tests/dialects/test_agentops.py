import pytest

from tests.receiver import Receiver, Tenant

from .typed import Typed, assert_typed, guardrail, llm, received, usd

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_the_sdk_names_kinds_tools_agents_and_guardrails(otlp: Receiver, tenant: Tenant) -> None:
    assert_typed(
        received("agentops-0.4.21-session", otlp, tenant),
        {
            "85e57c045e281ecc": Typed(span_type="session"),
            "6afb09c8336df0c0": Typed(span_type="agent", agent_name="Researcher"),
            "230ef3c3e122b9b2": Typed(span_type="task"),
            "62999008c73ff5b2": Typed(span_type="task"),  # failed, and not by a guardrail
            "0a58a5b5bca220d6": Typed(span_type="tool", tool_name="search", reported_cost=usd("0.01")),
            "dc0718c6562a241e": guardrail("no_pii", "input", "allowed"),
            "c014cb332397d50a": guardrail("no_pii", "input", "blocked"),
            "73bfd140fdc4beea": llm(
                model="gpt-4o-mini-2024-07-18",
                requested_model="gpt-4o-mini",
                provider="openai",
                input_tokens=12,
                output_tokens=8,
                total_tokens=20,
            ),
        },
    )
