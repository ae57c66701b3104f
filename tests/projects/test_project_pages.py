import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries, Settings

from projects.credentials import InvalidCredential, authenticate, forget
from projects.models import ApiKey, AuditEvent
from projects.services import create_api_key, create_project, delete_project
from projects.snippets import SDK_INSTALL
from tests.cast import Cast
from tests.projects.conftest import SignIn

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NEW_KEY = {"name": "LiteLLM 운영", "scopes": ["ingest", "read"], "days": ""}


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_home_leads_to_the_project_looked_at_last(cast: Cast, signed_in: SignIn) -> None:
    second = create_project(organization=cast.organization, name="Zebra")
    client = signed_in("bob")
    assert client.get("/")["Location"] == f"/projects/{cast.project.pk}/"
    client.get(f"/projects/{second.pk}/keys/")
    assert client.get("/")["Location"] == f"/projects/{second.pk}/"
    delete_project(project=second)
    assert client.get("/")["Location"] == f"/projects/{cast.project.pk}/"


def test_without_a_project_home_explains_what_to_do(cast: Cast, signed_in: SignIn) -> None:
    delete_project(project=cast.foreign_project)
    answer = signed_in("charlie").get("/", follow=True)
    assert answer.redirect_chain[-1][0] == "/projects/"
    assert "Ask the owner of your organization" in text(answer)


def test_the_list_shows_ones_own_projects_and_roles(
    cast: Cast, signed_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        create_api_key(project=cast.project, name=f"key {number}")
    dead = create_api_key(project=cast.project, name="dead").key
    ApiKey.objects.filter(pk=dead.pk).update(created_at=now() - timedelta(days=2), expires_at=now() - timedelta(days=1))
    client = signed_in("ann")
    client.get("/projects/")
    with django_assert_max_num_queries(5):
        page = text(client.get("/projects/"))
    assert "Alice&#x27;s agents" in page
    assert "Production" in page
    assert "Admin" in page
    assert ">5</a>" in page
    assert "Charlie" not in page


@pytest.mark.parametrize("url", ["/", "/projects/", "/account/"])
def test_strangers_are_sent_to_the_sign_in(db: None, url: str) -> None:
    assert Client().get(url)["Location"].startswith("/login/?next=")


def test_keys_are_shown_without_their_secret(cast: Cast, signed_in: SignIn) -> None:
    issued = create_api_key(project=cast.project, name="<b>ci</b>", scopes=["ingest"], actor=cast.alice)
    page = text(signed_in("bo").get(f"/projects/{cast.project.pk}/keys/"))
    assert "&lt;b&gt;ci&lt;/b&gt;" in page
    assert f"{issued.secret[:8]}…" in page
    assert "send traces" in page
    assert issued.secret not in page
    assert issued.key.digest not in page


def test_an_owner_makes_a_key_and_sees_its_secret_once(
    cast: Cast, signed_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    client = signed_in("alice")
    answer = client.post(f"/projects/{cast.project.pk}/keys/create/", NEW_KEY)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    key = ApiKey.objects.get()
    assert (key.name, key.scopes, key.expires_at, key.created_by) == (
        "LiteLLM 운영",
        ["ingest", "read"],
        None,
        cast.alice,
    )
    (secret,) = {found for found in UUID4.findall(text(answer)) if found.startswith(key.prefix)}
    assert authenticate(secret).project_id == cast.project.pk
    for url in ("/", f"/projects/{cast.project.pk}/keys/", "/projects/"):
        assert secret not in text(client.get(url, follow=url == "/projects/"))
    assert secret not in caplog.text
    assert secret not in str(client.cookies)
    assert not any(secret in str(session.get_decoded()) for session in Session.objects.all())
    assert secret not in str(list(AuditEvent.objects.values()))


def test_the_snippets_hold_the_key_and_the_addresses(cast: Cast, signed_in: SignIn, settings: Settings) -> None:
    page = text(signed_in("alice").post(f"/projects/{cast.project.pk}/keys/create/", NEW_KEY))
    assert f"AGENTOPS_API_ENDPOINT={settings.PORTAL_URL}" in page
    assert SDK_INSTALL in unescape(page)
    for guide in ("README.md", "docs/agentops.md"):
        assert SDK_INSTALL in Path(settings.BASE_DIR, guide).read_text()
    assert f"http://localhost:{settings.OTLP_HTTP_PORT}/v1/traces" in page
    settings.PORTAL_URL = "https://agents.example.com"
    page = text(signed_in("alice").post(f"/projects/{cast.project.pk}/keys/create/", NEW_KEY))
    assert "AGENTOPS_EXPORTER_ENDPOINT=https://agents.example.com/v1/traces" in page
    assert "OTEL_EXPORTER_OTLP_TRACES_HEADERS=" in page


def test_a_key_may_be_narrow_and_short_lived(cast: Cast, signed_in: SignIn) -> None:
    signed_in("ann").post(
        f"/projects/{cast.project.pk}/keys/create/", {"name": "demo", "scopes": ["ingest"], "days": "30"}
    )
    key = ApiKey.objects.get()
    assert key.scopes == ["ingest"]
    assert key.expires_at is not None
    assert timedelta(days=29, hours=23) < key.expires_at - now() <= timedelta(days=30)


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"name": "x" * 101}, {"scopes": []}, {"scopes": ["admin"]}, {"days": "31"}]
)
def test_an_unfit_key_is_explained_and_not_made(cast: Cast, signed_in: SignIn, change: dict[str, Any]) -> None:
    answer = signed_in("alice").post(f"/projects/{cast.project.pk}/keys/create/", {**NEW_KEY, **change})
    assert answer.status_code == 422
    assert 'role="alert"' in text(answer)
    assert not ApiKey.objects.exists()


