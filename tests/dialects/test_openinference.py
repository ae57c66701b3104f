import pytest

from tests.receiver import Receiver, Tenant

from .typed import Typed, assert_typed, guardrail, llm, received, usd

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_the_instrumentation_of_openai(otlp: Receiver, tenant: Tenant) -> None:
    assert_typed(
        received("openinference-openai-0.1.66", otlp, tenant),
        {
            "110d1aa038726ad0": Typed(session_id="sess-42", user_id="bob"),
            "990fe952416440df": llm(
                model="gpt-4o-mini-2024-07-18", provider="openai", input_tokens=12, output_tokens=8, total_tokens=20
            ),
        },
    )


def test_every_kind_of_span(otlp: Receiver, tenant: Tenant) -> None:
    assert_typed(
        received("openinference", otlp, tenant),
        {
            "0000001e00000001": Typed(span_type="chain", session_id="sess-42", user_id="bob"),
            "0000001e00000002": llm(
                model="claude-sonnet-5",
                provider="anthropic",
                input_tokens=200,
                output_tokens=50,
                cached_input_tokens=128,
                reasoning_tokens=20,
                total_tokens=250,
                reported_cost=usd("0.00135"),
                session_id="sess-42",
                user_id="bob",
            ),
            "0000001e00000003": llm("embedding", model="text-embedding-3-small", input_tokens=6, total_tokens=6),
            "0000001e00000004": Typed(span_type="tool", tool_name="get_weather"),
            "0000001e00000005": Typed(span_type="agent", agent_name="support"),
            "0000001e00000006": Typed(span_type="retriever"),
            "0000001e00000007": Typed(span_type="retriever"),
            "0000001e00000008": Typed(span_type="task"),
            "0000001e00000009": guardrail("DatasetEmbeddings", "", "unknown"),  # it has no name but the span's
        },
    )
