from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from compat.agentops.opsboard.organizations import OrganizationsView
from tests.cast import Cast
from tests.outage import Outage

OWN = "http://localhost:8003"
DASHBOARD = "https://dashboard.example"
STRANGER = "https://elsewhere.example"
ALLOW_ORIGIN = "Access-Control-Allow-Origin"
ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials"


@pytest.fixture(autouse=True)
def origins(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [OWN, DASHBOARD]


def preflight(path: str, origin: str, method: str = "GET") -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "x-api-key"}
    return Client().options(path, headers=asked)


@pytest.mark.parametrize("path", ["/v4/traces", "/api/v1/projects", "/auth/login", "/opsboard/orgs", "/public/v1/x"])
@pytest.mark.parametrize("origin", [OWN, DASHBOARD])
def test_pages_of_known_origins_may_send_the_cookie(db: None, path: str, origin: str) -> None:
    for answer in (preflight(path, origin), Client().get(path, headers={"Origin": origin})):
        assert (answer[ALLOW_ORIGIN], answer[ALLOW_CREDENTIALS]) == (origin, "true")
        assert "origin" in answer["Vary"]


@pytest.mark.parametrize("path", ["/v4/traces", "/api/v1/projects", "/public/v1/x", "/v3/auth/token", "/openapi.json"])
@pytest.mark.parametrize("origin", [STRANGER, "null"])
def test_pages_of_other_origins_may_ask_with_a_key_but_without_cookies(db: None, path: str, origin: str) -> None:
    asked = preflight(path, origin)

    assert (asked.status_code, asked[ALLOW_ORIGIN]) == (200, "*")
    assert "x-api-key" in asked["Access-Control-Allow-Headers"]
    assert ALLOW_CREDENTIALS not in asked
    answer = Client().get(path, headers={"Origin": origin})
    assert answer[ALLOW_ORIGIN] == "*"
    assert ALLOW_CREDENTIALS not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/deploy/deployments",
        "/deploy/x/history",
        "/auth/anonymous",
        "/timetravel",
        "/timetravel/x",
        "/v5/x",
        "/nowhere/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_dashboard_sees_that_an_address_does_not_exist(db: None, path: str, method: str) -> None:
    """Without the headers its browser would report an error of the network."""
    asked = preflight(path, DASHBOARD, method)
    assert (asked.status_code, asked[ALLOW_ORIGIN], asked[ALLOW_CREDENTIALS]) == (200, DASHBOARD, "true")
    assert method in asked["Access-Control-Allow-Methods"]

    answer = getattr(Client(), method.lower())(path, headers={"Origin": DASHBOARD})
    assert (answer.status_code, answer[ALLOW_ORIGIN], answer[ALLOW_CREDENTIALS]) == (404, DASHBOARD, "true")


@pytest.mark.parametrize("path", ["/projects/", "/projects", "/admin/", "/account/", "/login/", "/", "/docs"])
def test_pages_are_not_for_pages_of_other_origins(db: None, path: str) -> None:
    """They hold the CSRF tokens of whoever is signed in."""
    for origin in (DASHBOARD, STRANGER):
        for answer in (preflight(path, origin), Client().get(path, headers={"Origin": origin})):
            assert ALLOW_ORIGIN not in answer


@pytest.mark.django_db(transaction=True)
def test_every_error_reaches_the_dashboard(
    cast: Cast, settings: Settings, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(raise_request_exception=False)
    from_page = {"Origin": DASHBOARD}
    seen = {401: client.get("/opsboard/orgs", headers=from_page)}
    client.force_login(cast.bob)
    seen[404] = client.get(f"/opsboard/orgs/{uuid4()}", headers=from_page)
    seen[422] = client.post("/opsboard/orgs/create", headers=from_page, content_type="application/json")
    rename = f"/opsboard/orgs/{cast.organization.pk}/update"
    seen[403] = client.post(rename, {"name": "X"}, headers=from_page, content_type="application/json")
    seen[405] = client.delete("/opsboard/orgs", headers=from_page)
    settings.AUTH_REQUESTS_PER_MINUTE = 1
    for _ in range(3):
        limited = Client().post("/v3/auth/token", {"api_key": ""}, headers=from_page, content_type="application/json")
    seen[429] = limited
    with outage():
        seen[503] = Client().get("/v4/traces", headers={**from_page, "x-api-key": str(uuid4())})
    monkeypatch.setattr(OrganizationsView, "get", lambda *_: 1 / 0)
    seen[500] = client.get("/opsboard/orgs", headers=from_page)

    assert {status: answer.status_code for status, answer in seen.items()} == {status: status for status in seen}
    for answer in seen.values():
        assert (answer[ALLOW_ORIGIN], answer[ALLOW_CREDENTIALS]) == (DASHBOARD, "true")


@pytest.mark.parametrize("path", ["/auth/login", "/opsboard/orgs", "/projects/", "/admin/"])
def test_pages_of_other_origins_have_no_business_where_only_sessions_count(db: None, path: str) -> None:
    for answer in (preflight(path, STRANGER, "POST"), Client().get(path, headers={"Origin": STRANGER})):
        assert ALLOW_ORIGIN not in answer
        assert ALLOW_CREDENTIALS not in answer
