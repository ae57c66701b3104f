import pytest
from django.db import connections

from tests.browser import browser
from tests.cast import Cast
from tests.outage import Outage
from tests.services import free_ports

from .conftest import Ask


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["get", "post"])
def test_without_postgresql_a_session_gets_503_and_never_401(cast: Cast, outage: Outage, method: str) -> None:
    client = browser()
    client.force_login(cast.alice)

    with outage():
        answers = [getattr(client, method)("/opsboard/projects"), client.post("/auth/logout")]

    for answer in answers:
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "PostgreSQL does not answer" in answer.json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_without_postgresql_nobody_signs_in_and_is_told_so(cast: Cast, outage: Outage) -> None:
    body = {"email": "alice@example.com", "password": "x"}
    with outage():
        answer = browser().post("/auth/login", body, content_type="application/json")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_without_clickhouse_the_list_does_not_claim_that_projects_are_empty(
    cast: Cast, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["clickhouse"], "PORT", free_ports(1)[0])
    answer = ask("alice", "get", "projects")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "ClickHouse does not answer" in answer.json()["detail"]
    assert "127.0.0.1" not in answer.content.decode()
    assert ask("alice", "get", f"projects/{cast.project.pk}").status_code == 200
