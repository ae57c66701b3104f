"""Analytics: what a project used in time and by name, as charts, tables and files."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import Project
from tests.api.asked import Asked, asked
from tests.kept import give, give_recorded

from .spans import MS, RECORDED_DAY, Spanlet, request_of

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

__all__ = ["asked"]  # a fixture

NOON_NS = 1_795_435_200_000 * MS  # 2026-11-23T12:00Z


def address(project: Project, query: str = "") -> str:
    return reverse("analytics", kwargs={"project_id": project.pk}) + RECORDED_DAY + query


def shown(client: Client, project: Project, query: str = "") -> Any:
    response = client.get(address(project, query))
    assert response.status_code == 200
    return response.context["analytics"]


def sums_of(found: Any) -> dict[str, dict[str, Any]]:
    """Chart → line → sum over the steps."""
    return {
        chart.id: {line.name: sum(value or 0 for value in line.values) for line in chart.lines}
        for chart in found.charts
        if chart.kind == "bars"
    }


def rows_of(response: Any) -> list[list[str]]:
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


@pytest.fixture
def recordings(project: Project) -> Project:
    give_recorded(project, "litellm-1.106.2-mixed", "agentops-0.4.21-session")
    return project


def test_charts_add_up_to_what_the_api_says(client: Client, recordings: Project) -> None:
    sums = sums_of(shown(client, recordings))
    usage = client.get(f"/api/v1/projects/{recordings.pk}/usage{RECORDED_DAY}").json()

    tokens = usage["tokens"]
    assert sums["tokens"] == {
        "Input": tokens["input"] - tokens["cached_input"],
        "Cached input": tokens["cached_input"],
        "Output": tokens["output"] - tokens["reasoning"],
        "Reasoning": tokens["reasoning"],
    }
    assert sums["calls"] == {"OK": usage["calls"] - usage["failed_calls"], "Failed": usage["failed_calls"]}
    assert sums["cost"] == {"Cost": Decimal(usage["cost"]["reported"])}
    assert sums["requests"] == {"OK": 6, "Failed": 4}


@pytest.mark.parametrize("by", ["model", "provider", "service"])
def test_names_are_those_of_the_api(client: Client, recordings: Project, by: str, asked: list[Asked]) -> None:
    found = shown(client, recordings, f"&by={by}")
    assert len(asked) == 2
    answer = client.get(f"/api/v1/projects/{recordings.pk}/usage/by{RECORDED_DAY}&by={by}").json()["results"]

    expected = {each["name"] or "without a name": each for each in answer}
    [table] = found.tables
    assert {row.name: (row.values[0], row.values[3], row.values[5]) for row in table.rows} == {
        name: (each["calls"], each["tokens"]["input"], each["tokens"]["output"])
        for name, each in expected.items()
        if each["calls"] or each["cost"]["reported"]
    }
    called = {name: each["calls"] for name, each in expected.items() if each["calls"]}
    assert sums_of(found)["calls"] == called


def test_agents_and_users_are_those_of_the_api(client: Client, recordings: Project) -> None:
    for by, title in (("agent", "agents"), ("user", "users")):
        [table] = shown(client, recordings, f"&by={by}").tables
        answer = client.get(f"/api/v1/projects/{recordings.pk}/{title}{RECORDED_DAY}").json()["results"]
        key = "name" if by == "agent" else "user_id"
        assert {row.name: row.values[0] for row in table.rows} == {each[key]: each["traces"] for each in answer}
        assert table.rows


@pytest.fixture
def formula(project: Project) -> Project:
    """Two models on one day: one with a name that a spreadsheet would run, one far dearer."""
    models = {1: ("=cmd|'/C calc'!A0", 0.25), 2: ("gpt-4o", 1.5)}
    traces = {
        number: [
            Spanlet(
                "call",
                end=1000 * number,
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.request.model": model,
                    "gen_ai.usage.input_tokens": 7,
                    "gen_ai.usage.cost": cost,
                },
            )
        ]
        for number, (model, cost) in models.items()
    }
    give(project, request_of(traces, NOON_NS))
    return project


def test_a_table_as_a_file_holds_plain_numbers_and_no_formula(client: Client, formula: Project) -> None:
    response = client.get(address(formula, "&by=model&csv=by-model"))

    head, *rows = rows_of(response)
    assert response["Content-Disposition"] == 'attachment; filename="support-bot-by-model.csv"'
    assert (head[0], head[8], head[10]) == ("Model", "Cost (USD)", "Call p50 (ns)")
    assert {row[0]: (row[1], row[8]) for row in rows} == {"'=cmd|'/C calc'!A0": ("1", "0.25"), "gpt-4o": ("1", "1.5")}


def test_a_chart_as_a_file_has_a_row_for_each_step(client: Client, formula: Project) -> None:
    head, *rows = rows_of(client.get(address(formula, "&by=model&csv=cost")))

    assert head == ["Time", "gpt-4o (USD)", "'=cmd|'/C calc'!A0 (USD)"]  # the dearest first
    assert len(rows) == 24
    assert [row for row in rows if row[1] != "0"] == [["2026-11-23T12:00:00+00:00", "1.5", "0.25"]]


def test_there_are_no_other_files(client: Client, formula: Project) -> None:
    assert client.get(address(formula, "&csv=nothing")).status_code == 404


def test_a_name_cannot_leave_the_numbers_of_its_chart(client: Client, project: Project) -> None:
    model = "</script><script>alert(1)</script>"
    call = Spanlet("call", attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": model})
    give(project, request_of({1: [call]}, NOON_NS))

    page = client.get(address(project, "&by=model")).content.decode()

    assert "<script>alert" not in page
    assert "\\u003C/script\\u003E\\u003Cscript\\u003Ealert(1)" in page


def test_an_unknown_dimension_is_400(client: Client, project: Project) -> None:
    response = client.get(address(project, "&by=moon"))

    assert response.status_code == 400
    assert "moon is not one of model, provider, service, agent, user." in response.content.decode()
