"""The overview of a project: its figures are those of the API and of the traces behind them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from projects.models import Project
from tests.api.asked import Asked, asked
from tests.kept import give, give_recorded

from .spans import MS, RECORDED_DAY, Spanlet, request_of

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

__all__ = ["asked"]  # a fixture

MAX_QUERIES = 10
DAY_NS = 86_400_000 * MS
MONDAY_NS = 1_795_392_000_000 * MS  # 2026-11-23T00:00Z
LLM = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}
ERROR = 2


@pytest.fixture(autouse=True)
def _later() -> Iterator[None]:
    """Of days that are not over, less is compared."""
    with time_machine.travel(datetime(2026, 12, 10, 12, tzinfo=UTC)):
        yield


def address(project: Project, query: str = "") -> str:
    return reverse("overview", kwargs={"project_id": project.pk}) + query


def shown(client: Client, project: Project, query: str = RECORDED_DAY) -> Any:
    response = client.get(address(project, query))
    assert response.status_code == 200
    return response.context


def card(context: Any, label: str) -> Any:
    [found] = [each for each in context["cards"] if each.label == label]
    return found


@pytest.fixture
def recordings(project: Project) -> Project:
    give_recorded(project, "litellm-1.106.2-mixed", "agentops-0.4.21-session")
    return project


def test_figures_are_those_of_the_api_for_the_same_range(client: Client, recordings: Project) -> None:
    figures = shown(client, recordings)["overview"].figures.now
    api = f"/api/v1/projects/{recordings.pk}"
    usage = client.get(f"{api}/usage{RECORDED_DAY}").json()
    guardrails = client.get(f"{api}/guardrails/summary{RECORDED_DAY}").json()["traces"]

    sums = figures.sums
    assert (sums.llm_calls, sums.total_tokens) == (usage["calls"], usage["tokens"]["total"])
    assert (sums.input_tokens, sums.cached_input_tokens) == (usage["tokens"]["input"], usage["tokens"]["cached_input"])
    assert sums.cost.reported == Decimal(usage["cost"]["reported"])
    assert sums.cost.unknown_calls == usage["cost"]["unknown_calls"]
    guarded = figures.guarded
    assert (guarded.with_blocks, guarded.with_runs) == (guardrails["with_blocks"], guardrails["with_runs"])
    assert guarded.coverage == guardrails["coverage"]


def test_each_figure_leads_to_the_traces_behind_it(client: Client, recordings: Project) -> None:
    context = shown(client, recordings)
    sums = context["overview"].figures.now.sums

    counts = {}
    for each in context["cards"]:
        if each.label == "Guardrail coverage":
            assert urlsplit(each.address).path == reverse("guardrails", kwargs={"project_id": recordings.pk})
            continue
        page = client.get(each.address).context
        assert page["query"].scope == context["period"].scope
        counts[each.label] = page["totals"]
    assert counts["Requests"].traces == sums.traces == 10
    assert counts["Error rate"].traces == sums.error_traces == 4
    assert counts["LLM calls"].llm_calls == sums.llm_calls
    assert counts["Cost"].cost == sums.cost
    assert counts["Blocked requests"].traces == context["overview"].figures.now.guarded.with_blocks == 4
    assert counts["Request latency, p95"].traces == 1  # of ten


def test_steps_add_up_to_the_figures_and_charts_to_the_models(client: Client, recordings: Project) -> None:
    context = shown(client, recordings)
    overview = context["overview"]

    assert len(overview.figures.steps) == 24
    assert sum(each.sums.traces for each in overview.figures.steps.values()) == overview.figures.now.sums.traces
    cost, tokens = overview.charts
    assert sum(sum(line.values) for line in cost.lines) == overview.figures.now.sums.cost.reported
    assert sum(sum(line.values) for line in tokens.lines) == overview.figures.now.sums.total_tokens


@pytest.fixture
def two_days(project: Project) -> Project:
    """Two requests on Monday; three on Tuesday, one of which failed."""
    ok = [Spanlet("ask", end=100), Spanlet("call", 2, 1, 0, 90, attributes=LLM | {"gen_ai.usage.input_tokens": 10})]
    failed = [Spanlet("ask", end=300, status=ERROR)]
    traces = dict.fromkeys((1, 2, 3, 4), ok) | {5: failed}
    starts = {number: MONDAY_NS + (number > 2) * DAY_NS + number * 3_600_000 * MS for number in traces}
    give(project, request_of(traces, starts))
    return project


TUESDAY = "?start=2026-11-24T00:00:00Z&end=2026-11-25T00:00:00Z"


def test_a_day_is_compared_with_the_day_before(client: Client, two_days: Project) -> None:
    context = shown(client, two_days, TUESDAY)

    requests = card(context, "Requests")
    assert (requests.value, requests.change.text, requests.change.before) == ("3", "+50 %", "2")
    assert (requests.change.direction, requests.change.is_good) == ("up", None)
    errors = card(context, "Error rate")
    assert (errors.value, errors.change.text, errors.change.is_good) == ("33.3 %", "+33.3 pts", False)
    latency = card(context, "Request latency, p95")  # between 100 ms and 300 ms, as far as 0.95 lies behind the middle
    assert (latency.value, latency.note, latency.change.before) == ("280 ms", "p50 100 ms", "100 ms")
    tokens = card(context, "Tokens")
    assert (tokens.value, tokens.change.text) == ("20", "no change")
    assert card(context, "Cost").value == "unknown"
    assert card(context, "Cost").note == "100 % of the calls unknown"


@pytest.mark.parametrize(
    ("day", "compare", "before"),
    [(24, "previous", "2"), (24, "week", None), (24, "none", None), (30, "week", "2"), (30, "previous", None)],
)
def test_what_a_day_is_compared_with_is_chosen(
    client: Client, two_days: Project, day: int, compare: str, before: str | None
) -> None:
    start = datetime(2026, 11, day, tzinfo=UTC)
    times = f"start={start:%Y-%m-%dT%H:%MZ}&end={start + timedelta(days=1):%Y-%m-%dT%H:%MZ}"
    change = card(shown(client, two_days, f"?{times}&compare={compare}"), "Requests").change

    assert (change.before if change else None) == before


def test_of_a_day_that_is_not_over_as_much_is_compared_as_has_passed(client: Client, two_days: Project) -> None:
    with time_machine.travel(datetime(2026, 11, 24, 3, 30, tzinfo=UTC)):
        period = shown(client, two_days, TUESDAY)["period"]

    assert period.before.start == datetime(2026, 11, 23, tzinfo=UTC)
    passed = period.before.end - datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
    assert timedelta() <= passed < timedelta(minutes=5)  # the clock goes on


def test_days_are_those_of_the_reader(client: Client, two_days: Project, alice: Any) -> None:
    alice.timezone = "Asia/Seoul"
    alice.save()
    week = "?start=2026-11-22T15:00:00Z&end=2026-11-29T15:00:00Z"
    steps = shown(client, two_days, week)["overview"].figures.steps

    assert [start.isoformat() for start in steps][:2] == ["2026-11-23T00:00:00+09:00", "2026-11-24T00:00:00+09:00"]
    assert [each.sums.traces for each in steps.values()] == [2, 3, 0, 0, 0, 0, 0]


def test_lists_lead_to_the_traces_of_a_name(client: Client, two_days: Project) -> None:
    models, agents, users, services = shown(client, two_days, TUESDAY)["overview"].lists

    [model] = models.rows
    assert (model.name, model.count, model.errors, model.tokens) == ("gpt-4o", 2, 0, 20)
    assert parse_qs(urlsplit(model.address).query)["model"] == ["gpt-4o"]
    assert not agents.rows
    assert not users.rows
    [service] = services.rows
    assert (service.name, service.count, service.errors) == ("tests", 3, 1)


def test_the_sidebar_and_the_presets_keep_what_was_chosen(client: Client, two_days: Project) -> None:
    page = client.get(address(two_days, f"{TUESDAY}&compare=week")).content.decode()

    kept = "start=2026-11-24T00%3A00%3A00Z&amp;end=2026-11-25T00%3A00%3A00Z&amp;compare=week"
    assert f'href="/projects/{two_days.pk}/traces/?{kept}"' in page
    assert 'href="?range=24h&amp;compare=week"' in page


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("?range=2h", "2h is not one of 15m, 1h, 24h, 7d, 30d, custom."),
        ("?start=2020-01-01T00:00&end=2022-01-01T00:00", "Choose at most 400 days."),
        ("?start=2026-11-25T00:00&end=2026-11-24T00:00", "The end must come after the start."),
        ("?compare=year", "year is not one of previous, week, none."),
    ],
)
def test_an_address_that_does_not_fit_is_400_and_says_why(
    client: Client, project: Project, query: str, problem: str
) -> None:
    response = client.get(address(project, query))

    assert response.status_code == 400
    assert problem in response.content.decode()


def test_a_range_without_traces_says_when_the_newest_was(client: Client, two_days: Project) -> None:
    page = client.get(address(two_days, "?start=2001-01-01T00:00Z&end=2001-01-02T00:00Z")).content.decode()

    assert "Nothing happened in this time range" in page
    assert "2026-11-24 05:00:00" in page


def test_a_project_without_traces_shows_the_first_steps(client: Client, project: Project) -> None:
    assert "Send your first trace" in client.get(address(project)).content.decode()


def test_the_number_of_queries_is_bounded(client: Client, recordings: Project, asked: list[Asked]) -> None:
    shown(client, recordings)

    assert 3 < len(asked) <= MAX_QUERIES
    assert not [each.name for each in asked if each.reads_spans]  # its cost follows hours and traces, not spans
