from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from projects.models import Membership
from projects.services import create_api_key, delete_project
from projects.teams import invite
from projects.tokens import issue_project_token
from tests.cast import Cast

from .conftest import Ask

PEOPLE = ("bo", "bob", "ann", "alice", "root", "charlie", "")
ALL = (200, 200, 200, 200, 200)
ADMINISTRATORS = (403, 403, 200, 200, 200)
OWNERS = (403, 403, 403, 200, 200)

# What bo (business_user), bob (developer), ann (admin), alice (owner) and root (superuser) get. Charlie, who belongs
# elsewhere, gets 404 and nobody gets 401, everywhere.
MATRIX = [
    ("get", "orgs/{org}", None, ALL),
    ("get", "projects/{project}", None, ALL),
    ("get", "orgs/{org}/billing/dashboard", None, ALL),
    ("get", "orgs/{org}/stripe-pricing", None, ALL),
    ("post", "orgs/{org}/update", {"name": "Renamed"}, ADMINISTRATORS),
    ("post", "orgs/{org}/invite", {"email": "new@example.com", "role": "developer"}, ADMINISTRATORS),
    ("get", "orgs/{org}/invites", None, ADMINISTRATORS),
    ("delete", "orgs/{org}/invites/waiting@example.com", None, ADMINISTRATORS),
    ("post", "orgs/{org}/members/remove", {"user_id": "{dan}"}, ADMINISTRATORS),
    ("post", "orgs/{org}/members/update", {"user_id": "{dan}", "role": "admin"}, ADMINISTRATORS),
    ("post", "projects", {"name": "P", "org_id": "{org}"}, ADMINISTRATORS),
    ("post", "projects/{project}/update", {"name": "Q"}, ADMINISTRATORS),
    ("post", "projects/{project}/regenerate-key", None, ADMINISTRATORS),
    ("post", "projects/{project}/delete", None, OWNERS),
    ("delete", "orgs/{empty}", None, OWNERS),
]
CASES = [
    pytest.param(person, method, path, body, status, id=f"{person or 'nobody'}-{method}-{path}")
    for method, path, body, statuses in MATRIX
    for person, status in zip(PEOPLE, (*statuses, 404, 401), strict=True)
]


@pytest.fixture
def names(cast: Cast) -> dict[str, str]:
    dan = type(cast.bob).objects.create_user("dan@example.com", "x")
    Membership.objects.create(organization=cast.organization, user=dan, role="developer")
    empty = type(cast.organization).objects.create(name="Empty")
    for membership in cast.organization.memberships.all():
        Membership.objects.create(organization=empty, user=membership.user, role=membership.role)
    invite(organization=cast.organization, email="waiting@example.com", role="developer", actor=cast.alice)
    return {
        "org": str(cast.organization.pk),
        "project": str(cast.project.pk),
        "empty": str(empty.pk),
        "dan": str(dan.pk),
    }


@pytest.mark.parametrize(("person", "method", "path", "body", "status"), CASES)
def test_each_role_may_do_what_the_matrix_says(
    names: dict[str, str], ask: Ask, person: str, method: str, path: str, body: Any, status: int
) -> None:
    sent = {key: value.format(**names) for key, value in (body or {}).items()}
    answer = ask(person, method, path.format(**names), sent)

    assert answer.status_code == status, answer.content
    if status != 200:
        assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize(("method", "path"), [("get", "users/me"), ("get", "orgs"), ("get", "projects")])
def test_nobody_is_401(cast: Cast, ask: Ask, method: str, path: str) -> None:
    answer = ask("", method, path)

    assert (answer.status_code, answer.json()) == (401, {"detail": "User is not authenticated."})


@pytest.mark.parametrize(("method", "path"), [("get", "users/me"), ("get", "projects"), ("post", "orgs/create")])
def test_machines_have_no_business_here(cast: Cast, ask: Ask, method: str, path: str) -> None:
    issued = create_api_key(project=cast.project, name="key")
    for secret in (issued.secret, issue_project_token(issued.key)):
        answer = ask("", method, path, Authorization=f"Bearer {secret}")
        assert (answer.status_code, answer.json()) == (401, {"detail": "User is not authenticated."})


def test_a_strange_page_changes_nothing(cast: Cast, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://dashboard.example"]
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)

    def create(**headers: str) -> int:
        body = {"name": "New"}
        return client.post("/opsboard/orgs/create", body, content_type="application/json", headers=headers).status_code

    assert create(Origin="https://evil.example") == 403
    assert create() == 403
    assert create(Origin="https://dashboard.example") == 200


MALFORMED = ["x", "1", "%00", "%27%20OR%201=1--", "é", "00000000-0000-0000-0000-00000000000g", "9" * 300]


@pytest.mark.parametrize("text", MALFORMED)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "orgs/{}"),
        ("delete", "orgs/{}"),
        ("post", "orgs/{}/update"),
        ("post", "orgs/{}/accept"),
        ("get", "orgs/{}/invites"),
        ("get", "projects/{}"),
        ("post", "projects/{}/delete"),
        ("post", "projects/{}/regenerate-key"),
    ],
)
def test_what_is_no_id_is_404_and_never_500(cast: Cast, ask: Ask, method: str, path: str, text: str) -> None:
    answer = ask("alice", method, path.format(text))

    assert answer.status_code == 404
    assert answer.json().keys() == {"detail"}


@pytest.mark.parametrize("text", [*MALFORMED, None, 5, [], {"a": 1}], ids=repr)
def test_what_is_no_id_in_a_body_is_named(cast: Cast, ask: Ask, text: Any) -> None:
    organization = cast.organization.pk
    for path in (f"orgs/{organization}/members/remove", f"orgs/{organization}/members/update"):
        answer = ask("alice", "post", path, {"user_id": text, "role": "developer"})
        if text == "1":  # an integer counts as the number of a UUID, whose owner is nobody
            assert answer.status_code == 422
        assert answer.status_code in {400 if path.endswith("remove") else 404, 422}
        if answer.status_code == 422:
            assert answer.json()["detail"][0]["loc"] == ["body", "user_id"]
    answer = ask("alice", "post", "projects", {"name": "P", "org_id": text})
    assert answer.status_code in {404, 422}


def test_a_deleted_project_is_gone_for_everybody(cast: Cast, ask: Ask) -> None:
    delete_project(project=cast.project)

    for method, path in (("get", ""), ("post", "/update"), ("post", "/regenerate-key"), ("post", "/delete")):
        assert ask("alice", method, f"projects/{cast.project.pk}{path}", {"name": "x"}).status_code == 404
    assert ask("alice", "get", "projects").json() == []


def test_an_unknown_organization_is_404_for_a_new_project(cast: Cast, ask: Ask) -> None:
    answer = ask("alice", "post", "projects", {"name": "P", "org_id": str(uuid4())})

    assert (answer.status_code, answer.json()) == (404, {"detail": "Organization not found"})
