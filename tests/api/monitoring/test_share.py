"""…/share: who may open a trace to others, for how long, and who may end it."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from projects.models import ApiKey, AuditEvent, Membership, User
from projects.services import create_api_key, revoke_api_key
from tests.cast import Cast
from tests.kept import give_trace
from tests.pages.spans import Spanlet, trace_id
from traces.models import ShareLink

from .sending import send

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

ADDRESS = "/api/monitoring/share"


@pytest.fixture
def filled(cast: Cast) -> Cast:
    give_trace(cast.project, [Spanlet("ours")], number=1)
    give_trace(cast.foreign_project, [Spanlet("theirs")], number=2)
    return cast


def shared(cast: Cast, **sender: str) -> dict[str, Any]:
    answer = send(cast, "POST", ADDRESS, {"trace_id": trace_id(1)}, **sender)
    assert answer.status_code == 200, answer.content
    link: dict[str, Any] = answer.json()
    return link


def opens(link: dict[str, Any]) -> bool:
    return Client().get(link["url"].removeprefix(settings.PORTAL_URL)).status_code == 200


@pytest.mark.parametrize("prefix", ["/api/monitoring", "/api/agentops"])
def test_a_link_opens_the_trace_for_a_week(filled: Cast, prefix: str) -> None:
    answer = send(filled, "POST", f"{prefix}/share", {"trace_id": trace_id(1)}, person="bob")

    link = answer.json()
    assert set(link) == {"link_id", "trace_id", "url", "expires_at"}
    assert link["trace_id"] == trace_id(1)
    assert link["url"].startswith(f"{settings.PORTAL_URL}/share/")
    lasts = parse_datetime(link["expires_at"]) - timezone.now()  # type: ignore[operator]
    assert timedelta(days=6, hours=23, minutes=59) < lasts <= timedelta(days=7)
    assert opens(link)


def test_the_token_is_in_the_address_and_nowhere_else(filled: Cast) -> None:
    link = shared(filled, person="bob")

    token = link["url"].rstrip("/").rsplit("/", 1)[1]
    assert len(token) == 32
    row = ShareLink.objects.get(pk=link["link_id"])
    assert token not in str(row.__dict__)
    assert token not in send(filled, "GET", ADDRESS, person="bob").content.decode()
    assert token not in str(list(AuditEvent.objects.values()))


def test_how_long_a_link_lasts_can_be_chosen(filled: Cast) -> None:
    body = {"trace_id": trace_id(1), "expires_in_days": 30}

    link = send(filled, "POST", ADDRESS, body, person="bob").json()

    assert parse_datetime(link["expires_at"]).date() == (timezone.now() + timedelta(days=30)).date()  # type: ignore[union-attr]


@pytest.mark.parametrize("text", [trace_id(1).upper(), "00000000-0000-0000-0000-000000000001"])
def test_an_id_may_be_written_in_any_way(filled: Cast, text: str) -> None:
    assert send(filled, "POST", ADDRESS, {"trace_id": text}, person="bob").json()["trace_id"] == trace_id(1)


def test_only_who_may_read_a_trace_may_share_it(filled: Cast) -> None:
    theirs = create_api_key(project=filled.foreign_project, name="theirs").secret
    sender_only = create_api_key(project=filled.project, name="sender", scopes=["ingest"]).secret
    body = {"trace_id": trace_id(1)}

    assert send(filled, "POST", ADDRESS, body).status_code == 401
    assert send(filled, "POST", ADDRESS, body, key=sender_only).status_code == 403
    for sender in ({"person": "charlie"}, {"key": theirs}):
        answer = send(filled, "POST", ADDRESS, body, **sender)
        assert (answer.status_code, answer.json()) == (404, {"detail": f"Trace not found: {trace_id(1)}"})
    project = {"project_id": str(filled.foreign_project.pk)}
    assert send(filled, "POST", ADDRESS, {**body, **project}, person="bob").status_code == 404
    assert not ShareLink.objects.exists()


def test_business_users_share_nothing(filled: Cast) -> None:
    answer = send(filled, "POST", ADDRESS, {"trace_id": trace_id(1)}, person="bo")

    assert answer.status_code == 403
    assert not ShareLink.objects.exists()


def works(cast: Cast, link: dict[str, Any]) -> bool:
    """As the page and as the list have it; they agree."""
    listed = send(cast, "GET", ADDRESS, person="alice").json()["links"]
    [active] = [each["active"] for each in listed if each["link_id"] == link["link_id"]]
    assert active is opens(link)
    return bool(active)


@pytest.mark.parametrize("role", ["business_user", None])
def test_a_link_ends_with_the_role_of_who_made_it(filled: Cast, role: str | None) -> None:
    link, other = shared(filled, person="bob"), shared(filled, person="ann")
    assert works(filled, link)

    membership = Membership.objects.get(user=filled.bob)
    if role is None:
        membership.delete()
    else:
        Membership.objects.filter(pk=membership.pk).update(role=role)

    assert not works(filled, link)
    assert works(filled, other)


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_superuser": False}])
def test_a_link_ends_with_the_account_of_who_made_it(filled: Cast, change: dict[str, bool]) -> None:
    link = shared(filled, person="root")  # no member
    assert works(filled, link)
    User.objects.filter(pk=filled.root.pk).update(**change)
    assert not works(filled, link)


def test_a_role_elsewhere_keeps_no_link_alive(filled: Cast) -> None:
    link = shared(filled, person="bob")
    Membership.objects.filter(user=filled.bob).update(organization=filled.foreign_organization)
    assert not works(filled, link)


def test_a_link_of_an_account_that_is_gone_shows_nothing(filled: Cast) -> None:
    link = shared(filled, person="bob")
    filled.bob.delete()
    assert not works(filled, link)


@pytest.mark.parametrize("how", ["revoked", "expired", "scope", "gone"])
def test_a_link_ends_with_the_key_that_made_it(filled: Cast, how: str) -> None:
    key = create_api_key(project=filled.project, name="reader", scopes=["read"])
    link, other = shared(filled, key=key.secret), shared(filled, person="bob")
    assert works(filled, link)

    row = ApiKey.objects.filter(pk=key.key.pk)
    if how == "revoked":
        revoke_api_key(key=key.key)
    elif how == "expired":
        row.update(created_at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "scope":
        row.update(scopes=["ingest"])
    else:
        row.delete()

    assert not works(filled, link)
    assert works(filled, other)


@pytest.mark.parametrize("text", ["x", "' OR 1=1 --", "f" * 32, "é" * 32])
def test_what_is_no_trace_is_404(cast: Cast, text: str) -> None:
    answer = send(cast, "POST", ADDRESS, {"trace_id": text}, person="bob")

    assert (answer.status_code, answer.json()) == (404, {"detail": f"Trace not found: {text}"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "trace_id"),
        ({"trace_id": "\x00"}, "trace_id"),
        ({"trace_id": ["a"]}, "trace_id"),
        ({"trace_id": "a" * 101}, "trace_id"),
        ({"trace_id": "a", "expires_in_days": 0}, "expires_in_days"),
        ({"trace_id": "a", "expires_in_days": 366}, "expires_in_days"),
        ({"trace_id": "a", "expires_in_days": 10**40}, "expires_in_days"),
        ({"trace_id": "a", "expires_in_days": "soon"}, "expires_in_days"),
    ],
)
def test_what_is_wrong_is_named(cast: Cast, body: dict[str, Any], field: str) -> None:
    answer = send(cast, "POST", ADDRESS, body, person="bob")

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


def test_members_see_the_links_of_their_projects(filled: Cast) -> None:
    by_key = create_api_key(project=filled.project, name="reader", scopes=["read"])
    first, second = shared(filled, person="bob"), shared(filled, key=by_key.secret)

    links = send(filled, "GET", ADDRESS, person="bo").json()["links"]

    assert [link["link_id"] for link in links] == [second["link_id"], first["link_id"]]
    assert [(link["created_by"], link["active"]) for link in links] == [(None, True), ("bob@example.com", True)]
    assert links[1]["project_id"] == str(filled.project.pk)
    assert len(send(filled, "GET", ADDRESS, key=by_key.secret).json()["links"]) == 2
    assert send(filled, "GET", ADDRESS, person="charlie").json() == {"links": []}
    assert send(filled, "GET", f"{ADDRESS}?trace_id={trace_id(2)}", person="bo").json() == {"links": []}
    assert len(send(filled, "GET", f"{ADDRESS}?trace_id={trace_id(1)}", person="bo").json()["links"]) == 2
    assert send(filled, "GET", f"{ADDRESS}?trace_id=x", person="bo").json() == {"links": []}
    foreign = f"{ADDRESS}?project_id={filled.foreign_project.pk}"
    assert send(filled, "GET", foreign, person="bo").status_code == 404


@pytest.mark.parametrize("person", ["bob", "ann", "alice"])  # who made it, an admin, the owner
def test_a_revoked_link_opens_nothing(filled: Cast, person: str) -> None:
    link = shared(filled, person="bob")

    answer = send(filled, "DELETE", f"{ADDRESS}/{link['link_id']}", person=person)

    assert answer.json() == {"status": "revoked", "link_id": link["link_id"]}
    assert not opens(link)
    assert [row["active"] for row in send(filled, "GET", ADDRESS, person="bob").json()["links"]] == [False]
    again = send(filled, "DELETE", f"{ADDRESS}/{link['link_id']}", person=person)
    assert again.status_code == 200
    assert AuditEvent.objects.filter(action="trace.unshared").count() == 1


def test_others_may_not_revoke(filled: Cast) -> None:
    link = shared(filled, person="bob")
    other_key = create_api_key(project=filled.project, name="reader", scopes=["read"]).secret
    address = f"{ADDRESS}/{link['link_id']}"

    assert send(filled, "DELETE", address).status_code == 401
    assert send(filled, "DELETE", address, person="bo").status_code == 403
    assert send(filled, "DELETE", address, key=other_key).status_code == 403
    assert send(filled, "DELETE", address, person="charlie").status_code == 404
    assert opens(link)


def test_a_key_revokes_what_it_shared(filled: Cast) -> None:
    key = create_api_key(project=filled.project, name="reader", scopes=["read"]).secret
    link = shared(filled, key=key)

    assert send(filled, "DELETE", f"{ADDRESS}/{link['link_id']}", key=key).status_code == 200
    assert not opens(link)


@pytest.mark.parametrize("text", ["x", "00000000-0000-0000-0000-000000000000", "%00", "'--"])
def test_what_is_no_link_is_404(cast: Cast, text: str) -> None:
    assert send(cast, "DELETE", f"{ADDRESS}/{text}", person="alice").status_code == 404


def test_sharing_is_written_down(filled: Cast) -> None:
    link = shared(filled, person="bob")

    event = AuditEvent.objects.get(action="trace.shared")
    assert (event.actor, event.project, event.target) == (filled.bob, filled.project, trace_id(1))
    assert event.details == {"link_id": link["link_id"], "days": 7}
