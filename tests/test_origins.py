"""Which pages are the portal's own: the one answer that every door has."""

import pytest
from pytest_django import Settings

from agentops_portal.origins import is_own_host, is_own_page, page_origin


@pytest.fixture(autouse=True)
def _portal(settings: Settings) -> None:
    settings.PORTAL_URL = "https://portal.example"
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example"]
    settings.CORS_ALLOWED_ORIGINS = ["https://dashboard.example:8443"]
    settings.ALLOWED_HOSTS = ["portal.example", "localhost", ".inside.example", "[::1]"]


@pytest.mark.parametrize(
    "origin", ["https://portal.example", "https://trusted.example", "https://dashboard.example:8443"]
)
@pytest.mark.parametrize("host", ["localhost:8003", "evil.example", ""])
def test_the_settings_name_pages_whatever_host_was_asked(origin: str, host: str) -> None:
    assert is_own_page(origin, host=host, scheme="http")


@pytest.mark.parametrize("setting", ["CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS"])
def test_each_of_the_settings_counts(settings: Settings, setting: str) -> None:
    [origin] = getattr(settings, setting)
    setattr(settings, setting, [])

    assert not is_own_page(origin, host="localhost:8003")


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://localhost:8003", "localhost:8003", "http"),
        ("HTTP://Localhost:8003", "LOCALHOST:8003", "http"),
        ("https://a.inside.example", "a.inside.example", "https"),
        ("http://[::1]:8003", "[::1]:8003", "http"),
        ("https://localhost", "localhost", ""),
        ("http://localhost", "localhost", ""),
    ],
)
def test_pages_of_the_host_that_was_asked_are_own(origin: str, host: str, scheme: str) -> None:
    assert is_own_page(origin, host=host, scheme=scheme)


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://evil.example", "evil.example", "http"),  # a name that was made to point here: DNS rebinding
        ("http://evil.example:8003", "evil.example:8003", ""),
        ("https://evil.example", "localhost:8003", ""),
        ("http://localhost", "localhost:8003", ""),
        ("http://localhost:8003.evil.example", "localhost:8003", ""),
        ("http://localhost:8003", "localhost:8003", "https"),
        ("https://localhost:8003", "localhost:8003", "http"),
        ("ftp://localhost:8003", "localhost:8003", ""),
        ("null", "localhost:8003", ""),
        ("", "localhost:8003", ""),
        ("", "", ""),
        ("http://", "", ""),
        ("http://[::1", "[::1", ""),
        ("https://portal.example/", "localhost", ""),
    ],
)
def test_pages_of_others_are_not(origin: str, host: str, scheme: str) -> None:
    assert not is_own_page(origin, host=host, scheme=scheme)


def test_a_host_that_is_not_allowed_is_not_own() -> None:
    names = ("portal.example", "PORTAL.example:443", "localhost:1", "evil.example", "portal.example.evil.example", "")

    assert [name for name in names if is_own_host(name)] == ["portal.example", "PORTAL.example:443", "localhost:1"]


def test_the_page_that_asks_is_in_origin_else_in_referer() -> None:
    assert page_origin({"Origin": "https://a.example", "Referer": "https://b.example/x"}) == "https://a.example"
    assert page_origin({"Referer": "https://b.example:1/x?y#z"}) == "https://b.example:1"
    for referer in ("", "/x", "http://[::1", "about:blank"):
        assert page_origin({"Referer": referer}) == ""
