"""Who may read: every member and the project's keys that may read; nobody else learns that there is anything."""

from uuid import uuid4

import pytest

from agentops_portal.clickhouse import gate
from projects.services import create_api_key, delete_project, revoke_api_key
from projects.tokens import issue_project_token
from tests.api.conftest import Get
from tests.cast import Cast
from tests.pages.spans import span_id, trace_id

from .conftest import OCTOBER

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

LISTS = [
    f"traces?{OCTOBER}",
    f"traces/export?{OCTOBER}",
    f"sessions?{OCTOBER}",
    f"users?{OCTOBER}",
    f"agents?{OCTOBER}",
    f"usage?{OCTOBER}",
    f"usage/by?by=model&{OCTOBER}",
    f"usage/over-time?{OCTOBER}",
    f"guardrails/runs?{OCTOBER}",
    f"guardrails/summary?{OCTOBER}",
]
ALL = [
    *LISTS,
    f"traces/{trace_id(1)}",
    f"traces/{trace_id(1)}/spans",
    f"traces/{trace_id(1)}/spans/{span_id(1)}",
]


@pytest.mark.parametrize("path", ALL)
def test_every_member_and_key_of_the_project_reads(figures: Cast, get: Get, at: str, path: str) -> None:
    issued = create_api_key(project=figures.project, name="reader", scopes=["read"])

    for person in ("alice", "ann", "bob", "bo", "root"):
        assert get(f"{at}/{path}", person=person).status_code == 200
    assert get(f"{at}/{path}", key=issued.secret).status_code == 200
    assert get(f"{at}/{path}", key=issue_project_token(issued.key)).status_code == 200
    assert get(f"{at}/{path}", headers={"X-Agentops-Api-Key": issued.secret}).status_code == 200


@pytest.mark.parametrize("path", ALL)
def test_nobody_else_does(figures: Cast, get: Get, at: str, path: str) -> None:
    theirs = create_api_key(project=figures.foreign_project, name="theirs")
    sender = create_api_key(project=figures.project, name="sender", scopes=["ingest"])
    ended = create_api_key(project=figures.project, name="ended")
    revoke_api_key(key=ended.key)

    assert get(f"{at}/{path}").status_code == 401
    assert get(f"{at}/{path}", key=ended.secret).status_code == 401
    assert get(f"{at}/{path}", key="nonsense").status_code == 401
    assert get(f"{at}/{path}", key=sender.secret).status_code == 403
    for answer in (
        get(f"{at}/{path}", person="charlie"),
        get(f"{at}/{path}", key=theirs.secret),
        get(f"/api/v1/projects/{uuid4()}/{path}", person="alice"),
    ):
        assert (answer.status_code, answer.json()) == (404, {"detail": "There is no such project."})
    delete_project(project=figures.project)
    assert get(f"{at}/{path}", person="alice").status_code == 404


@pytest.mark.parametrize("path", LISTS)
def test_nothing_of_other_projects_is_in_an_answer(figures: Cast, get: Get, path: str) -> None:
    theirs = get(f"/api/v1/projects/{figures.foreign_project.pk}/{path}", person="charlie")
    text = (theirs.getvalue() if theirs.streaming else theirs.content).decode()

    for mine in ("mina", "planner", "qwen", "s-1", "pii", trace_id(1)):
        assert mine not in text


@pytest.mark.parametrize("path", LISTS)
def test_lists_read_roll_ups_and_no_spans(
    figures: Cast, get: Get, at: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    rows = gate._rows

    def spy(query: str, name: str, *args: object) -> object:
        asked.append(query)
        return rows(query, name, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(gate, "_rows", spy)
    answer = get(f"{at}/{path}", person="bo")
    if answer.streaming:
        answer.getvalue()

    assert asked
    assert not [query for query in asked if "otel_traces" in query]
    assert len(asked) <= 4
