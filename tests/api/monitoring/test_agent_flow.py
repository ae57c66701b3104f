from typing import Any

import pytest

from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give, give_recorded
from tests.pages.spans import MS, Spanlet, Value, request_of, store_trace, trace_id
from traces.store.queries import flow_spans

from .stored import address

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_795_422_415_000_000_000  # 2026-11-23T08:26:55Z
LLM: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
AGENT: dict[str, Value] = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Planner"}
TOOL: dict[str, Value] = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
HTTP: dict[str, Value] = {"http.route": "/chat"}


def guardrail(outcome: str) -> dict[str, Value]:
    status = {"blocked": "guardrail_intervened", "allowed": "success"}[outcome]
    return {"guardrail_name": "pii", "guardrail_mode": "pre_call", "guardrail_status": status}


def flow(get: Get, cast: Cast, **query: Any) -> Any:
    answer = get(address("analytics/agent-flow", cast.project.pk, **query), person="bob")
    assert answer.status_code == 200, answer.content
    return answer.json()


def nodes(graph: Any) -> dict[str, Any]:
    return {node["label"]: node["data"] for node in graph["nodes"]}


def edges(graph: Any) -> dict[tuple[str, str], str]:
    labels = {node["id"]: node["label"] for node in graph["nodes"]}
    return {(labels[edge["source"]], labels[edge["target"]]): edge["data"]["label"] for edge in graph["edges"]}


def test_edges_are_the_calls_between_parents_and_children(cast: Cast, get: Get) -> None:
    priced: dict[str, Value] = {
        **LLM,
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.cost.total_cost": 0.25,
    }
    store_trace(
        cast.project.pk,
        [
            Spanlet("POST /chat", 1, end=100, attributes=HTTP),
            Spanlet("run", 2, 1, 5, 95, attributes=AGENT),
            Spanlet("framework", 3, 2, 10, 60),
            Spanlet("call", 4, 3, 10, 30, attributes=priced),
            Spanlet("call", 5, 3, 30, 60, status=2, attributes=LLM),
            Spanlet("look up", 6, 2, 60, 90, attributes=TOOL),
            Spanlet("summarize", 7, 6, 70, 80, attributes=priced),
        ],
        start_ns=START,
    )

    graph = flow(get, cast)

    assert edges(graph) == {
        ("Client Request", "Planner"): "1 calls",
        ("Planner", "gpt-4o"): "2 calls",
        ("Planner", "search"): "1 calls",
        ("search", "gpt-4o"): "1 calls",
    }
    assert nodes(graph)["gpt-4o"] == {
        "stage_name": "gpt-4o",
        "kind": "llm",
        "call_count": 3,
        "avg_latency_ms": 20,
        "total_tokens": 20,
        "prompt_tokens": 14,
        "completion_tokens": 6,
        "total_cost": 0.5,
        "unknown_cost_calls": 1,
        "error_count": 1,
        "guardrail_applied": 0,
        "color": "#10b981",
        "is_guardrail": False,
    }
    assert {label: data["kind"] for label, data in nodes(graph).items()} == {
        "Client Request": "client",
        "Planner": "agent",
        "gpt-4o": "llm",
        "search": "tool",
    }
    assert {node["type"] for node in graph["nodes"]} == {"stage"}
    assert [node["id"] for node in graph["nodes"]] == ["stage-0", "stage-1", "stage-2", "stage-3"]
    assert [edge["id"] for edge in graph["edges"]] == ["e0", "e1", "e2", "e3"]


def test_calls_lead_from_layer_to_layer(cast: Cast, get: Get) -> None:
    store_trace(
        cast.project.pk,
        [Spanlet("run", 1, attributes=AGENT), Spanlet("t", 2, 1, attributes=TOOL), Spanlet("c", 3, 2, attributes=LLM)],
        start_ns=START,
    )

    graph = flow(get, cast)

    places = {node["label"]: (node["position"]["x"], node["position"]["y"]) for node in graph["nodes"]}
    assert places["Planner"][0] < places["search"][0] < places["gpt-4o"][0]
    assert len(set(places.values())) == 3


