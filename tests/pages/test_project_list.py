"""The list of projects: what happened in each of them lately, in one question."""

import re
import time
from decimal import Decimal

import pytest
from django.db import connections
from django.test import Client

from projects.activity import ProjectActivity
from projects.models import Project, User
from tests.api.asked import Asked, asked
from tests.kept import give, give_trace

from .spans import MS, Spanlet, request_of

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

__all__ = ["asked"]  # a fixture

HOUR_NS = 3_600_000 * MS
LLM = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
BLOCK = {
    "openinference.span.kind": "GUARDRAIL",
    "guardrail_name": "pii",
    "guardrail_mode": "pre_call",
    "guardrail_status": "guardrail_intervened",
}
TRACES = {
    1: [Spanlet("call", attributes=LLM | {"gen_ai.usage.cost": 0.25})],
    2: [Spanlet("call", attributes=LLM)],
    3: [
        Spanlet("ask", status=2),
        Spanlet("pii", 2, 1, attributes=BLOCK),
    ],
    4: [Spanlet("old")],
}
AGE_HOURS = {1: 2, 2: 50, 3: 3, 4: 24 * 9}


def activity(client: Client) -> dict[str, ProjectActivity]:
    response = client.get("/projects/")
    assert response.status_code == 200
    return {row.project.name: row.activity for row in response.context["rows"]}


def test_each_project_has_its_own_last_days(client: Client, project: Project, bob: User, asked: list[Asked]) -> None:
    quiet = Project.objects.create(name="Quiet", organization=project.organization)
    foreign = Project.objects.create(name="Foreign", organization=bob.memberships.get().organization)
    # Whole hours, so that the spans of one test run are those of the next.
    now_ns = time.time_ns() // HOUR_NS * HOUR_NS
    give(project, request_of(TRACES, {number: now_ns - hours * HOUR_NS for number, hours in AGE_HOURS.items()}))
    give_trace(foreign, [Spanlet("secret")])
    asked.clear()

    found = activity(client)

    assert [each.name for each in asked] == ["project_activity"]
    assert found.keys() == {project.name, quiet.name}
    of_project = found[project.name]
    assert (of_project.requests, of_project.failed, of_project.blocked) == (3, 1, 1)
    assert (of_project.cost, of_project.unknown_cost_calls) == (Decimal("0.25"), 1)
    assert sum(of_project.steps) == 3
    assert of_project.last_seen is not None
    assert of_project.last_seen.timestamp() == pytest.approx(now_ns / 1e9 - 2 * 3600 + 0.01, abs=0.001)
    assert found[quiet.name] == ProjectActivity()
    page = client.get("/projects/").content.decode()
    assert re.search(r"33\.3 %.*\$0\.25", page, re.DOTALL)
    assert "Nothing yet in these days" in page


def test_without_clickhouse_the_list_is_there_still(
    client: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["clickhouse"], "PORT", 9)  # the discard port

    page = client.get("/projects/")

    assert page.status_code == 200
    assert "What happened in them cannot be read right now." in page.content.decode()
    assert f'href="/projects/{project.pk}/"' in page.content.decode()
