"""The figures of a report, counted by hand from the week of world.py."""

from decimal import Decimal

import pytest

from guardrails.reports.contents import figures_of, is_empty
from tests.cast import Cast

from .world import HOSTILE, MONDAY, NEXT_MONDAY, weekly

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_a_week_of_one_project(cast: Cast) -> None:
    schedule = weekly(cast.organization, cast.project)
    period = schedule.rhythm.period_at(MONDAY)

    figures = figures_of(schedule, period)

    assert (figures["period"]["start"], figures["period"]["end"]) == (MONDAY.isoformat(), NEXT_MONDAY.isoformat())
    assert figures["period"]["iso_week"] == "2026-W47"
    totals, before = figures["totals"], figures["totals_before"]
    assert {name: totals[name] for name in ("checks", "allowed", "blocked", "masked", "failed", "unknown")} == {
        "checks": 6,
        "allowed": 2,
        "blocked": 3,
        "masked": 0,
        "failed": 1,
        "unknown": 0,
    }
    assert (totals["requests"], totals["calls"], totals["total_tokens"]) == (6, 3, 360)
    assert (totals["traces_with_calls"], totals["traces_with_calls_and_checks"]) == (3, 2)
    assert (Decimal(totals["cost"]), totals["unknown_cost_calls"]) == (Decimal("0.75"), 1)
    assert (before["checks"], before["blocked"], Decimal(before["cost"])) == (2, 1, 1)
    assert [(row["guardrail"], row["mode"], row["runs"], row["blocked"]) for row in figures["guardrails"]] == [
        ("pii", "pre_call", 4, 2),
        (HOSTILE, "pre_call", 1, 1),
        ("toxic", "post_call", 1, 0),
    ]
    assert figures["guardrails"][0]["blocked_before"] == 1
    assert [(row["guardrail"], row["runs_before"]) for row in figures["silent"]] == [("old", 1)]
    assert [(row["phase"], row["runs"], row["blocked"]) for row in figures["phases"]] == [
        ("input", 5, 3),
        ("output", 1, 0),
        ("other", 0, 0),
    ]
    places = {(row["place"], row["name"]): (row["blocked"], row["failed"]) for row in figures["places"]}
    assert places == {
        ("model", "gpt-4o"): (0, 1),
        ("agent", "Support"): (1, 0),
        ("user", "u1"): (1, 0),
        ("user", "u2\ufffd"): (1, 0),
        ("user", HOSTILE): (1, 0),
    }
    assert [(row["place"], row["name"], row["unseen"]) for row in figures["unseen"]] == [("model", "claude-3", 1)]
    assert [(row["model"], row["calls"], row["cost"]) for row in figures["models"]] == [
        ("gpt-4o", 2, "0.75"),
        ("claude-3", 1, None),
    ]
    assert [(row["runs"], row["blocked"]) for row in figures["over_time"]] == [
        *((2, 1), (3, 1), (0, 0), (0, 0), (0, 0), (0, 0), (1, 1))
    ]


def test_all_projects_of_an_organization_and_an_empty_week(cast: Cast) -> None:
    empty = weekly(cast.foreign_organization, cast.foreign_project)
    whole = weekly(cast.organization, None)
    period = whole.rhythm.period_at(MONDAY)

    assert is_empty(figures_of(empty, period))
    figures = figures_of(whole, period)
    assert [project["name"] for project in figures["projects"]] == ["Alice's agents"]
    assert figures["totals"]["checks"] == 6
    assert figures["by_project"][0]["totals"] == figures["totals"]
