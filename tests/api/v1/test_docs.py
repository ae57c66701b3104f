"""/openapi.json and /docs: readable by everybody, and a browser really shows them under the Content-Security-Policy."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, ViewportSize, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from agentops_portal.api.openapi.document import generate
from agentops_portal.version import VERSION

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
SIZES: dict[str, ViewportSize] = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}


def test_the_schema_says_what_it_is_to_everybody(client: Client) -> None:
    answer = client.get("/openapi.json")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    schema = answer.json()
    assert schema["openapi"] == "3.1.0"
    assert schema["info"]["title"] == "AgentOps Portal API"
    assert schema["info"]["version"] == VERSION
    assert schema["servers"] == [{"url": settings.PORTAL_URL}]


def test_a_client_that_has_the_schema_is_not_sent_it_again(client: Client) -> None:
    etag = client.get("/openapi.json")["ETag"]

    again = client.get("/openapi.json", headers={"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")


def test_it_names_every_way_to_sign_in(client: Client) -> None:
    schema = client.get("/openapi.json").json()

    found = schema["components"]["securitySchemes"]
    schemes = {name: each.get("scheme") or each["name"] for name, each in found.items()}
    assert schemes["bearer"] == "bearer"
    assert schemes["apiKey"] == "x-api-key"
    assert schemes["agentopsApiKey"] == "X-Agentops-Api-Key"
    assert schemes["session"] == "session_id"
    receipts = schema["paths"]["/api/v1/projects/{project_id}/ingest-receipts"]["get"]
    assert receipts["security"] == [{"bearer": []}, {"apiKey": []}, {"agentopsApiKey": []}, {"sessionAndCsrfToken": []}]


def test_the_page_has_no_inline_script_and_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/docs")

    assert "script-src 'self'" in page["Content-Security-Policy"]
    html = page.content.decode()
    assert "http://" not in html
    assert "https://" not in html
    assert html.count("<script") == html.count("<script src=")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright's own event loop runs in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console had to complain about."""
    return []


@pytest.fixture(params=[("wide", "light"), ("narrow", "dark")], ids="-".join)
def page(
    request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer, complaints: list[str]
) -> Iterator[Page]:
    size, scheme = request.param
    context = browser.new_context(base_url=live_server.url, viewport=SIZES[size], color_scheme=scheme)
    page = context.new_page()

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def on_response(response: Response) -> None:
        if response.status >= 400:
            complaints.append(f"{response.status} {response.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", on_response)
    yield page
    context.close()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_a_browser_shows_the_endpoints_in_the_readers_theme(page: Page, complaints: list[str]) -> None:
    page.goto("/docs")
    page.get_by_role("heading", name="AgentOps Portal API").wait_for()
    page.get_by_text("Receipts of a project's keys").or_(page.get_by_role("link", name="Ingest")).first.click()
    row = page.locator("#operations-Ingest-ingest_receipts_list")
    row.locator(".opblock-summary-control").click()

    expect(row.get_by_text("Hours that begin at this time or later.")).to_be_visible()
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(28, 32, 34)" if dark else "rgb(255, 255, 255)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")  # nothing beside the screen
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"docs-{'dark' if dark else 'light'}.png", full_page=True)
    assert complaints == []


def test_the_schema_is_json_that_any_tool_reads(client: Client) -> None:
    assert json.loads(client.get("/openapi.json").content)["paths"]


def test_every_endpoint_is_described_without_a_doubt(capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads(generate())

    assert capsys.readouterr().err == ""  # where drf-spectacular says what it had to guess
    tags = {tag["name"] for tag in schema["tags"]}
    operations = {
        f"{method} {path}": operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "post", "put", "patch", "delete")
    }
    assert not [name for name, each in operations.items() if not each.get("summary", each.get("description"))]
    assert not [name for name, each in operations.items() if not set(each.get("tags", ["none"])) <= tags]
    assert len({each["operationId"] for each in operations.values()}) == len(operations)
    used = {tag for each in operations.values() for tag in each["tags"]}
    assert used == tags


def test_every_parameter_of_the_portals_own_api_is_explained_or_speaks_for_itself(client: Client) -> None:
    plain = {"project_id", "key_id", "erasure_id", "pair_id", "status", "outcome", "format", "step"}
    plain |= {"schedule_id", "report_id", "kind", "policy_id", "incident_id", "state", "severity", "row_id"}
    plain |= {"review_id", "verdict"}
    unexplained = {
        f"{path} {parameter['name']}"
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if path.startswith("/api/v1/") and not parameter.get("description") and parameter["name"] not in plain
    }

    assert unexplained == set()
