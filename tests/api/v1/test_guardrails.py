"""Guardrail runs and their summary."""

import pytest

from tests.api.conftest import Get
from tests.cast import Cast
from tests.pages.spans import span_id, trace_id

from .conftest import OCTOBER, RECORDED

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_a_run_says_what_came_of_it_and_whose_it_was(figures: Cast, get: Get, at: str) -> None:
    answer = get(f"{at}/guardrails/runs?{OCTOBER}", person="bo").json()

    assert answer["results"][0] == {
        "id": answer["results"][0]["id"],
        "trace_id": trace_id(2),
        "span_id": span_id(3),
        "guardrail": "pii",
        "mode": "input",
        "outcome": "blocked",
        "service": "tests",
        "start": "2026-10-01T00:20:01.020000000Z",
        "duration_ns": 4_000_000,
        "models": ["qwen"],
        "session_id": "s-1",
        "user_id": "mina",
    }
    assert [run["outcome"] for run in answer["results"]] == ["blocked", "allowed"]
    assert len({run["id"] for run in answer["results"]}) == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("outcome=blocked", [2]),
        ("guardrail=pii&mode=input", [2, 1]),
        ("guardrail=p", []),
        ("mode=output", []),
        ("service=tests&outcome=allowed", [1]),
        (f"trace_id={trace_id(1).upper()}", [1]),
        ("guardrail=%27 OR 1=1", []),
    ],
)
def test_a_filter_chooses(figures: Cast, get: Get, at: str, query: str, expected: list[int]) -> None:
    runs = get(f"{at}/guardrails/runs?{OCTOBER}&{query}", person="bo").json()["results"]

    assert [int(run["trace_id"], 16) for run in runs] == expected


def test_pages_hold_every_run_once_and_agree_with_the_summary(mixed: Cast, get: Get, at: str) -> None:
    address: str | None = f"{at}/guardrails/runs?{RECORDED}&limit=3"
    found = []
    while address:
        answer = get(address, person="bo").json()
        found += answer["results"]
        address = answer["next"]
    summary = get(f"{at}/guardrails/summary?{RECORDED}", person="bo").json()

    assert len({(run["trace_id"], run["guardrail"], run["mode"], run["start"]) for run in found}) == len(found) == 20
    for use in summary["guardrails"]:
        runs = [run for run in found if (run["guardrail"], run["mode"]) == (use["guardrail"], use["mode"])]
        assert len(runs) == use["runs"]
        assert sum(run["outcome"] == "blocked" for run in runs) == use["blocked"]


def test_the_summary_counts_runs_and_traces(figures: Cast, get: Get, at: str) -> None:
    summary = get(f"{at}/guardrails/summary?{OCTOBER}", person="bo").json()

    assert summary["traces"] == {
        "with_calls": 2,
        "with_calls_and_runs": 2,
        "with_runs": 2,
        "with_blocks": 1,
        "coverage": 1.0,
        "block_rate": 0.5,
    }
    [use] = summary["guardrails"]
    counts = {
        "runs": 2,
        "allowed": 1,
        "masked": 0,
        "flagged": 0,
        "blocked": 1,
        "failed": 0,
        "unknown": 0,
        "block_rate": 0.5,
    }
    assert use.items() >= {"guardrail": "pii", "mode": "input", **counts}.items()


def test_rates_of_nothing_are_no_rates(cast: Cast, get: Get, at: str) -> None:
    traces = get(f"{at}/guardrails/summary?{OCTOBER}", person="bo").json()["traces"]

    assert (traces["coverage"], traces["block_rate"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("outcome=error", "outcome"),
        ("trace_id=7", "trace_id"),
        ("cursor=W10", "cursor"),
        ("guardrail=%00", "guardrail"),
    ],
)
def test_a_wrong_parameter_is_400_and_named(get: Get, at: str, query: str, field: str) -> None:
    answer = get(f"{at}/guardrails/runs?{query}", person="bo")

    assert (answer.status_code, list(answer.json())) == (400, [field])
