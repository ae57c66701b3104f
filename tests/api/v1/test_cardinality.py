"""More agents and models than anybody reads: the top of them, and the others together."""

from typing import Any

import pytest

from tests.api.conftest import Get
from tests.api.v1.costs import reported
from tests.cast import Cast
from tests.pages.spans import Spanlet, request_of, store
from traces.store.queries.usage import MOST

from .conftest import MIDNIGHT_NS, OCTOBER, call

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

OTHERS = 203
TIMES = "start_time=2026-10-01T00:00:00Z&end_time=2026-10-03T00:00:00Z"


@pytest.fixture
def crowd(cast: Cast) -> int:
    """MOST + OTHERS agents and as many models, of one call with 3 tokens each; the last one has two calls."""
    names = [f"{number:05}" for number in range(MOST + OTHERS)]
    traces = {
        number: [Spanlet("ask", attributes=call(f"model-{name}", 1, 2, 0.5, gen_ai__agent__name=f"agent-{name}"))]
        for number, name in enumerate([*names, names[-1]], 1)
    }
    store(cast.project.pk, request_of(traces, dict.fromkeys(traces, MIDNIGHT_NS + 10**12)))
    return len(names)


def test_usage_by_model_and_agent_tells_the_top_and_the_rest(cast: Cast, get: Get, at: str, crowd: int) -> None:
    for by in ("model", "agent"):
        body = get(f"{at}/usage/by?by={by}&{OCTOBER}", person="bo").json()

        assert (len(body["results"]), body["truncated"]) == (MOST, True)
        assert [(row["name"], row["calls"]) for row in body["results"][:2]] == [
            (f"{by}-{crowd - 1:05}", 2),
            (f"{by}-00000", 1),
        ]
        others = body["others"]
        assert (others["calls"], others["tokens"]["total"]) == (OTHERS, 3 * OTHERS)
        assert others["cost"] == reported(f"{OTHERS / 2}")
    total = get(f"{at}/usage?{OCTOBER}", person="bo").json()
    assert total["calls"] == crowd + 1 == sum(row["calls"] for row in body["results"]) + others["calls"]


def test_few_names_are_all_told(figures: Cast, get: Get, at: str) -> None:
    body = get(f"{at}/usage/by?by=model&{OCTOBER}", person="bo").json()

    assert {row["name"] for row in body["results"]} >= {"gpt-4o", "qwen"}
    assert (body["truncated"], body["others"]) == (False, None)


def test_agents_are_paged_however_many_there_are(cast: Cast, get: Get, at: str, crowd: int) -> None:
    seen: list[dict[str, Any]] = []
    address = f"{at}/agents?{OCTOBER}&limit=500"
    while address:
        page = get(address.removeprefix("http://testserver"), person="bo").json()
        seen += page["results"]
        address = page["next"]

    assert len({row["name"] for row in seen}) == len(seen) == crowd
    assert {row["name"]: row["tokens"]["total"] for row in seen} == {
        f"agent-{number:05}": 6 if number == crowd - 1 else 3 for number in range(crowd)
    }
    [found] = get(f"{at}/agents?{OCTOBER}&q=agent-00007", person="bo").json()["results"]
    assert (found["name"], found["llm_calls"]) == ("agent-00007", 1)


@pytest.mark.parametrize("path", ["usage", "registry"])
def test_monitoring_has_a_row_of_the_others(cast: Cast, get: Get, crowd: int, path: str) -> None:
    answer = get(f"/api/monitoring/agents/{path}?project_id={cast.project.pk}&{TIMES}", person="bo")
    *rows, last = answer.json()

    assert len(rows) == MOST
    assert all("others" not in row for row in rows)
    assert (last["agent_name"], last["others"]) == (f"({OTHERS} others)", OTHERS)
    assert (last["event_count"], last["total_tokens"], last["total_cost"]) == (OTHERS, 3 * OTHERS, OTHERS / 2)
    assert sum(row["total_tokens"] for row in rows) + last["total_tokens"] == 3 * (crowd + 1)


def test_one_of_many_has_a_page_of_its_own(cast: Cast, get: Get, crowd: int) -> None:
    address = f"/api/monitoring/agents/agent-{crowd - 2:05}/detail?project_id={cast.project.pk}&{TIMES}"
    metrics = get(address, person="bo").json()["metrics"]

    assert (metrics["trace_count"], metrics["total_tokens"]) == (1, 3)
