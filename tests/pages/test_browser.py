"""The pages in a real browser: sign in, find a trace, read a span; nothing breaks the Content-Security-Policy."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from projects.models import Membership, Project, Role, User
from projects.services import create_api_key
from tests.kept import give_recorded
from traces.models import IngestReceipt

from .conftest import PASSWORD
from .spans import RECORDED_DAY, Spanlet, recorded, store, store_trace, trace_id

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"There is no Chromium at {CHROMIUM}: apt-get install chromium."),
]

BLOCKED = "0918b44c88898607485f6e7f01a7b71e"
NARROW = {"width": 390, "height": 844}


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
    """What the browser's console and the network had to complain about."""
    return []


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    with override_settings(CSRF_TRUSTED_ORIGINS=[live_server.url]):
        context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
        context.set_default_timeout(15_000)
        expect.set_options(timeout=15_000)  # a busy machine takes its time
        yield context
        context.close()


@pytest.fixture
def page(context: BrowserContext, alice: User, project: Project, complaints: list[str]) -> Iterator[Page]:
    """Alice, signed in through the form."""
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
    page.goto("/login/")
    page.get_by_label("E-mail address").fill(alice.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/projects/*/")
    page.goto("about:blank")  # the first steps of a project that a test gives spans, and with them another id
    yield page
    assert complaints == []


@pytest.fixture
def traces(project: Project) -> Project:
    give_recorded(project, "litellm-1.106.2-mixed", "agentops-0.4.21-session")
    return project


def list_path(project: Project) -> str:
    return f"/projects/{project.pk}/traces/{RECORDED_DAY}"


def test_from_the_overview_to_the_request_that_failed(page: Page, traces: Project) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(f"/projects/{traces.pk}/{RECORDED_DAY}")

    expect(page.locator("[data-chart] canvas")).to_have_count(2)
    tokens = page.locator("#tokens-by-model")
    tokens.get_by_text("Table").click()
    expect(tokens.get_by_role("columnheader", name="gpt-4o-mini", exact=True)).to_be_visible()
    errors = page.locator(".figure-card", has=page.get_by_role("heading", name="Error rate"))
    errors.locator("summary").click()
    expect(errors.get_by_text("a fallback that worked is no failure")).to_be_visible()
    page.keyboard.press("Escape")
    expect(errors.get_by_text("a fallback that worked is no failure")).to_be_hidden()
    page.emulate_media(color_scheme="dark")  # the charts are drawn anew
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")

    errors.get_by_role("link", name="Error rate").click()
    page.wait_for_url("**/traces/?**status=error**")
    expect(page.locator("tr[data-row-link]")).to_have_count(4)
    page.go_back()
    page.locator("tr[data-row-link]", has_text=BLOCKED[:8]).click()
    page.wait_for_url(f"**/traces/{BLOCKED}/")
    expect(page.locator("#span-panel").get_by_text("my SSN is 123-45-6789").first).to_be_visible()
    page.get_by_role("link", name="Guardrails", exact=True).click()
    expect(page.get_by_role("heading", name="Guardrails", exact=True)).to_be_visible()
    assert len(hosts) == 1


def test_from_the_sign_in_to_what_the_model_said(page: Page, traces: Project) -> None:
    page.goto(list_path(traces))
    page.get_by_placeholder("Span name or trace id").fill("95c31d28")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="POST /v1/chat/completions").click()

    expect(page.get_by_role("heading", name="POST /v1/chat/completions")).to_be_visible()
    panel = page.locator("#span-panel")
    expect(
        panel.locator(".chat").get_by_text("Seoul is the capital of Korea.")
    ).to_be_visible()  # the LLM call is open at once
    page.get_by_role("treeitem", name=re.compile("content-filter")).click()
    expect(panel.get_by_text("What the guardrail answered")).to_be_visible()
    panel.get_by_role("tab", name="Attributes").click()
    panel.get_by_placeholder("Search keys and values").fill("guardrail_status")
    expect(panel.locator("#attribute-rows > div:visible")).to_have_count(1)
    assert "span=055e10e0066e7f87" in page.url


