from typing import Any

import pytest

from projects.services import create_api_key
from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give, give_recorded
from tests.pages.spans import MS, Spanlet, Value, request_of, store_trace, trace_id
from traces.ingest.agents import Agent

from .stored import address

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_795_422_600_000_000_000  # 2026-11-23T08:30:00Z
HOUR_MS = 3_600_000
CALL: dict[str, Value] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 7,
    "gen_ai.usage.output_tokens": 3,
    "gen_ai.cost.total_cost": 0.25,
}


def agent(name: str) -> dict[str, Value]:
    return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}


def usage(get: Get, cast: Cast, path: str = "agents/usage", **query: Any) -> dict[str, Any]:
    answer = get(address(path, cast.project.pk, **query), person="bob")
    assert answer.status_code == 200, answer.content
    return {row["agent_name"]: row for row in answer.json()}


def detail(get: Get, cast: Cast, name: str, **query: Any) -> Any:
    answer = get(address(f"agents/{name}/detail", cast.project.pk, **query), person="bob")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_an_agent_that_names_itself_only_has_the_calls_of_its_trace(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    assert usage(get, cast) == {
        "Researcher": {
            "agent_id": "Researcher",
            "agent_name": "Researcher",
            "total_tokens": 20,
            "prompt_tokens": 12,
            "completion_tokens": 8,
            "total_cost": 0.01,  # of the tool; the cost of the call is unknown
            "unknown_cost_calls": 1,
            "event_count": 1,
            "avg_latency": 100.41,
            "error_count": 1,
            "success_rate": 100.0,
        }
    }


def test_calls_that_name_their_agent_are_its_own(cast: Cast, get: Get) -> None:
    spanlets = [
        Spanlet("root", 1),
        Spanlet("a", 2, 1, attributes={**CALL, "gen_ai.agent.name": "Planner"}),
        Spanlet("b", 3, 1, attributes={**CALL, "gen_ai.agent.name": "Planner"}),
        Spanlet("c", 4, 1, attributes={**CALL, "gen_ai.agent.name": "Writer"}),
        Spanlet("d", 5, 1, attributes=CALL),
    ]
    store_trace(cast.project.pk, spanlets, start_ns=START)

    found = usage(get, cast)

    assert {name: (row["total_tokens"], row["total_cost"]) for name, row in found.items()} == {
        "Planner": (20, 0.5),
        "Writer": (10, 0.25),
    }


def test_calls_that_name_nobody_belong_to_the_agent_above_them(cast: Cast, get: Get) -> None:
    alone = [
        Spanlet("root", 1, attributes=agent("Planner")),
        Spanlet("named", 2, 1, attributes={**CALL, "gen_ai.agent.name": "Planner"}),
        Spanlet("nameless", 3, 1, attributes=CALL),
    ]
    shared = [
        Spanlet("root", 1, attributes=agent("Planner")),
        Spanlet("writer", 2, 1, attributes=agent("Writer")),
        Spanlet("nameless", 3, 2, attributes=CALL),
    ]
    give(cast.project, request_of({1: alone, 2: shared}, START))

    found = usage(get, cast)

    assert {name: (row["total_tokens"], row["event_count"]) for name, row in found.items()} == {
        "Planner": (20, 2),
        "Writer": (10, 1),
    }


def test_many_spans_of_an_agent_multiply_nothing(cast: Cast, get: Get) -> None:
    steps = [Spanlet("step", number, 1, attributes=agent("Planner")) for number in range(3, 9)]
    store_trace(cast.project.pk, [Spanlet("root", 1), Spanlet("call", 2, 1, attributes=CALL), *steps], start_ns=START)

    [row] = usage(get, cast).values()

    assert (row["total_tokens"], row["total_cost"], row["event_count"]) == (10, 0.25, 1)


def test_a_success_rate_is_of_traces_and_never_negative(cast: Cast, get: Get) -> None:
    failed = [
        Spanlet("root", 1, status=2),
        *(Spanlet("step", number, 1, status=2, attributes=agent("Planner")) for number in range(2, 9)),
    ]
    worked = [
        Spanlet("root", 1, status=1),
        Spanlet("step", 2, 1, 0, 4, status=2, attributes=agent("Planner")),
        Spanlet("call", 3, 1, 4, 8, attributes=CALL),  # instead
    ]
    traces = {1: failed, 2: worked, 3: worked}
    give(cast.project, request_of(traces, START))

    [row] = usage(get, cast).values()

    assert (row["event_count"], row["error_count"], row["success_rate"]) == (3, 8 + 1 + 1, 66.7)


def test_the_busiest_agent_comes_first_and_the_registry_is_in_the_order_of_names(cast: Cast, get: Get) -> None:
    traces = {1: [Spanlet("x", attributes=agent("Ann"))]}
    traces |= {number: [Spanlet("x", attributes=agent("Zoe"))] for number in (2, 3)}
    give(cast.project, request_of(traces, START))

    assert list(usage(get, cast)) == ["Zoe", "Ann"]
    assert list(usage(get, cast, "agents/registry")) == ["Ann", "Zoe"]


def test_the_detail_of_an_agent(cast: Cast, get: Get) -> None:
    traces = {
        1: [Spanlet("short", 1, end=10, attributes=agent("Planner")), Spanlet("call", 2, 1, 1, 2, attributes=CALL)],
        2: [Spanlet("long", 1, end=30, status=2, attributes=agent("Planner"))],
        3: [Spanlet("other", attributes=agent("Writer"))],
    }
    starts = {1: START, 2: START + 2 * HOUR_MS * MS, 3: START}
    give(cast.project, request_of(traces, starts))

    found = detail(get, cast, "Planner", start_time="2026-11-23T08:00:00Z", end_time="2026-11-23T11:00:00Z")

    assert found["agent_id"] == found["agent_name"] == "Planner"
    assert found["metrics"] == {
        "trace_count": 2,
        "span_count": 3,
        "total_tokens": 10,
        "total_cost": 0.25,
        "unknown_cost_calls": 0,
        "avg_latency_ms": 20,
        "p50_latency_ms": 20,
        "p95_latency_ms": pytest.approx(29),
        "error_count": 1,
        "success_rate": 50,
    }
    assert found["traces"] == [
        {
            "trace_id": trace_id(number),
            "span_name": name,
            "duration_ms": duration,
            "status": status,
            "timestamp": timestamp,
            "agent_name": "Planner",
        }
        for number, name, duration, status, timestamp in (
            (2, "long", 30, "error", "2026-11-23 10:30:00.000000000"),
            (1, "short", 10, "success", "2026-11-23 08:30:00.000000000"),
        )
    ]
    assert [(hour["hour"], hour["call_count"], hour["error_count"]) for hour in found["trend"]] == [
        ("2026-11-23 08:00:00", 1, 0),
        ("2026-11-23 09:00:00", 0, 0),
        ("2026-11-23 10:00:00", 1, 1),
    ]


def test_hours_of_the_detail_are_those_of_the_readers_clock(cast: Cast, get: Get) -> None:
    store_trace(cast.project.pk, [Spanlet("x", attributes=agent("Planner"))], start_ns=START)

    trend = detail(get, cast, "Planner", timezone="Asia/Seoul")["trend"]

    assert [hour["hour"] for hour in trend if hour["call_count"]] == ["2026-11-23 17:00:00"]
    assert len(trend) == 24


@pytest.mark.parametrize("name", ["team/planner", "기획자", "a b?c#d", "detail"])
def test_agents_may_be_called_anything(cast: Cast, get: Get, name: str) -> None:
    store_trace(cast.project.pk, [Spanlet("x", attributes=agent(name))], start_ns=START)
    quoted = "".join(f"%{byte:02x}" for byte in name.encode())

    found = detail(get, cast, quoted)

    assert (found["agent_id"], found["metrics"]["trace_count"]) == (name, 1)


def test_an_agent_nobody_knows_did_nothing(cast: Cast, get: Get) -> None:
    found = detail(get, cast, "nobody")

    assert found["metrics"]["trace_count"] == 0
    assert found["metrics"]["success_rate"] == 0
    assert found["traces"] == []
    assert {hour["call_count"] for hour in found["trend"]} == {0}


def test_the_detail_needs_no_project(cast: Cast, get: Get) -> None:
    store_trace(cast.project.pk, [Spanlet("x", attributes=agent("Planner"))], start_ns=START)
    key = create_api_key(project=cast.project, name="reader", scopes=["read"]).secret

    for answer in (get(address("agents/Planner/detail"), person="bob"), get(address("agents/Planner/detail"), key=key)):
        assert answer.json()["metrics"]["trace_count"] == 1


def test_the_newest_fifty_traces(cast: Cast, get: Get) -> None:
    starts = {number: START + number * MS for number in range(1, 61)}
    spanlets = {number: [Spanlet("x", attributes=agent("Planner"))] for number in starts}
    give(cast.project, request_of(spanlets, starts))

    traces = detail(get, cast, "Planner")["traces"]

    assert [trace["trace_id"] for trace in traces] == [trace_id(number) for number in range(60, 10, -1)]


def test_too_long_a_range_of_hours_is_refused(cast: Cast, get: Get) -> None:
    asked = address("agents/Planner/detail", cast.project.pk, start_time="2000-01-01T00:00:00Z")

    answer = get(asked, person="bob")

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "end_time"]


