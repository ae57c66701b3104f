"""The list of traces and its filters."""

from typing import Any

import pytest
import time_machine

from tests.api.conftest import Get
from tests.api.v1.costs import reported
from tests.cast import Cast
from tests.pages.spans import Spanlet, request_of, store, trace_id

from .conftest import OCTOBER, RECORDED

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

FIRST = {
    "trace_id": trace_id(1),
    "name": "plan",
    "service": "tests",
    "status": "ok",
    "start": "2026-10-01T00:10:00.000000000Z",
    "end": "2026-10-01T00:10:00.500000000Z",
    "duration_ns": 500_000_000,
    "span_count": 4,
    "error_count": 0,
    "llm_calls": 2,
    "cache_hits": 0,
    "tokens": {"input": 70, "output": 30, "cached_input": 0, "reasoning": 0, "total": 100},
    "cost": reported("0.75"),
    "models": ["gpt-4o"],
    "agents": ["planner"],
    "tags": ["nightly", "한국어"],
    "session_id": "",
    "user_id": "mina",
    "guardrail": {"outcome": "allowed", "runs": 1, "blocked": 0, "masked": 0, "flagged": 0, "failed": 0, "unknown": 0},
}


def results(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def numbers(answer: Any) -> list[int]:
    return [int(trace["trace_id"], 16) for trace in results(answer)]


def test_a_trace_is_answered_with_its_figures(figures: Cast, get: Get, at: str) -> None:
    answer = get(f"{at}/traces?{OCTOBER}", person="bo")

    assert numbers(answer) == [3, 2, 1]
    assert results(answer)[2] == FIRST
    assert results(answer)[1]["cost"] == reported(None, unknown_calls=1)
    assert results(answer)[0]["cost"] == reported(None)
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=CHAT", [2, 1]),
        ("q=000000000002", [2]),
        ("q=100%25", []),
        ("status=error", [2]),
        ("status=ok", [3, 1]),
        ("model=qwen", [2]),
        ("llm=true", [2, 1]),
        ("llm=false", [3, 2, 1]),
        ("agent=planner", [1]),
        ("user=mina", [2, 1]),
        ("session=s-1", [2]),
        ("service=tests", [3, 2, 1]),
        ("service=test", []),
        ("tag=nightly", [1]),
        ("tag=night", []),
        ("tag=%ED%95%9C%EA%B5%AD%EC%96%B4", [1]),
        ("guardrail=blocked", [2]),
        ("guardrail=allowed", [1]),
        ("has_errors=true", [2]),
        ("has_errors=false", [3, 1]),
        ("min_duration=500ms", [2, 1]),
        ("max_duration=0.5s", [3, 1]),
        ("min_duration=1s&max_duration=1m", [2]),
        ("min_cost=0.75", [1]),
        ("max_cost=0.7499", [3]),  # the cost of 2 is unknown: it fits no bound
        ("min_cost=0&max_cost=1", [3, 1]),
        ("user=mina&status=ok&q=plan", [1]),
        ("status=&model=&q=", [3, 2, 1]),
        ("q=' OR 1=1 --", []),
    ],
)
def test_a_filter_chooses(figures: Cast, get: Get, at: str, query: str, expected: list[int]) -> None:
    assert numbers(get(f"{at}/traces?{OCTOBER}&{query}", person="bob")) == expected


def test_the_range_takes_offsets_and_ends_before_its_end(figures: Cast, get: Get, at: str) -> None:
    seoul = "start=2026-10-01T09:10:00%2B09:00&end=2026-10-01T09:20:00%2B09:00"

    assert numbers(get(f"{at}/traces?{seoul}", person="bob")) == [1]


def test_without_a_range_it_is_the_last_seven_days(figures: Cast, get: Get, at: str) -> None:
    assert numbers(get(f"{at}/traces", person="bob")) == []


def test_only_the_fields_that_were_asked_for(figures: Cast, get: Get, at: str) -> None:
    answer = get(f"{at}/traces?{OCTOBER}&fields=cost,trace_id&limit=1", person="bob")

    assert results(answer) == [
        {"cost": reported(None), "trace_id": trace_id(3)},
    ]


