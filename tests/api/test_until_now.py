"""What a range that ends now holds, at its edges: the same on pages, in the API and for agents."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.cast import Cast
from tests.kept import give
from tests.pages.spans import Spanlet, request_of
from traces.mcp.trace_tools import SearchParameters, search_traces

from .conftest import Get

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

NOW = datetime(2026, 11, 26, 10, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR, AHEAD = timedelta(hours=1), timedelta(minutes=5)
# Name of a span that takes no time → when it is, from now on.
MOMENTS = {
    "before": -HOUR - SECOND,
    "first": -HOUR,
    "just now": -SECOND,
    "ahead": AHEAD - SECOND,
    "too far ahead": AHEAD,
    "before the quarter": -timedelta(minutes=67, seconds=1),
    "first of the quarter": -timedelta(minutes=67),
    "last of the quarter": timedelta(minutes=8) - SECOND,
    "next quarter": timedelta(minutes=8),
}
IN_RANGE = {"first", "just now", "ahead"}


@pytest.fixture
def told(cast: Cast) -> Iterator[Cast]:
    requests = [
        request_of({number: [Spanlet(name, end=0)]}, int((NOW + ahead).timestamp()) * 10**9)
        for number, (name, ahead) in enumerate(MOMENTS.items(), 1)
    ]
    for request in requests[1:]:
        requests[0].MergeFrom(request)
    with time_machine.travel(NOW, tick=False):
        give(cast.project, requests[0])
        yield cast


def page(cast: Cast, query: str) -> Any:
    client = Client()
    client.force_login(cast["bob"])
    return client.get(f"/projects/{cast.project.pk}/{query}").context


def test_the_last_hour_of_lists_is_an_hour_and_what_is_a_little_ahead(told: Cast, get: Get) -> None:
    api = get(f"/api/v1/projects/{told.project.pk}/traces?range=1h", person="bob").json()
    mcp = search_traces(told.project.pk, SearchParameters.model_validate({"last": "1h"})).result.model_dump()

    assert {trace["name"] for trace in api["results"]} == IN_RANGE
    assert {trace["name"] for trace in mcp["traces"]} == IN_RANGE
    assert {trace.name for trace in page(told, "traces/?range=1h")["page"].traces} == IN_RANGE


def test_without_a_range_it_is_the_last_seven_days(told: Cast, get: Get) -> None:
    usage = get(f"/api/v1/projects/{told.project.pk}/usage", person="bob").json()

    assert (usage["start"], usage["end"]) == ("2026-11-19T10:07:00Z", "2026-11-26T10:12:00Z")
    assert usage["requests"] == len(MOMENTS) - 3  # too far ahead, and the last two


def test_dashboards_take_whole_quarters_of_an_hour(told: Cast) -> None:
    assert page(told, "?range=1h")["overview"].figures.now.sums.traces == len(MOMENTS) - 2


def test_the_next_quarter_is_on_dashboards_when_clocks_may_have_reached_it(told: Cast) -> None:
    with time_machine.travel(NOW + timedelta(minutes=4), tick=False):  # 10:11, with clocks at 10:16
        assert page(told, "?range=1h")["overview"].figures.now.sums.traces == len(MOMENTS) - 1
