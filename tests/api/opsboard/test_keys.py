from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from projects import credentials
from projects.models import ApiKey, AuditEvent
from projects.services import create_api_key, revoke_api_key
from tests.cast import Cast

from .conftest import Ask


def token(secret: str) -> Any:
    return Client().post("/v3/auth/token", {"api_key": secret}, content_type="application/json")


def public_token(secret: str) -> int:
    path = "/public/v1/auth/access_token"
    return Client().post(path, {"api_key": secret}, content_type="application/json").status_code


def verified(jwt: str) -> int:
    return Client().get("/v3/auth/token", headers={"Authorization": f"Bearer {jwt}"}).status_code


def test_a_secret_is_shown_in_the_answer_that_made_it_and_never_again(cast: Cast, ask: Ask) -> None:
    made = ask("ann", "post", "projects", {"name": "New", "org_id": str(cast.organization.pk)}).json()
    secret = made["api_key"]

    assert (made["environment"], str(UUID(secret))) == ("development", secret)
    assert token(secret).json()["project_id"] == made["id"]
    for person in ("alice", "ann", "bob", "bo"):
        for body in (ask(person, "get", f"projects/{made['id']}"), ask(person, "get", "projects")):
            assert secret not in body.content.decode()
    updated = ask("ann", "post", f"projects/{made['id']}/update", {"name": "Newer"}).json()
    (listed,) = [each for each in ask("bo", "get", "projects").json() if each["id"] == made["id"]]
    for body in (ask("bo", "get", f"projects/{made['id']}").json(), listed, updated):
        assert (body["api_key"], body["api_key_prefix"]) == ("", secret[:8])
    assert made["api_key_prefix"] == secret[:8]
    assert secret not in str(list(AuditEvent.objects.values()))


def test_a_new_key_ends_the_old_one_and_its_tokens(cast: Cast, ask: Ask) -> None:
    old = create_api_key(project=cast.project, name="production").secret
    jwt = token(old).json()["token"]
    assert verified(jwt) == 200

    answer = ask("ann", "post", f"projects/{cast.project.pk}/regenerate-key")
    new = answer.json()["api_key"]

    assert token(new).status_code == 200
    assert ApiKey.objects.get(prefix=new[:8]).name == "production"
    refused = token(old)
    assert (refused.status_code, refused.json()) == (403, {"error": "Invalid API key"})
    assert public_token(old) == 404
    assert verified(jwt) == 401
    assert AuditEvent.objects.filter(action="key.rotated", actor=cast.ann).exists()


def test_other_keys_of_the_project_stay(cast: Cast, ask: Ask) -> None:
    older = create_api_key(project=cast.project, name="LiteLLM").secret
    newest = create_api_key(project=cast.project, name="dashboard").secret
    assert ask("bo", "get", f"projects/{cast.project.pk}").json()["api_key_prefix"] == newest[:8]

    ask("alice", "post", f"projects/{cast.project.pk}/regenerate-key")
    credentials.forget()

    assert token(older).status_code == 200
    assert token(newest).status_code == 403


def test_a_project_without_a_key_shows_none_and_gets_one(cast: Cast, ask: Ask) -> None:
    revoke_api_key(key=create_api_key(project=cast.project, name="gone").key)
    body = ask("alice", "get", f"projects/{cast.project.pk}").json()
    assert (body["api_key"], body["api_key_prefix"]) == ("", None)

    new = ask("alice", "post", f"projects/{cast.project.pk}/regenerate-key").json()["api_key"]
    assert token(new).status_code == 200


def test_deleting_a_project_ends_its_tokens(cast: Cast, ask: Ask) -> None:
    jwt = token(create_api_key(project=cast.project, name="key").secret).json()["token"]
    assert verified(jwt) == 200
    ask("alice", "post", f"projects/{cast.project.pk}/delete")

    assert verified(jwt) == 401


@pytest.mark.parametrize("environment", ["prod", "", "PRODUCTION", "x\x00"])
def test_an_unknown_environment_is_refused(cast: Cast, ask: Ask, environment: str) -> None:
    body = {"name": "P", "org_id": str(cast.organization.pk), "environment": environment}
    for path in ("projects", f"projects/{cast.project.pk}/update"):
        answer = ask("alice", "post", path, body)
        assert answer.status_code in {400, 422}
        if answer.status_code == 400:
            assert answer.json() == {"detail": "Invalid environment"}


def test_only_what_is_given_is_changed(cast: Cast, ask: Ask) -> None:
    path = f"projects/{cast.project.pk}/update"

    assert ask("ann", "post", path, {"environment": "community"}).json()["name"] == "Alice's agents"
    body = ask("ann", "post", path, {"name": "Other", "environment": None}).json()
    assert (body["name"], body["environment"]) == ("Other", "community")
