"""Pictures of every page, light and dark, wide and narrow, in both languages, to look at before a release.

    python -m tests.pages.screenshots http://localhost:8003 admin@agent-portal.local PASSWORD FOLDER

The portal must run and hold the sample project (`make up`).
"""

import argparse
import os
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
THEMES = ("light", "dark")
LANGUAGES = {"en": "en-US", "ko": "ko-KR"}
PATHS = {
    "overview": "",
    "overview-nothing": "?start=2001-01-01T00:00&end=2001-01-02T00:00",
    "analytics": "analytics/",
    "analytics-model": "analytics/?by=model",
    "flow": "flow/",
    "guardrails": "guardrails/",
    "guardrail-runs": "guardrails/runs/?outcome=blocked",
    "sessions": "sessions/",
    "users": "users/?sort=cost",
    "traces": "traces/",
    "errors": "traces/?status=error&llm=1",
    "nothing": "traces/?q=nothing-is-called-this",
    "bad-range": "traces/?start=2026-01-02T00:00&end=2026-01-01T00:00",
    "keys": "keys/",
    "ingest": "ingest/?range=7d",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("email")
    parser.add_argument("password")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--project", default="Sample project", help="the project to show (default: %(default)s)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for size, theme, language in product(SIZES, THEMES, LANGUAGES):
            page = signed_in(browser, options, size, theme, language)
            take_all(page, options.folder, f"{size}-{theme}-{language}")
            page.context.close()
        browser.close()


def signed_in(browser: Browser, options: argparse.Namespace, size: str, theme: str, language: str) -> Page:
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=options.url,
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        locale=LANGUAGES[language],
    )
    page = context.new_page()
    page.goto("/login/")
    page.screenshot(path=options.folder / f"login-{size}-{theme}-{language}.png")
    page.locator(f"button[name=language][value={language}]").click()
    page.locator("input[name=username]").fill(options.email)
    page.locator("input[name=password]").fill(options.password)
    page.locator("form[action='/login/'] button[type=submit]").click()
    page.wait_for_url("**/projects/*/")
    page.goto("/projects/")
    page.locator("main").get_by_role("link", name=options.project, exact=True).first.click()
    page.wait_for_url("**/projects/*/")
    return page


def take_all(page: Page, folder: Path, suffix: str) -> None:
    project = page.url.rstrip("/")
    addresses = {name: f"{project}/{path}" for name, path in PATHS.items()}
    addresses |= {"projects": "/projects/", "account": "/account/", "missing": "/no-such-page/"}
    page.goto(addresses["traces"])
    traces = page.locator("tr[data-row-link] a").evaluate_all("links => links.map(link => link.href)")
    page.goto(addresses["errors"])
    failed = page.locator("tr[data-row-link] a").evaluate_all("links => links.map(link => link.href)")
    addresses |= {"trace": traces[0], "trace-failed": failed[0]} if traces and failed else {}
    for name, address in addresses.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{name}-{suffix}.png")


if __name__ == "__main__":
    main()
