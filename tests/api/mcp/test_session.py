from typing import Any

import pytest
from mcp import Client

from tests.cast import Cast
from tests.kept import give_recorded

from .conftest import Agent

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]

TOOLS = ["search_traces", "get_trace", "get_span", "usage_summary", "guardrail_summary"]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_client_of_either_protocol_finds_the_tools(agent: Agent, mode: str) -> None:
    agent.mode = mode

    tools = agent.tools().tools

    assert [tool.name for tool in tools] == TOOLS
    for tool in tools:
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        assert tool.output_schema is not None
        assert len(tool.description or "") > 60
        for name, parameter in tool.input_schema["properties"].items():
            assert "description" in parameter or name.startswith("min_"), (tool.name, name)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_an_agent_goes_from_the_list_to_the_prompt_in_one_session(agent: Agent, cast: Cast, mode: str) -> None:
    agent.mode = mode
    give_recorded(cast.project, "agentops-0.4.21-session")

    async def follow(client: Client) -> dict[str, Any]:
        found = await client.call_tool("search_traces", {"last": "7d", "end": "2026-11-24T00:00:00Z"})
        trace_id = found.structured_content["traces"][0]["trace_id"]
        trace = await client.call_tool("get_trace", {"trace_id": trace_id})
        llm = next(span for span in trace.structured_content["spans"] if span["type"] == "llm")
        span = await client.call_tool("get_span", {"trace_id": trace_id, "span_id": llm["span_id"]})
        return dict(span.structured_content or {})

    span = agent.session(follow)

    assert span["is_llm_call"]
    assert any(key.startswith("gen_ai.prompt") and value for key, value in span["attributes"].items())
