"""What is named by nothing but its id is looked for in all projects that somebody sees, in one question."""

from typing import Any
from uuid import uuid4

import pytest

from projects.models import Membership, Project
from projects.services import create_project
from tests.browser import signed_in
from tests.cast import Cast
from tests.kept import give_trace
from tests.pages.spans import Spanlet, store_trace, trace_id
from traces.store.queries.trace_detail import trace_scope_among

from .asked import Asked
from .conftest import Get
from .world import CHAT, NOON_NS

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

PROJECTS = 40
MOST = 2  # queries that it takes to find something
BY_ID = (
    "/api/monitoring/traces/{}",
    "/api/monitoring/replay/{}",
    "/v4/traces/detail/{}",
    "/v4/traces/{}",
    "/sessions?trace_id={}",
)
LOOK_UPS = {"trace_detail.scope", "agents.projects"}


@pytest.fixture
def last(cast: Cast) -> Project:
    """The last of 40 projects that Bob sees."""
    made = [create_project(organization=cast.organization, name=f"Project {n:02}") for n in range(PROJECTS - 1)]
    return made[-1]


@pytest.mark.parametrize("person", ["bob", "root"])
@pytest.mark.parametrize("address", BY_ID)
def test_an_id_of_nothing_takes_two_queries(
    cast: Cast, last: Project, get: Get, asked: list[Asked], address: str, person: str
) -> None:
    answer = get(address.format("ab" * 16), person=person)

    assert answer.status_code == 404
    assert 1 <= len(asked) <= MOST, [each.name for each in asked]
    seen = PROJECTS if person == "bob" else Project.objects.active().count()
    assert len(asked[0].projects) == seen >= PROJECTS


@pytest.mark.parametrize("person", ["bob", "root"])
@pytest.mark.parametrize("address", BY_ID)
def test_a_trace_of_the_last_project_is_found_in_two_queries(
    cast: Cast, last: Project, get: Get, asked: list[Asked], address: str, person: str
) -> None:
    give_trace(last, [Spanlet("run"), Spanlet("ask", id=2, parent=1, attributes=CHAT)], start_ns=NOON_NS)
    asked.clear()

    answer = get(address.format(trace_id(1)), person=person)

    assert answer.status_code in (200, 302)
    finding = [each.name for each in asked if each.name in LOOK_UPS]
    assert 1 <= len(finding) <= MOST, finding
    assert all(each.projects == {str(last.pk)} for each in asked if each.name not in LOOK_UPS)


@pytest.mark.parametrize("person", ["bob", "root"])
def test_an_agent_of_the_last_project_is_found_in_two_queries(
    cast: Cast, last: Project, get: Get, asked: list[Asked], person: str
) -> None:
    name = f"Agent {uuid4()}"
    store_trace(last.pk, [Spanlet("ask", attributes=CHAT | {"agent.name": name})], start_ns=NOON_NS)
    day = "start_time=2026-11-23T00:00:00Z&end_time=2026-11-24T00:00:00Z"
    for wanted, traces in ((name, 1), ("nobody", 0)):
        asked.clear()

        answer = get(f"/api/monitoring/agents/{wanted}/detail?{day}", person=person)

        assert answer.json()["metrics"]["trace_count"] == traces
        assert [each.name for each in asked].count("agents.projects") == 1
        assert len(asked) <= 6, [each.name for each in asked]  # besides its figures, traces and trend


def test_sharing_looks_in_all_projects_at_once(cast: Cast, last: Project, get: Get, asked: list[Asked]) -> None:
    give_trace(last, [Spanlet("run")], start_ns=NOON_NS)
    for trace, status in ((trace_id(1), 200), ("ab" * 16, 404)):
        asked.clear()
        body = {"project_id": "", "trace_id": trace}
        answer: Any = signed_in(cast.bob).post("/api/monitoring/share", body, content_type="application/json")
        assert answer.status_code == status, answer.content
        assert len(asked) == 1


def test_whoever_sees_no_project_asks_nothing(cast: Cast, get: Get, asked: list[Asked]) -> None:
    Membership.objects.filter(user=cast.bo).delete()

    for address in BY_ID:
        assert get(address.format(trace_id(1)), person="bo").status_code == 404
    assert not asked


def test_a_trace_of_another_project_stays_hidden_and_the_first_of_two_is_shown(cast: Cast, last: Project) -> None:
    """Ids are the clients': two projects may have the same."""
    other = uuid4()
    for project_id, start_ns in ((other, NOON_NS), (last.pk, NOON_NS + 10**9), (cast.project.pk, NOON_NS + 2 * 10**9)):
        store_trace(project_id, [Spanlet("run")], start_ns=start_ns)

    for order in ([last.pk, cast.project.pk], [cast.project.pk, last.pk]):
        found = trace_scope_among(order, trace_id(1))
        assert found is not None
        assert found.project_id == order[0]
        assert found.end > found.start
    assert trace_scope_among([uuid4(), cast.foreign_project.pk], trace_id(1)) is None
