import pytest

from tests.receiver import Receiver, Tenant

from .typed import Typed, assert_typed, guardrail, llm, received, usd

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_observations_of_every_type(otlp: Receiver, tenant: Tenant) -> None:
    assert_typed(
        received("langfuse", otlp, tenant),
        {
            "0000001a00000001": Typed(session_id="sess-7", user_id="bob"),
            "0000001a00000002": llm(
                model="claude-sonnet-5",
                input_tokens=120,
                output_tokens=30,
                cached_input_tokens=100,
                reasoning_tokens=12,
                total_tokens=150,
                reported_cost=usd("0.00081"),
                session_id="sess-7",
                user_id="bob",
            ),
            "0000001a00000003": llm(
                model="gpt-4o-mini",
                input_tokens=9,
                output_tokens=4,
                total_tokens=13,
                session_id="sess-8",
                user_id="eve",
            ),
            "0000001a00000004": llm("embedding", model="text-embedding-3-small", input_tokens=6, total_tokens=6),
            # Agents, tools and guardrails have no name but the observation's, which is the span's.
            "0000001a00000005": Typed(span_type="agent", agent_name="researcher"),
            "0000001a00000006": Typed(span_type="tool", tool_name="web-search"),
            "0000001a00000007": Typed(span_type="retriever"),
            "0000001a00000008": Typed(span_type="chain"),
            "0000001a00000009": Typed(span_type="task"),
            "0000001a0000000a": guardrail("no-pii", "", "unknown"),
            "0000001a0000000b": Typed(),
        },
    )