def test_a_row_opens_its_trace_wherever_it_is_clicked(page: Page, traces: Project) -> None:
    page.goto(list_path(traces) + "&q=" + BLOCKED)
    page.locator("tr[data-row-link] td").nth(2).click()

    page.wait_for_url(f"**/traces/{BLOCKED}/**")


def test_choosing_a_preset_or_a_status_filters_at_once(page: Page, traces: Project) -> None:
    page.goto(list_path(traces))
    page.get_by_label("Status").select_option("error")
    page.wait_for_url("**status=error**")
    assert "start=" in page.url  # the chosen days stay
    page.get_by_label("Time range").select_option("30d")
    page.wait_for_url("**range=30d**")
    assert "start=" not in page.url


def test_the_tree_is_moved_through_and_collapsed_by_keyboard(page: Page, traces: Project) -> None:
    page.goto(f"/projects/{traces.pk}/traces/{BLOCKED}/")
    rows = page.get_by_role("treeitem")
    expect(rows).to_have_count(11)
    selected = page.locator(".wf[aria-selected=true]")
    expect(selected).to_have_attribute("data-span", "2afc156b4281c482")

    selected.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".wf:visible")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".wf:visible")).to_have_count(11)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#span-panel h2")).to_have_text("fastapi.dependencies")


def test_key_spans_only_hides_the_plumbing_and_keeps_what_failed(page: Page, traces: Project) -> None:
    page.goto(f"/projects/{traces.pk}/traces/{BLOCKED}/")
    page.get_by_label("Key spans only").check()

    names = page.locator(".wf:visible .wf-name a").all_inner_texts()
    assert "auth" not in names
    assert {"litellm_request", "guardrail", "Failed Proxy Server Request"} <= set(names)


def test_a_trace_is_replayed_by_keyboard_and_a_moment_has_an_address(page: Page, traces: Project) -> None:
    page.goto(f"/projects/{traces.pk}/traces/{BLOCKED}/")
    page.get_by_role("link", name="Replay").click()
    moments = page.locator(".replay-moment")
    current = page.locator("[aria-current=step]")
    expect(current).to_have_attribute("data-at", "0.000")
    expect(moments.last).to_have_class(re.compile("coming"))  # the script is there, and hears keys

    page.keyboard.press("End")
    expect(moments.last).to_have_class(re.compile("current"))
    page.wait_for_url("**/replay/?at=**")
    named = page.url
    page.keyboard.press("Home")
    expect(current).to_have_attribute("data-at", "0.000")
    page.get_by_label("Speed").select_option("50")
    page.get_by_role("button", name="Play").click()
    expect(moments.last).to_have_class(re.compile("current"))  # it plays to the end

    page.goto(named)
    expect(moments.last).to_have_class(re.compile("current"))


def test_an_empty_project_shows_its_first_trace_by_itself(page: Page, project: Project) -> None:
    page.goto(f"/projects/{project.pk}/traces/")
    expect(page.get_by_role("heading", name="Send your first trace")).to_be_visible()

    store_trace(project.pk, [Spanlet("hello")])

    expect(page.get_by_role("link", name="hello")).to_be_visible()


def test_hostile_text_runs_nothing(page: Page, project: Project) -> None:
    attack = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    store_trace(
        project.pk,
        [
            Spanlet(
                attack,
                attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.prompt": attack},
            )
        ],
    )
    page.goto(f"/projects/{project.pk}/traces/{trace_id(1)}/")

    expect(page.locator("#span-panel .plain-text")).to_have_text(attack)
    assert page.title() != "owned"


def test_the_theme_is_kept_and_set_before_anything_is_drawn(page: Page, traces: Project) -> None:
    page.goto(list_path(traces))
    page.locator(".portal-user button").first.click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")

    page.goto(list_path(traces), wait_until="commit")
    page.wait_for_selector("body", state="attached")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


