"""Keys: made, rotated and ended; a secret is shown once."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils.timezone import now

from projects import credentials
from projects.models import ApiKey, AuditEvent
from projects.services import create_api_key, revoke_api_key
from tests.api.conftest import Get
from tests.cast import Cast

from .conftest import Send


@pytest.fixture
def keys(at: str) -> str:
    return f"{at}/keys"


def made(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def test_a_new_key_works_and_its_secret_is_shown_once(cast: Cast, send: Send, get: Get, at: str, keys: str) -> None:
    row = made(send("post", keys, {"name": "CI", "scopes": ["read"]}, person="ann"))

    secret = row.pop("secret")
    assert row == get(f"{keys}/{row['id']}", person="bo").json()
    assert row.items() >= {"name": "CI", "scopes": ["read"], "status": "active", "expires_at": None}.items()
    assert secret.startswith(row["prefix"])
    assert get(at, key=secret).status_code == 200
    assert secret not in get(keys, person="alice").content.decode()
    assert AuditEvent.objects.get(action="key.created").actor == cast.ann


def test_the_newest_comes_first_and_a_status_chooses(cast: Cast, get: Get, keys: str) -> None:
    for name in ("a", "b", "c", "d"):
        create_api_key(project=cast.project, name=name)
    revoke_api_key(key=ApiKey.objects.get(name="b"))
    ApiKey.objects.filter(name="c").update(created_at=now() - timedelta(days=2), expires_at=now() - timedelta(days=1))
    create_api_key(project=cast.foreign_project, name="theirs")

    def named(query: str) -> list[str]:
        return [key["name"] for key in get(f"{keys}?{query}", person="bo").json()["results"]]

    assert named("") == ["d", "b", "a", "c"]
    assert (named("status=active"), named("status=revoked"), named("status=expired")) == (["d", "a"], ["b"], ["c"])
    first = get(f"{keys}?limit=3", person="bo").json()
    assert [key["name"] for key in get(first["next"], person="bo").json()["results"]] == ["c"]


def test_a_rotated_key_hands_over(cast: Cast, send: Send, get: Get, at: str, keys: str) -> None:
    old = create_api_key(project=cast.project, name="LiteLLM", scopes=["read"])

    new = made(send("post", f"{keys}/{old.key.pk}/rotate", {"overlap_seconds": 3600}, person="alice"))

    assert (new["name"], new["scopes"]) == ("LiteLLM", ["read"])
    assert [get(at, key=secret).status_code for secret in (old.secret, new["secret"])] == [200, 200]
    old.key.refresh_from_db()
    assert old.key.expires_at is not None
    assert old.key.expires_at - now() < timedelta(seconds=3601)


def test_a_revoked_key_ends_and_may_be_revoked_again(cast: Cast, send: Send, get: Get, at: str, keys: str) -> None:
    issued = create_api_key(project=cast.project, name="gone")

    answers = [send("post", f"{keys}/{issued.key.pk}/revoke", person="ann") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["status"] == "revoked"
    credentials.forget()
    assert get(at, key=issued.secret).status_code == 401
    again = send("post", f"{keys}/{issued.key.pk}/rotate", {}, person="ann")
    assert (again.status_code, "revoked" in again.json()["detail"][0]) == (400, True)


@pytest.mark.parametrize("person", ["bob", "bo"])
def test_lower_roles_read_keys_and_change_none(cast: Cast, send: Send, keys: str, person: str) -> None:
    key = create_api_key(project=cast.project, name="x").key

    assert send("get", keys, person=person).status_code == 200
    for address, body in ((keys, {"name": "y"}), (f"{keys}/{key.pk}/rotate", {}), (f"{keys}/{key.pk}/revoke", None)):
        assert send("post", address, body, person=person).status_code == 403
    assert ApiKey.objects.usable(now()).filter(project=cast.project).count() == 1


def test_a_key_makes_no_keys(send: Send, keys: str, key: str) -> None:
    assert send("get", keys, key=key).status_code == 200
    assert send("post", keys, {"name": "more"}, key=key).status_code == 403


def test_others_find_nothing(cast: Cast, send: Send, keys: str) -> None:
    mine = create_api_key(project=cast.project, name="x").key
    theirs = create_api_key(project=cast.foreign_project, name="y").key

    assert send("get", keys).status_code == 401
    for person, key_id in (("charlie", mine.pk), ("alice", theirs.pk), ("alice", uuid4())):
        assert send("get", f"{keys}/{key_id}", person=person).status_code == 404
        assert send("post", f"{keys}/{key_id}/rotate", {}, person=person).status_code == 404
        assert send("post", f"{keys}/{key_id}/revoke", person=person).status_code == 404
    assert send("post", keys, {"name": "x"}, person="charlie").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["write"]}, "scopes"),
        ({"name": "x", "scopes": "read"}, "scopes"),
        ({"name": "x", "scopes": ["read"] * 11}, "scopes"),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "2027-01-01"}, "expires_at"),
        ({"name": "x", "expires_at": 5}, "expires_at"),
        ({"name": "x", "secret": "mine"}, "secret"),
    ],
)
def test_a_wrong_field_is_400_and_named(send: Send, keys: str, body: dict[str, Any], field: str) -> None:
    answer = send("post", keys, body, person="alice")

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("overlap", [-1, 604_801, "soon", 1e400])
def test_a_wrong_overlap_is_400_and_named(cast: Cast, send: Send, keys: str, overlap: object) -> None:
    key = create_api_key(project=cast.project, name="x").key

    answer = send("post", f"{keys}/{key.pk}/rotate", {"overlap_seconds": overlap}, person="alice")

    assert answer.status_code == 400
    assert list(answer.json()) in (["overlap_seconds"], ["detail"])
