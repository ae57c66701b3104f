"""/api/projects: the portal's projects, as the agent portal's clients know them."""

from typing import Any

import pytest

from projects.models import Project, Role
from projects.services import add_member, create_api_key, create_organization, create_project
from tests.cast import Cast

from .sending import send

pytestmark = pytest.mark.django_db

ADDRESS = "/api/projects"


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["total"] == len(body["projects"])
    return [row["name"] for row in body["projects"]]


def test_members_see_their_projects_and_keys_their_own(cast: Cast) -> None:
    create_project(organization=cast.organization, name="Another")
    key = create_api_key(project=cast.project, name="reader", scopes=["read"]).secret

    assert names(send(cast, "GET", ADDRESS, person="bo")) == ["Alice's agents", "Another"]
    assert names(send(cast, "GET", ADDRESS, person="charlie")) == ["Charlie's agents"]
    assert names(send(cast, "GET", ADDRESS, key=key)) == ["Alice's agents"]
    assert send(cast, "GET", ADDRESS).status_code == 401


def test_the_list_of_one_user(cast: Cast) -> None:
    assert len(names(send(cast, "GET", ADDRESS, person="root"))) == 2
    assert names(send(cast, "GET", f"{ADDRESS}?user_id={cast.charlie.pk}", person="root")) == ["Charlie's agents"]
    assert names(send(cast, "GET", f"{ADDRESS}?user_id={cast.charlie.pk}", person="bob")) == []
    assert names(send(cast, "GET", f"{ADDRESS}?user_id=default-user", person="bob")) == ["Alice's agents"]


def test_a_project_is_made_read_changed_and_deleted(cast: Cast) -> None:
    new = {"name": "Trips", "description": "여행", "default_model": "gpt-4o", "settings": {"theme": {"dark": True}}}

    made = send(cast, "POST", ADDRESS, new, person="ann").json()
    assert {name: made[name] for name in new} == new
    assert set(made) == {*new, "id", "created_at", "updated_at"}
    address = f"{ADDRESS}/{made['id']}"
    assert send(cast, "GET", address, person="bo").json() == made
    changed = send(cast, "PUT", address, {"name": "Journeys", "description": None}, person="ann").json()
    assert (changed["name"], changed["description"], changed["default_model"]) == ("Journeys", None, "gpt-4o")
    assert changed["updated_at"] > made["updated_at"]
    assert changed["created_at"] == made["created_at"]
    deleted = send(cast, "DELETE", address, person="alice")
    assert deleted.json() == {"status": "deleted", "project_id": made["id"]}
    gone = send(cast, "GET", address, person="alice")
    assert (gone.status_code, gone.json()) == (404, {"detail": f"Project not found: {made['id']}"})
    assert Project.objects.get(pk=made["id"]).organization == cast.organization


@pytest.mark.parametrize(
    ("person", "makes", "changes", "deletes"),
    [("bo", 403, 403, 403), ("bob", 403, 403, 403), ("ann", 200, 200, 403), ("alice", 200, 200, 200)],
)
def test_roles(cast: Cast, person: str, makes: int, changes: int, deletes: int) -> None:
    address = f"{ADDRESS}/{cast.project.pk}"

    assert send(cast, "POST", ADDRESS, {"name": "New"}, person=person).status_code == makes
    assert send(cast, "PUT", address, {"name": "Other"}, person=person).status_code == changes
    assert send(cast, "DELETE", address, person=person).status_code == deletes


def test_others_and_keys_change_nothing(cast: Cast) -> None:
    key = create_api_key(project=cast.project, name="both").secret
    address = f"{ADDRESS}/{cast.project.pk}"

    for method in ("GET", "PUT", "DELETE"):
        assert send(cast, method, address, {"name": "x"}, person="charlie").status_code == 404
    assert send(cast, "GET", address, key=key).status_code == 200
    assert send(cast, "GET", f"{ADDRESS}/{cast.foreign_project.pk}", key=key).status_code == 404
    assert send(cast, "POST", ADDRESS, {"name": "x"}, key=key).status_code == 403
    assert send(cast, "PUT", address, {"name": "x"}, key=key).status_code == 403
    assert send(cast, "DELETE", address, key=key).status_code == 403
    cast.project.refresh_from_db()
    assert (cast.project.name, cast.project.is_active) == ("Alice's agents", True)


def test_who_administers_several_organizations_names_one(cast: Cast) -> None:
    second = create_organization(name="Second", owner=cast.ann)
    add_member(organization=second, user=cast.bob, role=Role.DEVELOPER)

    answer = send(cast, "POST", ADDRESS, {"name": "New"}, person="ann")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "org_id"])
    body = {"name": "New", "org_id": str(second.pk)}
    made = send(cast, "POST", ADDRESS, body, person="ann").json()
    assert Project.objects.get(pk=made["id"]).organization == second
    for person, status in (("bob", 403), ("alice", 404), ("charlie", 404)):
        assert send(cast, "POST", ADDRESS, body, person=person).status_code == status
    assert send(cast, "POST", ADDRESS, {"name": "New", "org_id": "x"}, person="ann").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": "a", "settings": [1]}, "settings"),
        ({"name": "a", "settings": {"\x00": 1}}, "settings"),
        ({"name": "a", "default_model": "m" * 201}, "default_model"),
        ({"name": "a", "description": {"a": 1}}, "description"),
    ],
)
def test_what_is_wrong_is_named(cast: Cast, body: dict[str, Any], field: str) -> None:
    answer = send(cast, "POST", ADDRESS, body, person="alice")

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]
    assert Project.objects.count() == 2


@pytest.mark.parametrize("text", ["x", "00000000-0000-0000-0000-000000000000", "%00", "'--"])
def test_what_is_no_project_is_404(cast: Cast, text: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert send(cast, method, f"{ADDRESS}/{text}", {"name": "x"}, person="alice").status_code == 404
