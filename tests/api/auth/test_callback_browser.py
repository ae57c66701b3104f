"""The page to which Supabase Auth sends the browser, and a page of another origin, in a real browser."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from projects.services import create_api_key
from tests.cast import Cast

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
# Browsers ask before a page of the wide world reaches this machine; here both are this machine.
LOOPBACK_IS_NO_SECRET = "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests"
SECRET = "super-secret-jwt-token-with-at-least-32-characters"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"There is no Chromium at {CHROMIUM}: apt-get install chromium."),
]


@pytest.fixture
def page(settings: Settings, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    settings.SUPABASE_JWT_SECRET = SECRET
    settings.CORS_ALLOWED_ORIGINS = settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright's own event loop runs in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*ARGUMENTS, LOOPBACK_IS_NO_SECRET])
        page = browser.new_page(base_url=live_server.url)
        page.set_default_timeout(15_000)
        yield page
        browser.close()


@pytest.fixture
def secret(cast: Cast) -> str:
    """Made before the browser starts: beside its event loop Django would open a connection that nobody closes."""
    return create_api_key(project=cast.project, name="page").secret


def callback(token: str, target: str) -> str:
    return f"/auth/callback?redirect_to={target}#access_token={token}&token_type=bearer"


def test_the_token_behind_the_hash_signs_in_and_leads_on(cast: Cast, page: Page, live_server: LiveServer) -> None:
    claims = {"aud": "authenticated", "sub": str(cast.bob.pk), "exp": now() + timedelta(hours=1)}
    token = jwt.encode(claims, SECRET, algorithm="HS256")

    page.goto(callback(token, f"{live_server.url}/account/"))
    page.wait_for_url("**/account/")

    assert page.locator("body").inner_text().count("bob@example.com")
    page.go_back()
    assert token not in page.url


def test_a_token_that_does_not_count_says_so(cast: Cast, page: Page, live_server: LiveServer) -> None:
    page.goto(callback("a.b.c", f"{live_server.url}/account/"))

    page.get_by_role("alert").filter(has_text="did not work").wait_for()
    assert "access_token" not in page.url


def test_a_page_of_another_origin_reads_with_a_key_and_not_with_the_cookie(
    cast: Cast, secret: str, page: Page, live_server: LiveServer
) -> None:
    page.goto("/login/")
    page.fill("input[name=username]", "bob@example.com")
    page.fill("input[name=password]", "correct horse battery")
    page.click("form[action='/login/'] button[type=submit]")
    page.wait_for_url("**/projects/**")
    other = live_server.url.replace("localhost", "127.0.0.1")  # the same server, another origin for a browser
    address = f"{other}/api/v1/projects/{cast.project.pk}/ingest-receipts"
    ask = """async ([address, options]) => {
        try { const answer = await fetch(address, options); return answer.status } catch (error) { return error.name }
    }"""

    assert page.evaluate(ask, [address, {"headers": {"x-api-key": secret}}]) == "TypeError"  # our own pages' CSP
    page.route("http://elsewhere.example/**", lambda route: route.fulfill(body="elsewhere", content_type="text/html"))
    page.goto("http://elsewhere.example/")
    assert page.evaluate(ask, [address, {"headers": {"x-api-key": secret}}]) == 200
    assert page.evaluate(ask, [address, {"credentials": "include"}]) == "TypeError"
    assert page.evaluate(ask, [f"{other}/opsboard/orgs", {}]) == "TypeError"