def test_pages_hold_every_trace_once_and_keep_their_range(mixed: Cast, get: Get, at: str) -> None:
    whole = results(get(f"{at}/traces?{RECORDED}", person="bob"))
    address: str | None = f"{at}/traces?{RECORDED}&limit=3&fields=trace_id"
    found = []
    while address:
        answer = get(address, person="bob")
        found += results(answer)
        address = answer.json()["next"]
        assert address is None or ("start=2026-11-23" in address and "fields=trace_id" in address)

    assert found == [{"trace_id": trace["trace_id"]} for trace in whole]
    assert len(found) == 9


def test_the_next_page_repeats_a_range_that_was_left_out(mixed: Cast, get: Get, at: str) -> None:
    with time_machine.travel("2026-11-24T00:00:00Z", tick=False):
        following = get(f"{at}/traces?limit=1", person="bob").json()["next"]

    assert "start=2026-11-17T00%3A00%3A00Z&" in following + "&"
    assert "end=2026-11-24T00%3A05%3A00Z&" in following + "&"


def test_a_range_reaches_the_last_time_there_is(cast: Cast, get: Get) -> None:
    """A span that claims a later one lies there: no list could show it if no range held it."""
    store(cast.project.pk, request_of({1: [Spanlet("late", end=0)]}, 2**63 - 1))
    address = f"/api/v1/projects/{cast.project.pk}"
    last = "start=2262-04-11T00:00:00Z&end=2262-04-11T23:47:16.854775Z"

    assert [each["name"] for each in get(f"{address}/traces?{last}", person="bob").json()["results"]] == ["late"]
    assert get(f"{address}/usage?{last}", person="bob").status_code == 200


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("status=maybe", "status", "not a valid choice"),
        ("guardrail=none", "guardrail", "not a valid choice"),
        ("fields=cost,secret", "fields", "There is no secret"),
        ("min_duration=5", "min_duration", "with its unit"),
        ("max_duration=1d", "max_duration", "with its unit"),
        ("min_duration=2s&max_duration=1s", "max_duration", "less than min_duration"),
        ("min_cost=-1", "min_cost", "US dollars"),
        ("max_cost=1e9", "max_cost", "US dollars"),
        ("min_cost=2&max_cost=1", "max_cost", "less than min_cost"),
        ("start=2026-10-02T00:00:00Z&end=2026-10-01T00:00:00Z", "end", "after the start"),
        ("start=2999-10-02T00:00:00Z", "start", "between 1970 and 2262"),
        ("start=2030-10-02T00:00:00Z", "start", "after the start"),
        ("cursor=1", "cursor", "names no page"),
        ("limit=1001", "limit", "less than or equal to 1000"),
        ("q=%00", "q", "Null characters"),
        ("model=%00", "model", "Null characters"),
        (f"q={'x' * 201}", "q", "no more than 200"),
        ("has_errors=perhaps", "has_errors", "valid boolean"),
        ("llm=2", "llm", "valid boolean"),
        ("sort=cost", "sort", "no such parameter"),
        ("format=csv", "format", "no such parameter"),
    ],
)
def test_a_wrong_parameter_is_400_and_named(get: Get, at: str, query: str, field: str, words: str) -> None:
    answer = get(f"{at}/traces?{query}", person="bob")

    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert words in " ".join(answer.json()[field])


def test_a_range_until_now(figures: Cast, get: Get, at: str) -> None:
    with time_machine.travel("2026-10-02T06:20:00Z", tick=False):
        found = {preset: numbers(get(f"{at}/traces?range={preset}", person="bob")) for preset in ("15m", "1h", "7d")}
        both = get(f"{at}/traces?range=1h&start=2026-10-01T00:00:00Z", person="bob")
        following = get(f"{at}/traces?range=7d&limit=1", person="bob").json()["next"]

    assert found == {"15m": [], "1h": [3], "7d": [3, 2, 1]}
    assert (both.status_code, list(both.json())) == (400, ["range"])
    assert "range" not in following
    assert numbers(get(following, person="bob")) == [2]
