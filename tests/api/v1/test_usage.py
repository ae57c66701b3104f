"""Usage in total, by what, and over time."""

import pytest

from tests.api.conftest import Get
from tests.api.v1.costs import reported
from tests.cast import Cast

from .conftest import OCTOBER

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_the_total_is_of_all_calls(figures: Cast, get: Get, at: str) -> None:
    usage = get(f"{at}/usage?{OCTOBER}", person="bo").json()

    assert (usage.pop("start"), usage.pop("end")) == ("2026-10-01T00:00:00Z", "2026-10-03T00:00:00Z")
    latency, request_latency = usage.pop("latency"), usage.pop("request_latency")
    assert latency["p50_ns"] == pytest.approx(200e6, rel=0.05)  # 100, 200 and 1000 ms
    assert request_latency["p99_ns"] == pytest.approx(2000e6, rel=0.05)
    assert usage == {
        "calls": 3,
        "failed_calls": 0,
        "cache_hits": 0,
        "tokens": {"input": 75, "output": 37, "cached_input": 0, "reasoning": 0, "total": 112},
        "cost": reported("0.75", unknown_calls=1),
        "requests": 3,
        "failed_requests": 1,
    }


def test_what_was_used_by_each_model(figures: Cast, get: Get, at: str) -> None:
    answer = get(f"{at}/usage/by?by=model&{OCTOBER}", person="bo").json()

    assert answer["by"] == "model"
    models = {row["name"]: (row["calls"], row["tokens"]["total"], row["cost"]) for row in answer["results"]}
    assert models["gpt-4o"] == (2, 100, reported("0.75"))
    assert models["qwen"] == (1, 12, reported(None, unknown_calls=1))
    assert answer["results"][0]["name"] == "gpt-4o"


@pytest.mark.parametrize(
    ("by", "name", "calls"), [("agent", "planner", 2), ("service", "tests", 3), ("provider", "", 3)]
)
def test_what_was_used_by_others(figures: Cast, get: Get, at: str, by: str, name: str, calls: int) -> None:
    answer = get(f"{at}/usage/by?by={by}&{OCTOBER}", person="bo").json()

    assert {row["name"]: row["calls"] for row in answer["results"]}[name] == calls


def test_every_day_of_the_readers_zone_is_there_empty_or_not(figures: Cast, get: Get, at: str) -> None:
    seoul = "start=2026-10-01T00:00:00%2B09:00&end=2026-10-05T00:00:00%2B09:00&timezone=Asia/Seoul"
    answer = get(f"{at}/usage/over-time?step=day&{seoul}", person="bo").json()

    days = [(row["start"], row["requests"], row["tokens"]["total"]) for row in answer["results"]]
    assert days == [
        ("2026-10-01T00:00:00+09:00", 2, 112),
        ("2026-10-02T00:00:00+09:00", 1, 0),
        ("2026-10-03T00:00:00+09:00", 0, 0),
        ("2026-10-04T00:00:00+09:00", 0, 0),
    ]
    assert answer["results"][2]["cost"] == reported(None)
    assert answer["results"][2]["latency"] is None


@pytest.mark.parametrize(("step", "count", "filled"), [("quarter", 8, 2), ("hour", 2, 1)])
def test_shorter_steps(figures: Cast, get: Get, at: str, step: str, count: int, filled: int) -> None:
    two_hours = "start=2026-10-01T00:00:00Z&end=2026-10-01T02:00:00Z"
    rows = get(f"{at}/usage/over-time?step={step}&{two_hours}", person="bo").json()["results"]

    assert len(rows) == count
    assert sum(row["calls"] > 0 for row in rows) == filled
    assert sum(row["calls"] for row in rows) == 3


@pytest.mark.parametrize(
    ("path", "field", "words"),
    [
        ("usage?by=model", "by", "no such parameter"),
        ("usage/by", "by", "required"),
        ("usage/by?by=prompt", "by", "not a valid choice"),
        ("usage/over-time?step=month", "step", "not a valid choice"),
        ("usage/over-time?timezone=Mars/Olympus", "timezone", "no such time zone"),
        ("usage/over-time?timezone=%2Fetc%2Fpasswd", "timezone", "no such time zone"),
        ("usage/over-time?timezone=%00", "timezone", "Null characters"),
        ("usage/over-time?step=quarter&start=2026-01-01T00:00:00Z&end=2026-11-01T00:00:00Z", "step", "more than 5000"),
        ("usage/over-time?start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z", "end", "after the start"),
    ],
)
def test_a_wrong_parameter_is_400_and_named(get: Get, at: str, path: str, field: str, words: str) -> None:
    answer = get(f"{at}/{path}", person="bo")

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert words in " ".join(answer.json()[field])