def test_the_recorded_proxy_is_no_chain(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.106.2-mixed")

    graph = flow(get, cast)

    assert edges(graph) == {
        ("Client Request", "prompt-injection (pre_call)"): "7 calls",
        ("Client Request", "content-filter (pre_call)"): "6 calls",
        ("Client Request", "output-filter (post_call)"): "5 calls",
        ("Client Request", "qwen/qwen3-235b-a22b-2507"): "2 calls",  # two more were refused before they reached it
        ("Client Request", "gpt-4o-mini"): "3 calls",
        # The trace whose root never came: nobody knows who called.
        ("gpt-4o", "prompt-injection (pre_call)"): "1 calls",
        ("gpt-4o", "content-filter (pre_call)"): "1 calls",
    }
    found = nodes(graph)
    assert found["qwen/qwen3-235b-a22b-2507"]["total_tokens"] == 60
    assert found["content-filter (pre_call)"]["call_count"] == 7  # 9 spans: two runs were sent twice
    assert found["Client Request"]["guardrail_applied"] == 18
    assert sum(stage["is_guardrail"] for stage in found.values()) == 3
    blocked = {edge["target"]: edge["data"]["blocked_calls"] for edge in graph["edges"] if edge["data"]["blocked"]}
    assert len(blocked) == 3
    assert set(blocked.values()) == {1}
    assert (graph["trace_count"], graph["is_partial"]) == (8, False)  # without the health probe


def test_a_run_that_was_sent_twice_is_one_call_and_an_error_is_no_block(cast: Cast, get: Get) -> None:
    store_trace(
        cast.project.pk,
        [
            Spanlet("POST /chat", 1, attributes=HTTP),
            Spanlet("call", 2, 1, 0, 9, status=2, attributes=LLM),
            Spanlet("guardrail", 3, 2, 1, 2, attributes=guardrail("blocked")),
            Spanlet("guardrail", 4, 1, 1, 2, attributes=guardrail("blocked")),
        ],
        start_ns=START,
    )

    graph = flow(get, cast)

    assert edges(graph) == {("Client Request", "gpt-4o"): "1 calls", ("Client Request", "pii (pre_call)"): "1 calls"}
    labels = {node["id"]: node["label"] for node in graph["nodes"]}
    assert {labels[edge["target"]]: (edge["data"]["blocked"], edge["animated"]) for edge in graph["edges"]} == {
        "gpt-4o": (False, True),
        "pii (pre_call)": (True, False),
    }
    assert nodes(graph)["Client Request"]["guardrail_applied"] == 1


def test_a_failed_call_that_was_sent_twice_is_one(cast: Cast, get: Get) -> None:
    twice = [Spanlet("litellm_request", number, 1, 0, 5 * number, status=2, attributes=LLM) for number in (2, 3)]
    store_trace(cast.project.pk, [Spanlet("POST /chat", 1, attributes=HTTP), *twice], start_ns=START)

    assert nodes(flow(get, cast))["gpt-4o"]["call_count"] == 1


def test_the_flow_of_one_trace(cast: Cast, get: Get) -> None:
    spanlets = {1: [Spanlet("run", attributes=AGENT)], 2: [Spanlet("t", attributes=TOOL)]}
    give(cast.project, request_of(spanlets, START))

    graph = flow(get, cast, trace_id=trace_id(2), start_time=None, end_time=None)

    assert list(nodes(graph)) == ["search"]
    assert (graph["trace_count"], graph["is_partial"], graph["edges"]) == (1, False, [])


def test_a_range_shows_the_newest_traces_and_says_that_there_are_more(
    cast: Cast, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = {number: START + number * MS for number in range(1, 6)}
    named = {number: [Spanlet("t", attributes={**TOOL, "gen_ai.tool.name": f"tool {number}"})] for number in starts}
    give(cast.project, request_of(named, starts))
    monkeypatch.setattr(flow_spans, "MAX_TRACES", 3)

    graph = flow(get, cast)

    assert sorted(nodes(graph)) == ["tool 3", "tool 4", "tool 5"]
    assert (graph["trace_count"], graph["is_partial"]) == (3, True)


def test_traces_are_taken_whole_or_not_at_all(cast: Cast, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = {number: START + number * MS for number in (1, 2)}
    spanlets = [Spanlet("run", 1, attributes=AGENT), Spanlet("t", 2, 1, attributes=TOOL)]
    give(cast.project, request_of(dict.fromkeys(starts, spanlets), starts))
    monkeypatch.setattr(flow_spans, "MAX_SPANS", 3)

    graph = flow(get, cast)

    assert edges(graph) == {("Planner", "search"): "1 calls"}
    assert (graph["trace_count"], graph["is_partial"]) == (1, True)


def test_agents_that_call_each_other_are_drawn(cast: Cast, get: Get) -> None:
    other: dict[str, Value] = {**AGENT, "gen_ai.agent.name": "Writer"}
    spanlets = [
        Spanlet("a", 1, attributes=AGENT),
        Spanlet("b", 2, 1, attributes=other),
        Spanlet("c", 3, 2, attributes=AGENT),
        Spanlet("d", 4, 3, attributes=other),
    ]
    store_trace(cast.project.pk, spanlets, start_ns=START)

    assert edges(flow(get, cast)) == {("Planner", "Writer"): "2 calls", ("Writer", "Planner"): "1 calls"}


def test_many_stages_are_folded_and_no_call_is_lost(cast: Cast, get: Get) -> None:
    tools = [
        Spanlet("t", number, 1, attributes={**TOOL, "gen_ai.tool.name": f"tool {number:03d}"})
        for number in range(2, 102)
    ]
    store_trace(cast.project.pk, [Spanlet("run", 1, attributes=AGENT), *tools], start_ns=START)

    graph = flow(get, cast)

    assert len(graph["nodes"]) <= 60
    assert sum(edge["data"]["calls"] for edge in graph["edges"]) == 100
    assert nodes(graph)["Other (tool)"]["call_count"] + sum(
        data["call_count"] for label, data in nodes(graph).items() if label.startswith("tool ")
    ) == len(tools)
