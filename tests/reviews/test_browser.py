"""The queue in a real browser, by keyboard alone; and without script."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from guardrails.reviews.models import Review
from projects.models import Project, User
from tests.cast import PASSWORD, Cast

from .world import RARE

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"There is no Chromium at {CHROMIUM}: apt-get install chromium."),
]


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


def sign_in(page: Page, user: User) -> None:
    page.goto("/login/")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/projects/**")


def shown_run(page: Page) -> str:
    return str(page.locator("form.review-form").get_attribute("action"))


def test_the_queue_by_keyboard_and_without_script(
    browser: Browser, live_server: LiveServer, cast: Cast, project: Project
) -> None:
    queue = f"/projects/{project.pk}/guardrails/reviews/queue/?guardrail={RARE}"
    complaints: list[str] = []
    with override_settings(CSRF_TRUSTED_ORIGINS=[live_server.url]):
        context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
        context.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        page = context.new_page()
        page.on("console", lambda each: complaints.append(each.text) if each.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        sign_in(page, cast.bob)
        page.goto(queue)
        keys = page.locator(".review-keys-list")
        expect(keys).to_be_hidden()
        page.keyboard.press("?")
        expect(keys).to_be_visible()
        page.keyboard.press("?")
        expect(keys).to_be_hidden()

        first = shown_run(page)
        page.keyboard.press("j")
        page.wait_for_url("**run=**")
        second = shown_run(page)
        assert second != first
        page.keyboard.press("k")
        expect(page.locator("form.review-form")).to_have_attribute("action", first)
        page.keyboard.press("n")
        page.keyboard.type("wrong, runs under r")  # letters of verdicts in a note are letters
        page.keyboard.press("Escape")
        page.keyboard.press("w")
        expect(page.locator("form.review-form")).to_have_attribute("action", second)
        page.keyboard.press("r")
        expect(page.locator("form.review-form")).not_to_have_attribute("action", second)
        page.evaluate(  # the key r of a Korean layout
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ㅕ', code: 'KeyU', bubbles: true}))"
        )
        expect(page.get_by_text("3 judged")).to_be_visible()
        page.keyboard.press("k")
        expect(page.locator("[name=verdict][aria-pressed=true]")).to_have_attribute("value", "unsure")
        state = context.storage_state()
        context.close()
        assert complaints == []
        given = Review.objects.order_by("created_at").values_list("verdict", "note")
        assert list(given) == [("wrong", "wrong, runs under r"), ("right", ""), ("unsure", "")]

        plain = browser.new_context(base_url=live_server.url, java_script_enabled=False, storage_state=state)
        page = plain.new_page()
        page.goto(queue)
        page.get_by_label("Note").fill("by mouse")
        page.get_by_role("button", name="Right").click()
        expect(page.get_by_text("All of today's sample is judged")).to_be_visible()
        plain.close()
    assert Review.objects.filter(verdict="right", note="by mouse").count() == 1