def test_the_language_is_changed_and_stays_with_the_account(page: Page, traces: Project, alice: User) -> None:
    page.goto(list_path(traces))
    page.locator(".portal-user button").first.click()
    page.get_by_role("button", name="한국어").click()
    page.wait_for_load_state()

    expect(page.locator("html")).to_have_attribute("lang", "ko")
    assert page.url.endswith(list_path(traces))
    alice.refresh_from_db()
    assert alice.language == "ko"


def test_nothing_is_wider_than_a_phone(page: Page, project: Project) -> None:
    store(project.pk, recorded("litellm-1.106.2-mixed"))
    store_trace(
        project.pk,
        [Spanlet("word" * 60, attributes={"session.id": "s" * 200, "user.id": "아주 긴 사용자 이름 " * 20})],
        number=7,
    )
    key = create_api_key(project=project, name="k" * 90).key
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    IngestReceipt.objects.create(
        key=key,
        hour=hour,
        accepted_spans=10**15,
        refused={"bad_data": 10**9},
        last_error="e" * 300,
        last_error_at=hour,
        first_seen_at=hour,
        last_seen_at=hour,
        clock_skew_ms=-(10**9),
    )
    base = f"/projects/{project.pk}"
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    for path in (
        f"{base}/{RECORDED_DAY}",
        f"{base}/analytics/{RECORDED_DAY}&by=model",
        f"{base}/flow/{RECORDED_DAY}",
        f"{base}/guardrails/{RECORDED_DAY}",
        f"{base}/traces/{RECORDED_DAY}",
        f"{base}/traces/",
        f"{base}/traces/?q=nothing",
        f"{base}/traces/{BLOCKED}/",
        f"{base}/traces/{BLOCKED}/?span=2afc156b4281c482",
        f"{base}/traces/{trace_id(7)}/?span=0000000000000001",
        f"{base}/traces/{BLOCKED}/spans/2afc156b4281c482/",
        f"{base}/keys/",
        f"{base}/ingest/",
        "/projects/",
        "/account/",
    ):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], path


def test_on_a_phone_a_span_covers_the_page_and_is_closed_again(page: Page, traces: Project) -> None:
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page.goto(f"/projects/{traces.pk}/traces/{BLOCKED}/")
    panel = page.locator("#span-panel")
    expect(panel).to_be_hidden()

    page.get_by_role("treeitem", name=re.compile("litellm_request")).click()
    expect(panel.locator(".chat").get_by_text("my SSN is 123-45-6789")).to_be_visible()
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()


def test_without_script_a_span_is_a_page_that_shows_everything(
    browser: Browser, live_server: LiveServer, page: Page, traces: Project
) -> None:
    plain = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    plain.add_cookies(list(page.context.cookies()))  # type: ignore[arg-type]
    other = plain.new_page()
    other.goto(f"/projects/{traces.pk}/traces/{BLOCKED}/")
    other.get_by_role("link", name="litellm_request").click()

    expect(other.locator(".chat").get_by_text("my SSN is 123-45-6789")).to_be_visible()
    expect(other.get_by_text("litellm.model_group", exact=True)).to_be_visible()
    plain.close()


def test_the_form_of_a_schedule_shows_the_report_beside_it(page: Page, project: Project) -> None:
    Membership.objects.update(role=Role.ADMIN)
    page.goto(f"/projects/{project.pk}/reports/new/")
    preview = page.locator("#preview")

    expect(preview.get_by_text("Nothing happened: no guardrail ran")).to_be_visible()
    expect(page.get_by_label("Day of the month")).to_be_hidden()
    page.get_by_label("How often").select_option("monthly")
    expect(page.get_by_label("Day of the month")).to_be_visible()
    page.get_by_label("Name").fill("Für den Vorstand")
    expect(preview.get_by_role("heading", name="Für den Vorstand")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. The next report comes on")).to_be_visible()
    expect(page.get_by_text("The first report comes when its period is over.")).to_be_visible()
