"""Where an AgentOps dashboard is: APP_URL, or the names that AgentOps' own .env has for it."""

import pytest

from tests.settings_process import asked

OWN = "http://localhost:8003"


@pytest.mark.parametrize(
    ("environment", "app_url", "origins"),
    [
        ({}, "", [OWN]),
        ({"APP_URL": "http://localhost:3006/"}, "http://localhost:3006", [OWN, "http://localhost:3006"]),
        ({"APP_URL": "https://Example.com/agentops"}, "https://Example.com/agentops", [OWN, "https://example.com"]),
        (
            {"PROTOCOL": "http", "API_DOMAIN": "localhost:8000", "APP_DOMAIN": "localhost:3000"},
            "http://localhost:3000",
            [OWN, "http://localhost:3000"],
        ),
        ({"APP_DOMAIN": "app.example.com"}, "https://app.example.com", [OWN, "https://app.example.com"]),
        ({"APP_URL": "http://a.example", "APP_DOMAIN": "b.example"}, "http://a.example", [OWN, "http://a.example"]),
        (
            {"APP_URL": "http://a.example", "CORS_ALLOWED_ORIGINS": "http://a.example, https://c.example/"},
            "http://a.example",
            [OWN, "http://a.example", "https://c.example"],
        ),
    ],
    ids=lambda value: str(sorted(value)) if isinstance(value, dict) else "",
)
def test_the_origin_of_the_dashboard_is_trusted(environment: dict[str, str], app_url: str, origins: list[str]) -> None:
    found = asked("api", "[m.APP_URL, m.CORS_ALLOWED_ORIGINS]", **environment)

    assert found == (0, str([app_url, origins]))


@pytest.mark.parametrize("address", ["localhost:3000", "ftp://localhost", "https://", "javascript:alert(1)"])
def test_what_is_no_address_of_a_dashboard_stops_the_start(address: str) -> None:
    code, message = asked("api", "m.APP_URL", APP_URL=address)

    assert code == 1
    assert "APP_URL is not a URL of the form https://" in message


@pytest.mark.parametrize("origin", ["*", "https://*.example.com", "dashboard.example.com", "https://x.example/path"])
def test_what_is_no_origin_stops_the_start(origin: str) -> None:
    code, message = asked("api", "m.CORS_ALLOWED_ORIGINS", CORS_ALLOWED_ORIGINS=origin)

    assert code == 1
    assert "CORS_ALLOWED_ORIGINS" in message