def test_revoking_ends_a_key(cast: Cast, signed_in: SignIn) -> None:
    issued = create_api_key(project=cast.project, name="ci")
    answer = signed_in("ann").post(f"/projects/{cast.project.pk}/keys/{issued.key.pk}/revoke/", follow=True)
    assert "is revoked. It stops within 30 seconds." in text(answer)
    assert "Revoked" in text(answer)
    forget()
    with pytest.raises(InvalidCredential):
        authenticate(issued.secret)


def test_a_key_of_another_project_cannot_be_revoked_through_ones_own(cast: Cast, signed_in: SignIn) -> None:
    foreign = create_api_key(project=cast.foreign_project, name="ci")
    answer = signed_in("alice").post(f"/projects/{cast.project.pk}/keys/{foreign.key.pk}/revoke/")
    assert answer.status_code == 404
    assert authenticate(foreign.secret)


@pytest.mark.parametrize(
    ("name", "see", "change"),
    [
        ("alice", 200, 200),
        ("ann", 200, 200),
        ("root", 200, 200),
        ("bob", 200, 403),
        ("bo", 200, 403),
        ("charlie", 404, 404),
    ],
)
def test_who_may_do_what_with_keys(cast: Cast, signed_in: SignIn, name: str, see: int, change: int) -> None:
    key = create_api_key(project=cast.project, name="ci").key
    client = signed_in(name)
    base = f"/projects/{cast.project.pk}/keys/"
    page = client.get(base)
    assert page.status_code == see
    assert ("create/" in text(page)) is (change == 200)
    assert client.post(f"{base}create/", NEW_KEY).status_code == change
    assert client.post(f"{base}{key.pk}/revoke/").status_code == (302 if change == 200 else change)
    key.refresh_from_db()
    assert (key.revoked_at is not None) is (change == 200)
    assert ApiKey.objects.count() == (2 if change == 200 else 1)


def test_a_project_that_does_not_exist_and_a_foreign_one_look_the_same(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in("charlie")
    unknown = client.get(f"/projects/{uuid4()}/keys/")
    foreign = client.get(f"/projects/{cast.project.pk}/keys/")
    assert unknown.status_code == foreign.status_code == 404
    assert "Alice" not in text(foreign)


@pytest.mark.parametrize("path", ["keys/create/", "keys/6f1d2c3b-0000-4000-8000-000000000001/revoke/"])
def test_changes_need_a_post(cast: Cast, signed_in: SignIn, path: str) -> None:
    assert signed_in("alice").get(f"/projects/{cast.project.pk}/{path}").status_code == 405


def test_pages_allow_no_inline_script_or_style(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in("alice")
    for answer in (
        client.get(f"/projects/{cast.project.pk}/keys/"),
        client.post(f"/projects/{cast.project.pk}/keys/create/", NEW_KEY),
        client.get("/account/"),
        Client().get("/login/"),
    ):
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self';" in f"{policy};"
        assert "unsafe" not in policy
        page = text(answer)
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", page)


def test_a_key_that_may_read_comes_with_the_settings_of_coding_agents(
    cast: Cast, signed_in: SignIn, settings: Settings
) -> None:
    def made(*scopes: str) -> str:
        path = f"/projects/{cast.project.pk}/keys/create/"
        return text(signed_in("alice").post(path, {**NEW_KEY, "scopes": list(scopes)}))

    assert f"claude mcp add --transport http agentops {settings.PORTAL_URL}/mcp" in made("read")
    assert "claude mcp add" not in made("ingest")
