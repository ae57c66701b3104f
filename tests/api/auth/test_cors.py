from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

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


@pytest.mark.parametrize("path", ["/auth/login", "/opsboard/orgs", "/projects/", "/admin/"])
def test_pages_of_other_origins_have_no_business_where_only_sessions_count(db: None, path: str) -> None:
    for answer in (preflight(path, STRANGER, "POST"), Client().get(path, headers={"Origin": STRANGER})):
        assert ALLOW_ORIGIN not in answer
        assert ALLOW_CREDENTIALS not in answer
