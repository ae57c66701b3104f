"""Projects: who sees which, who may change them."""

from uuid import uuid4

import pytest

from projects.models import AuditEvent, Project
from projects.services import create_api_key, create_project
from tests.api.conftest import Get
from tests.cast import Cast

from .conftest import Send

PROJECTS = "/api/v1/projects"


def names(answer: object) -> list[str]:
    return [project["name"] for project in answer.json()["results"]]  # type: ignore[attr-defined]


def test_a_project_says_what_it_is_and_what_you_are_in_it(cast: Cast, get: Get) -> None:
    create_api_key(project=cast.project, name="one")

    [row] = get(PROJECTS, person="bo").json()["results"]

    assert row == {
        "id": str(cast.project.pk),
        "name": "Alice's agents",
        "environment": "production",
        "organization": {"id": str(cast.organization.pk), "name": "Alice & Co"},
        "role": "business_user",
        "retention_days": 90,
        "max_requests_per_minute": None,
        "max_spans_per_minute": None,
        "live_keys": 1,
        "created_at": cast.project.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert get(f"{PROJECTS}/{row['id']}", person="bo").json() == row


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ("alice", ["Alice's agents"]),
        ("bo", ["Alice's agents"]),
        ("charlie", ["Charlie's agents"]),
        ("root", ["Alice's agents", "Charlie's agents"]),
    ],
)
def test_everybody_sees_their_own(get: Get, person: str, expected: list[str]) -> None:
    assert names(get(PROJECTS, person=person)) == expected


def test_a_key_sees_its_project_only(cast: Cast, get: Get, key: str) -> None:
    create_project(organization=cast.organization, name="Another")

    [row] = get(PROJECTS, key=key).json()["results"]

    assert (row["name"], row["role"]) == ("Alice's agents", None)


def test_pages_follow_each_other_in_alphabetical_order(cast: Cast, get: Get) -> None:
    for name in ("b", "a", "한국어", "a", "Z"):
        create_project(organization=cast.organization, name=name)
    expected = list(Project.objects.visible_to(cast.bob).order_by("name", "id").values_list("name", flat=True))
    address: str | None = f"{PROJECTS}?limit=2"
    found: list[str] = []
    while address:
        answer = get(address, person="bob")
        found += names(answer)
        address = answer.json()["next"]

    assert found == expected
    assert len(found) == 6
    assert names(get(f"{PROJECTS}?q=한국", person="bob")) == ["한국어"]
    assert len(names(get(f"{PROJECTS}?organization={cast.organization.pk}", person="root"))) == 6


@pytest.mark.parametrize("person", ["alice", "ann", "root"])
def test_owners_and_admins_make_projects(cast: Cast, send: Send, person: str) -> None:
    body = {"organization": str(cast.organization.pk), "name": " Support bot ", "retention_days": 30}

    answer = send("post", PROJECTS, body, person=person)

    assert answer.status_code == 201, answer.content
    project = Project.objects.get(pk=answer.json()["id"])
    assert (project.name, project.environment, project.retention_days) == ("Support bot", "development", 30)
    assert AuditEvent.objects.get(action="project.created", project=project).actor == cast[person]


@pytest.mark.parametrize("person", ["bob", "bo"])
def test_lower_roles_read(cast: Cast, send: Send, at: str, person: str) -> None:
    new = {"organization": str(cast.organization.pk), "name": "x"}

    assert send("post", PROJECTS, new, person=person).status_code == 403
    assert send("patch", at, {"name": "x"}, person=person).status_code == 403
    assert send("delete", at, person=person).status_code == 403
    assert Project.objects.active().count() == 2


def test_keys_change_nothing(cast: Cast, send: Send, at: str, key: str) -> None:
    for method in ("patch", "delete"):
        answer = send(method, at, {"name": "x"}, key=key)
        assert (answer.status_code, "people" in answer.json()["detail"]) == (403, True)


def test_strangers_and_other_tenants(cast: Cast, send: Send, at: str) -> None:
    into_alices = {"organization": str(cast.organization.pk), "name": "x"}

    assert send("get", PROJECTS).status_code == 401
    assert send("post", PROJECTS, into_alices).status_code == 401
    assert send("get", at, person="charlie").status_code == 404
    assert send("patch", at, {"name": "x"}, person="charlie").status_code == 404
    assert send("delete", at, person="charlie").status_code == 404
    assert send("get", f"{PROJECTS}/{uuid4()}", person="alice").status_code == 404
    assert send("post", PROJECTS, into_alices, person="charlie").json() == {
        "organization": ["You are in no such organization."]
    }


def test_a_change_changes_what_it_names(cast: Cast, send: Send, at: str) -> None:
    answer = send("patch", at, {"environment": "staging", "retention_days": 7}, person="ann")

    assert answer.status_code == 200, answer.content
    assert answer.json().items() >= {"name": "Alice's agents", "environment": "staging", "retention_days": 7}.items()


def test_only_owners_delete(cast: Cast, send: Send, get: Get, at: str) -> None:
    assert send("delete", at, person="ann").status_code == 403
    answer = send("delete", at, person="alice")

    assert (answer.status_code, answer.content) == (204, b"")
    assert get(at, person="alice").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": None}, "name"),
        ({"name": {"a": 1}}, "name"),
        ({"environment": "moon"}, "environment"),
        ({"retention_days": 0}, "retention_days"),
        ({"retention_days": 10**30}, "retention_days"),
        ({"retention_days": "ten"}, "retention_days"),
        ({"id": "x"}, "id"),
        ([], "detail"),
        ("text", "detail"),
    ],
)
def test_a_wrong_field_is_400_and_named(send: Send, at: str, body: object, field: str) -> None:
    answer = send("patch", at, body, person="alice")

    assert (answer.status_code, list(answer.json())) == (400, [field])


@pytest.mark.parametrize("body", ["{", "\ud800".encode("utf-8", "surrogatepass"), b"\xff", "NaN"])
def test_what_is_no_json_is_400(cast: Cast, at: str, body: str | bytes) -> None:
    from django.test import Client

    client = Client()
    client.force_login(cast.alice)

    assert client.patch(at, body, content_type="application/json").status_code == 400


def test_the_session_needs_its_csrf_token(cast: Cast, at: str) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)

    answer = client.patch(at, {"name": "x"}, content_type="application/json")

    assert (answer.status_code, "CSRF" in answer.json()["detail"]) == (403, True)


@pytest.mark.parametrize("query", ["cursor=WyJhIiwieCJd", "organization=1", "limit=0", "name=x", "q=%00"])
def test_a_wrong_parameter_is_400_and_named(get: Get, query: str) -> None:
    answer = get(f"{PROJECTS}?{query}", person="alice")

    assert (answer.status_code, list(answer.json())) == (400, [query.partition("=")[0]])