def register(cast: Cast, name: str) -> str:
    return str(Agent.objects.create(project=cast.project, name=name, type="custom").pk)


def test_registered_agents_are_there_before_they_did_anything(cast: Cast, get: Get) -> None:
    store_trace(cast.project.pk, [Spanlet("x", attributes=agent("Planner"))], start_ns=START)
    planner, writer = register(cast, "Planner"), register(cast, "Writer")
    Agent.objects.create(project=cast.foreign_project, name="Spy", type="custom")

    rows = usage(get, cast, "agents/registry")

    assert {name: (row["agent_id"], row["event_count"]) for name, row in rows.items()} == {
        "Planner": (planner, 1),
        "Writer": (writer, 0),
    }
    assert usage(get, cast)["Planner"]["agent_id"] == planner


def test_an_agent_is_found_by_the_id_of_its_registration(cast: Cast, get: Get) -> None:
    store_trace(cast.project.pk, [Spanlet("x", attributes=agent("Planner"))], start_ns=START)
    planner = register(cast, "Planner")

    found = detail(get, cast, planner)

    assert (found["agent_id"], found["agent_name"], found["metrics"]["trace_count"]) == (planner, "Planner", 1)
    foreign = get(address(f"agents/{planner}/detail"), person="charlie").json()
    assert (foreign["agent_name"], foreign["metrics"]["trace_count"]) == (planner, 0)
