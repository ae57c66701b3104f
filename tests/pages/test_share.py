"""The page of a shared trace: one trace for whoever has the link, nothing else, and not for ever."""

import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from agentops_portal.clickhouse.gate import ClickHouseUnavailable
from projects.models import Project, User
from projects.services import delete_project
from tests.kept import give_trace
from traces.models import ShareLink
from traces.pages import share_views
from traces.reading.sharing import revoke_share_link, share_trace

from .spans import Spanlet, span_id, trace_id

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


@pytest.fixture
def stored(project: Project) -> Project:
    spans = [
        Spanlet("plan a trip", id=1, end=100),
        Spanlet("ask <b>the</b> model", id=2, parent=1, attributes={"gen_ai.operation.name": "chat", "작은": "글"}),
    ]
    give_trace(project, spans, number=1)
    give_trace(project, [Spanlet("another trace")], number=2)
    return project


@pytest.fixture
def address(stored: Project, alice: User) -> str:
    return link_to(stored, alice)


def link_to(project: Project, actor: User) -> str:
    shared = share_trace(project=project, trace_id=trace_id(1), days=7, actor=actor)
    return reverse("shared-trace", kwargs={"token": shared.token})


def test_the_link_shows_the_trace_to_a_visitor(address: str) -> None:
    response = Client().get(address)

    page = response.content.decode()
    assert response.status_code == 200
    assert "plan a trip" in page
    assert "ask &lt;b&gt;the&lt;/b&gt; model" in page
    assert page.count('data-span="') == 2


def test_the_page_leads_nowhere_else(address: str, stored: Project) -> None:
    page = Client().get(address).content.decode()

    assert "another trace" not in page
    for hidden in (str(stored.pk), stored.name, "/projects/", "portal-sidebar", 'href="/"', "alice@example.com"):
        assert hidden not in page


def test_no_search_engine_and_no_cache_keeps_the_page(address: str) -> None:
    for path in (address, f"{address}spans/{span_id(2)}/"):
        response = Client().get(path)
        assert response["X-Robots-Tag"] == "noindex, nofollow"
        assert "no-store" in response["Cache-Control"]
        assert '<meta name="robots" content="noindex, nofollow">' in response.content.decode()


def test_a_span_is_a_page_a_fragment_and_json(address: str) -> None:
    path = f"{address}spans/{span_id(2)}/"

    page, fragment = Client().get(path), Client().get(path, headers={"X-Fragment": "1"})
    as_json = Client().get(f"{path}?format=json")

    for response in (page, fragment):
        assert f'href="{path}?format=json"' in response.content.decode()
        assert f'href="{address}?span={span_id(1)}"' in response.content.decode()
        assert "/projects/" not in response.content.decode()
    assert b"<html" in page.content
    assert b"<html" not in fragment.content
    assert as_json.json()["attributes"]["작은"] == "글"


def test_spans_of_other_traces_are_not_there(address: str) -> None:
    assert Client().get(f"{address}spans/{span_id(9)}/").status_code == 404


def test_the_page_writes_nothing(address: str) -> None:
    assert Client().post(address).status_code == 405


@pytest.mark.parametrize("end", ["expired", "revoked", "project deleted"])
def test_a_link_that_ended_shows_nothing(address: str, stored: Project, end: str) -> None:
    link = ShareLink.objects.get()
    if end == "expired":
        ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif end == "revoked":
        revoke_share_link(link=link)
    else:
        delete_project(project=stored)

    for path in (address, f"{address}spans/{span_id(2)}/"):
        response = Client().get(path)
        assert response.status_code == 404
        assert b"plan a trip" not in response.content


@pytest.mark.parametrize("token", ["x", "a" * 32, "é", "a" * 5000, "%00"])
def test_what_is_no_link_is_404(db: None, token: str) -> None:
    assert Client().get(f"/share/{token}/").status_code == 404


def test_links_outlive_a_change_of_the_secret_key(address: str, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one that is long enough to be one"

    assert Client().get(address).status_code == 200


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What goes to the console, as the settings format it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    formatters: Any = django_settings.LOGGING["formatters"]
    formatter = dict(formatters["structured"])
    handler.setFormatter(formatter.pop("()")(**formatter))
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def test_the_log_holds_no_link(address: str, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*args: object) -> None:
        raise ClickHouseUnavailable("gone")

    assert Client().get(address).status_code == 200
    assert Client().get(f"{address}spans/{span_id(9)}/").status_code == 404
    with monkeypatch.context() as away:
        away.setattr(share_views, "trace_scope", unavailable)
        assert Client().get(address).status_code == 503
    ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(address).status_code == 404

    assert log.getvalue().count("/share/…/") >= 7
    assert address.split("/")[2] not in log.getvalue()


def test_the_page_speaks_korean(address: str) -> None:
    page = Client().get(address, headers={"Accept-Language": "ko"}).content.decode()

    assert "공유된 트레이스" in page
    assert "읽기 전용" in page


def test_staff_end_links_in_the_admin(address: str, alice: User) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client = Client()
    client.force_login(alice)
    listing = reverse("admin:traces_sharelink_changelist")
    link = ShareLink.objects.get()

    assert trace_id(1) in client.get(listing).content.decode()
    assert link.digest not in client.get(reverse("admin:traces_sharelink_change", args=[link.pk])).content.decode()
    client.post(listing, {"action": "revoke_selected", "_selected_action": str(link.pk)})

    assert Client().get(address).status_code == 404
