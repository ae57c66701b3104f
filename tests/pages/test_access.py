"""Who sees the trace pages, and what they say when ClickHouse is away."""

import socket

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from projects.models import Project, User
from tests.kept import give_trace

from .spans import Spanlet, span_id, trace_id

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def urls(project: Project) -> list[str]:
    ids = {"project_id": project.pk}
    trace = {**ids, "trace_id": trace_id(1)}
    return [
        reverse("trace-list", kwargs=ids),
        reverse("trace-arrived", kwargs=ids),
        reverse("trace-detail", kwargs=trace),
        reverse("span-detail", kwargs={**trace, "span_id": span_id(1)}),
        reverse("overview", kwargs=ids),
        reverse("analytics", kwargs=ids),
        reverse("flow", kwargs=ids),
        reverse("guardrails", kwargs=ids),
        reverse("guardrail-runs", kwargs=ids),
        reverse("session-redirect") + f"?trace_id={trace_id(1)}",
    ]


@pytest.fixture(autouse=True)
def _stored(project: Project) -> None:
    give_trace(project, [Spanlet("secret plan")])


def test_members_see_the_pages(client: Client, project: Project) -> None:
    assert [client.get(url).status_code for url in urls(project)] == [*[200] * 9, 302]


def test_strangers_get_404_and_not_a_word(bobs_client: Client, project: Project) -> None:
    for url in urls(project):
        response = bobs_client.get(url)
        assert response.status_code == 404, url
        assert b"secret plan" not in response.content


def test_visitors_are_sent_to_the_sign_in_and_back(project: Project) -> None:
    for url in urls(project):
        response = Client().get(url)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/login/?next=/"), url


def test_pages_are_read_only(client: Client, project: Project) -> None:
    assert {client.post(url).status_code for url in urls(project)} == {405}


@pytest.mark.parametrize("text", [trace_id(1).upper(), f"{trace_id(1)[:8]}-0000-0000-0000-{trace_id(1)[20:]}"])
def test_the_link_that_the_sdk_prints_leads_to_the_trace(client: Client, project: Project, text: str) -> None:
    for path in ("/sessions", "/sessions/"):
        response = client.get(path, {"trace_id": text})

        assert response.headers["Location"] == urls(project)[2]


@pytest.mark.parametrize("text", ["", "1", "x" * 32, trace_id(2), trace_id(1) + "0"])
def test_a_link_to_no_trace_is_404(client: Client, text: str) -> None:
    assert client.get("/sessions", {"trace_id": text}).status_code == 404


def test_ids_are_taken_in_any_case_and_with_dashes(client: Client, project: Project) -> None:
    base = reverse("trace-list", kwargs={"project_id": project.pk})
    dashed = f"{trace_id(1)[:8]}-{trace_id(1)[8:12]}-{trace_id(1)[12:16]}-{trace_id(1)[16:20]}-{trace_id(1)[20:]}"

    assert client.get(f"{base}{dashed.upper()}/").status_code == 200
    assert client.get(f"{base}{trace_id(2)}/").status_code == 404
    assert client.get(f"{base}{'-' * 32}/").status_code == 404


def test_without_clickhouse_pages_say_so_with_503(
    client: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setitem(connections.settings["clickhouse"], "HOST", "127.0.0.1")
        monkeypatch.setitem(connections.settings["clickhouse"], "PORT", unused.getsockname()[1])

        for url in urls(project):
            response = client.get(url)

            assert response.status_code == 503, url
            assert "Traces cannot be read right now" in response.content.decode()
            assert response.headers["Retry-After"] == "5"
        answer = client.get(urls(project)[1], headers={"accept": "application/json"})
        assert answer.status_code == 503
        assert answer.json() == {"error": "Traces cannot be read right now"}


def test_only_staff_read_where_clickhouse_should_be(
    client: Client, project: Project, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["clickhouse"], "PORT", 9)  # the discard port

    assert "cannot be reached" not in client.get(urls(project)[0]).content.decode()
    alice.is_staff = True
    alice.save()
    assert "ClickHouse at http://127.0.0.1:9 cannot be reached" in client.get(urls(project)[0]).content.decode()
