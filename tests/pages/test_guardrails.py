"""The guardrails page and its list of runs: the API's figures, and each of them leads to its runs."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import Project
from tests.api.asked import Asked, asked
from tests.kept import give, give_recorded
from traces.pages import guardrail_views

from .spans import RECORDED_DAY, Spanlet, request_of

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

__all__ = ["asked"]  # a fixture

MAX_QUERIES = 7


def address(name: str, project: Project, query: str = "") -> str:
    return reverse(name, kwargs={"project_id": project.pk}) + RECORDED_DAY + query


def shown(client: Client, project: Project) -> Any:
    response = client.get(address("guardrails", project))
    assert response.status_code == 200
    return response.context


def runs(client: Client, where: str) -> list[Any]:
    response = client.get(where)
    assert response.status_code == 200
    found: list[Any] = response.context["runs"]
    return found


@pytest.fixture
def recordings(project: Project) -> Project:
    give_recorded(project, "litellm-1.106.2-mixed", "agentops-0.4.21-session")
    return project


def test_figures_and_rows_are_those_of_the_api(client: Client, recordings: Project, asked: list[Asked]) -> None:
    found = shown(client, recordings)["guardrails"]
    assert 3 < len(asked) <= MAX_QUERIES
    assert not [each.name for each in asked if each.reads_spans]
    summary = client.get(f"/api/v1/projects/{recordings.pk}/guardrails/summary{RECORDED_DAY}").json()

    rows = summary["guardrails"]
    for outcome in ("runs", "allowed", "masked", "flagged", "blocked", "failed"):
        assert getattr(found.figures.runs, outcome) == sum(row[outcome] for row in rows)
    assert found.figures.runs.blocked == 4
    assert found.figures.traces.coverage == summary["traces"]["coverage"]
    by_guardrail = found.tables[0]
    assert [(row.name, row.detail, *row.values[:2]) for row in by_guardrail.rows] == [
        (row["guardrail"], row["mode"], row["runs"], row["blocked"]) for row in rows
    ]
    by_phase = found.tables[1]
    assert sum(row.values[0] for row in by_phase.rows) == found.figures.runs.runs
    assert sum(sum(line.values) for line in found.charts[0].lines) == found.figures.runs.runs - sum(
        row["allowed"] for row in rows
    )


def test_each_figure_leads_to_its_runs(client: Client, recordings: Project) -> None:
    context = shown(client, recordings)
    cards = {card.label: card for card in context["cards"]}

    assert str(len(runs(client, cards["Checks"].address))) == cards["Checks"].value
    blocked = runs(client, cards["Blocks"].address)
    assert str(len(blocked)) == cards["Blocks"].value == "4"
    assert {run.outcome for run in blocked} == {"blocked"}
    assert str(len(runs(client, cards["Masked"].address))) == cards["Masked"].value
    for row in context["guardrails"].tables[0].rows:
        assert len(runs(client, row.address)) == row.values[0]
    page = client.get(cards["Blocks"].address).content.decode()
    assert f"/traces/{blocked[0].trace_id}/?span={blocked[0].span_id}" in page


def test_names_say_what_was_blocked_and_what_no_guardrail_saw(client: Client, project: Project) -> None:
    call = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
    check = {"openinference.span.kind": "GUARDRAIL", "guardrail_name": "pii", "guardrail_mode": "pre_call"}
    blocked = [
        Spanlet("ask", status=2),
        Spanlet("pii", 2, 1, attributes=check | {"guardrail_status": "guardrail_intervened"}),
        Spanlet("call", 3, 1, attributes=call | {"gen_ai.request.model": "watched"}),
    ]
    alone = [Spanlet("call", attributes=call | {"gen_ai.request.model": "unwatched"})]
    give(project, request_of({1: blocked, 2: alone, 3: alone}, 1_795_435_200_000_000_000))

    [by_model] = [table for table in shown(client, project)["guardrails"].tables if table.id == "by-model"]

    # guarded, blocked, blocked share, unguarded, coverage
    assert {row.name: list(row.values) for row in by_model.rows} == {
        "watched": [1, 1, 1.0, 0, 1.0],
        "unwatched": [0, 0, None, 2, 0.0],
    }


def test_runs_come_page_by_page(client: Client, recordings: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = runs(client, address("guardrail-runs", recordings))
    monkeypatch.setattr(guardrail_views, "RUNS", 4)

    paged, where = [], address("guardrail-runs", recordings)
    while where:
        context = client.get(where).context
        paged += context["runs"]
        older = context["older_address"]
        where = reverse("guardrail-runs", kwargs={"project_id": recordings.pk}) + older if older else ""
    assert paged == everything
    assert len(paged) > 8


@pytest.mark.parametrize("query", ["&cursor=x", "&cursor=WzFd", "&outcome=lost", "&range=1y"])
def test_an_address_that_does_not_fit_is_400(client: Client, project: Project, query: str) -> None:
    assert client.get(address("guardrail-runs", project, query)).status_code == 400


def test_a_range_in_which_no_guardrail_ran_is_no_silence(client: Client, project: Project) -> None:
    call = Spanlet("call", attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"})
    give(project, request_of({1: [call]}, 1_795_435_200_000_000_000))

    page = client.get(address("guardrails", project)).content.decode()

    assert "No guardrail ran in this time range." in page
    assert "No check fits in this time range" in client.get(address("guardrail-runs", project)).content.decode()
