"""Sessions, users and agents with their figures."""

import pytest

from tests.api.conftest import Get
from tests.api.v1.costs import reported
from tests.cast import Cast
from tests.pages.spans import MS, Spanlet, request_of, store

from .conftest import MIDNIGHT_NS, OCTOBER

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_a_session_is_the_sum_of_its_traces(figures: Cast, get: Get, at: str) -> None:
    assert get(f"{at}/sessions?{OCTOBER}", person="bo").json() == {
        "next": None,
        "results": [
            {
                "session_id": "s-1",
                "user_ids": ["mina"],
                "traces": 1,
                "error_traces": 1,
                "span_count": 3,
                "error_count": 1,
                "llm_calls": 1,
                "cache_hits": 0,
                "tokens": {"input": 5, "output": 7, "cached_input": 0, "reasoning": 0, "total": 12},
                "cost": reported(None, unknown_calls=1),
                "blocked_runs": 1,
                "first_seen": "2026-10-01T00:20:00.000000000Z",
                "last_seen": "2026-10-01T00:20:02.000000000Z",
            }
        ],
    }


def test_a_users_cost_says_what_is_unknown_of_it(figures: Cast, get: Get, at: str) -> None:
    [user] = get(f"{at}/users?{OCTOBER}", person="bo").json()["results"]

    assert (user["user_id"], user["sessions"]) == ("mina", 1)
    assert (user["traces"], user["error_traces"], user["llm_calls"]) == (2, 1, 3)
    assert user["tokens"]["total"] == 112
    assert user["cost"] == reported("0.75", unknown_calls=1)
    assert (user["first_seen"][11:19], user["last_seen"][11:19]) == ("00:10:00", "00:20:02")


def test_an_agent_used_what_its_calls_used(figures: Cast, get: Get, at: str) -> None:
    [agent] = get(f"{at}/agents?{OCTOBER}", person="bo").json()["results"]

    assert agent == {
        "name": "planner",
        "traces": 1,
        "error_traces": 0,
        "span_count": 4,
        "error_count": 0,
        "llm_calls": 2,
        "tokens": {"input": 70, "output": 30, "total": 100},
        "cost": reported("0.75"),
        "first_seen": "2026-10-01T00:10:00.000000000Z",
        "last_seen": "2026-10-01T00:10:00.500000000Z",
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [("users?q=MIN", 1), ("users?q=%25", 0), ("sessions?q=s-2", 0), ("agents?q=plan", 1), ("agents?q=%27--", 0)],
)
def test_a_part_of_the_name_chooses(figures: Cast, get: Get, at: str, path: str, expected: int) -> None:
    assert len(get(f"{at}/{path}&{OCTOBER}", person="bo").json()["results"]) == expected


def test_pages_follow_each_other_the_last_seen_first(cast: Cast, get: Get, at: str) -> None:
    people = {number: [Spanlet("x", attributes={"user.id": f"user/{number} ü"})] for number in range(1, 6)}
    # Two of them at the same moment.
    starts = {number: MIDNIGHT_NS + min(number, 4) * 1000 * MS for number in people}
    store(cast.project.pk, request_of(people, starts))
    address: str | None = f"{at}/users?{OCTOBER}&limit=2"
    found = []
    while address:
        answer = get(address, person="bo").json()
        found += [user["user_id"] for user in answer["results"]]
        address = answer["next"]

    assert found == [f"user/{number} ü" for number in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize("path", ["sessions", "users", "agents"])
@pytest.mark.parametrize(
    ("query", "field"),
    [("cursor=abc", "cursor"), ("limit=0", "limit"), ("q=%00", "q"), ("name=x", "name"), ("end=now", "end")],
)
def test_a_wrong_parameter_is_400_and_named(get: Get, at: str, path: str, query: str, field: str) -> None:
    answer = get(f"{at}/{path}?{query}", person="bo")

    assert (answer.status_code, list(answer.json())) == (400, [field])
