from typing import Any

import pytest

from tests.receiver import Receiver, Tenant

from .typed import Typed, assert_typed, llm, received

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

GPT: dict[str, Any] = {"model": "gpt-4o-mini", "requested_model": "gpt-4o-mini", "provider": "openai"}
USAGE: dict[str, Any] = {"input_tokens": 42, "output_tokens": 17, "cached_input_tokens": 8, "total_tokens": 59}


def test_the_instrumentation_of_openai(otlp: Receiver, tenant: Tenant) -> None:
    assert_typed(
        received("traceloop-openai-0.62.4", otlp, tenant),
        {
            "796ba93d1b5de2c1": Typed(session_id="sess-77"),
            "a4671e08d8dc1ec7": llm(**GPT, **USAGE, reasoning_tokens=3),
            "4141217d254b0562": llm(**GPT, **USAGE),  # streamed: without reasoning tokens
            "83837f445a0a1bef": llm(**GPT, **USAGE, reasoning_tokens=3),
            "d4f56e2f820d04c6": llm(**GPT, **USAGE, reasoning_tokens=3),
            "d2626e2f7f729655": llm(
                **{**GPT, "model": "gpt-4o-mini-2024-07-18"}, input_tokens=21, output_tokens=9, total_tokens=30
            ),
            "6c2129562689b51b": llm(
                "embedding",
                model="text-embedding-3-small",
                requested_model="text-embedding-3-small",
                provider="openai",
                input_tokens=6,
                total_tokens=6,
            ),
            "ac8122c326ab5a3f": llm(model="err-429", requested_model="err-429", provider="openai"),
        },
    )


def test_decorated_functions_and_older_names_of_tokens(otlp: Receiver, tenant: Tenant) -> None:
    assert_typed(
        received("traceloop", otlp, tenant),
        {
            "0000001c00000001": Typed(span_type="workflow", session_id="sess-9", user_id="carol"),
            "0000001c00000002": Typed(span_type="agent", agent_name="planner", session_id="sess-9"),
            "0000001c00000003": Typed(span_type="tool", tool_name="find_flights"),
            "0000001c00000004": Typed(span_type="task"),
            "0000001c00000005": llm(
                model="gpt-4o-2024-08-06",
                requested_model="gpt-4o",
                provider="openai",
                input_tokens=100,
                output_tokens=40,
                cached_input_tokens=64,
                total_tokens=140,
                session_id="sess-9",
            ),
            "0000001c00000006": llm(model="rerank-v3", requested_model="rerank-v3", provider="cohere"),
        },
    )
