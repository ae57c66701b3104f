"""The flow between stages as it is computed, without a store."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from traces.reading.agent_flow import CLIENT, KINDS, MAX_STAGES, AgentFlow, Stage, agent_flow, places
from traces.store.queries.flow_spans import FlowSpan

_BLANK: dict[str, Any] = {
    **dict.fromkeys(("model", "tool_name", "agent_name", "guardrail_name", "guardrail_mode", "guardrail_outcome"), ""),
    **dict.fromkeys(("used_input", "used_output", "used_tokens"), 0),
    "trace_id": "t",
    "service": "app",
    "type": "other",
    "status": "Unset",
    "cost": None,
    "is_cost_unknown": False,
}


def span(number: int, parent: int = 0, **values: Any) -> FlowSpan:
    own = {"name": f"span {number}", "start_ns": number, "end_ns": number + 10}
    ids = {"span_id": str(number), "parent_span_id": str(parent) if parent else ""}
    return FlowSpan(**{**_BLANK, **own, **ids, **values})


def edges(flow: AgentFlow) -> dict[tuple[str, str], int]:
    return {(source.name, target.name): calls.calls for (source, target), calls in flow.calls.items()}


def test_a_second_service_is_a_stage_and_the_first_is_the_client() -> None:
    spans = [
        span(1, type="http", service="app"),
        span(2, 1, service="app"),
        span(3, 2, type="http", service="proxy"),
        span(4, 3, service="proxy"),
        span(5, 4, type="llm", model="gpt-4o", service="proxy"),
    ]

    assert edges(agent_flow([spans])) == {("Client Request", "proxy"): 1, ("proxy", "gpt-4o"): 1}


def test_a_guardrail_that_did_not_run_is_no_stage() -> None:
    flow = agent_flow([[span(1), span(2, 1, type="guardrail", guardrail_name="pii")]])

    assert set(flow.stages) == {CLIENT}


def test_a_guardrail_below_a_model_that_nobody_called_belongs_to_the_model() -> None:
    run = {"type": "guardrail", "guardrail_name": "pii", "guardrail_outcome": "blocked"}
    flow = agent_flow([[span(1, type="llm", model="m"), span(2, 1, **run)]])

    assert edges(flow) == {("m", "pii"): 1}
    assert flow.calls[Stage("llm", "m"), Stage("guardrail", "pii")].blocked == 1
    assert flow.guardrail_runs(Stage("llm", "m")) == 1


def test_a_failed_call_that_was_sent_twice_is_one_call_but_not_that_of_another_model() -> None:
    failed: dict[str, Any] = {"type": "llm", "status": "Error", "start_ns": 5}
    calls = [span(2, 1, model="m", **failed), span(3, 1, model="m", **failed), span(4, 1, model="other", **failed)]

    flow = agent_flow([[span(1, type="agent", agent_name="A"), *calls]])

    assert edges(flow) == {("A", "m"): 1, ("A", "other"): 1}
    assert (flow.stages[Stage("llm", "m")].errors, flow.stages[Stage("llm", "other")].errors) == (1, 1)


def test_an_orphan_beside_a_root_is_no_further_request() -> None:
    flow = agent_flow([[span(1, type="http"), span(2, 99, type="http"), span(3, 2, type="tool", tool_name="search")]])

    assert flow.stages[CLIENT].calls == 1
    assert flow.stages[Stage("tool", "search")].is_entry


def test_a_trace_without_its_root_has_a_client_all_the_same() -> None:
    assert agent_flow([[span(2, 99, type="http")]]).stages[CLIENT].calls == 1


def test_nothing_gives_nothing() -> None:
    assert places(agent_flow([])) == {}
    assert places(agent_flow([[]])) == {}


def test_a_deep_trace_is_no_trouble() -> None:
    deep = [span(number, number - 1, type="agent", agent_name="A") for number in range(1, 20_001)]

    flow = agent_flow([deep])

    assert flow.stages[Stage("agent", "A")].calls == 20_000
    assert edges(flow) == {("A", "A"): 19_999}


any_spans = st.lists(
    st.tuples(st.integers(0, 80), st.sampled_from([*KINDS, "http", "other"]), st.integers(0, 70)), max_size=90
).map(
    lambda rows: [
        span(number, parent, type=kind, name=f"name {name}", guardrail_name=str(name), guardrail_outcome="allowed")
        if kind == "guardrail"
        else span(number, parent, type=kind, name=f"name {name}")
        for number, (parent, kind, name) in enumerate(rows, start=1)
    ]
)


@given(any_spans)
def test_any_trace_can_be_drawn(spans: list[FlowSpan]) -> None:
    flow = agent_flow([spans])
    found = places(flow)

    assert set(found) == set(flow.stages)
    assert len(set(found.values())) == len(found)
    assert len(flow.stages) <= MAX_STAGES
    assert {stage for pair in flow.calls for stage in pair} <= set(flow.stages)
    counted = [each for each in spans if each.type in KINDS]
    stages = [figures.calls for stage, figures in flow.stages.items() if stage != CLIENT]
    assert sum(stages) == len(counted)


@given(any_spans)
def test_what_is_called_is_called_by_somebody_or_an_entry(spans: list[FlowSpan]) -> None:
    flow = agent_flow([spans])

    for stage, figures in flow.stages.items():
        called = sum(calls.calls for (_, target), calls in flow.calls.items() if target == stage)
        assert called == figures.calls or (figures.is_entry and called < figures.calls)
