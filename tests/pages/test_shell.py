"""What every page stands on: static files, headers, error pages, language."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client, override_settings

from agentops_portal import staticfiles
from projects.models import Project, User

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))


def test_pages_load_every_file_from_the_portal_itself(client: Client, project: Project) -> None:
    page = client.get("/projects/").content.decode()

    addresses = re.findall(r'(?:src|href)="([^"]+\.(?:js|css|svg|woff2))"', page)
    assert len(addresses) >= 5
    for address in addresses:
        assert address.startswith("/static/"), address
        assert find(address.removeprefix("/static/")), address


def test_collectstatic_gives_every_file_a_hashed_name(tmp_path: Path) -> None:
    hashed = {"BACKEND": "agentops_portal.staticfiles.GzippedManifestStorage"}  # what is served
    with override_settings(STATIC_ROOT=tmp_path, STORAGES={**settings.STORAGES, "staticfiles": hashed}):
        call_command("collectstatic", interactive=False, verbosity=0)
        page = render_to_string("base_bare.html")

    for address in re.findall(r'(?:src|href)="/static/([^"]+)"', page):
        assert re.search(r"\.[0-9a-f]{12}\.", address), address
        assert (tmp_path / address).is_file(), address
    portal_css = (tmp_path / next(iter(re.findall(r"/static/(css/portal[^\"]+)", page)))).read_text()
    assert re.search(r"inter-latin\.[0-9a-f]{12}\.woff2", portal_css)


def test_only_listed_files_of_node_modules_can_be_fetched() -> None:
    assert find("vendor/tabler.min.css")
    assert not find("vendor/../package.json")
    assert not find("vendor/tabler.css")


def test_a_missing_package_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(staticfiles, "NODE_MODULES", tmp_path)

    [error] = staticfiles.NodeModulesFinder().check()

    assert error.id == "portal.E010"
    assert "node_modules/@tabler/core/dist/css/tabler.min.css is missing" in error.msg
    assert "npm ci" in str(error.hint)


class InlineFinder(HTMLParser):
    """Collects what the Content-Security-Policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.found += [f"<{tag} {name}>" for name in names if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")


# No browser sees them: they are drawn as PDF or sent by e-mail, and hold their own style.
PRINTED = {"traces/export_pdf.html", "guardrails/report_pdf.html", "guardrails/mail/report.html"}
PRINTED |= {"guardrails/mail/incidents.html"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR / "templates")))
def test_no_template_has_inline_script_or_style_or_unescaped_text(path: Path) -> None:
    text = path.read_text()
    finder = InlineFinder()
    finder.feed(text)

    if str(path.relative_to(settings.BASE_DIR / "templates")) in PRINTED:
        finder.found.remove("<style>")
    assert finder.found == []
    assert not re.search(r"\|\s*safe\b|autoescape off", text)


def test_the_policy_allows_no_inline_script_and_no_inline_style() -> None:
    policy = Client().get("/login/").headers["Content-Security-Policy"]

    directives = dict(part.strip().split(" ", 1) for part in policy.split(";") if part.strip())
    assert directives["script-src"] == "'self'"
    assert directives["style-src"] == "'self'"
    assert directives["object-src"] == "'none'"


def test_an_unknown_address_is_a_page_that_says_so(client: Client) -> None:
    response = client.get("/no/such/page/")

    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()


def test_a_forged_form_is_refused_with_the_way_out(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    response = client.post("/language/", {"language": "ko"})

    assert response.status_code == 403
    assert "Load the page again" in response.content.decode()


def test_the_page_for_faults_needs_nothing_that_can_fail() -> None:
    text = Path(settings.BASE_DIR, "templates/500.html").read_text()

    assert not re.search(r"{%|{{", text)
    for address in re.findall(r'(?:src|href)="/static/([^"]+)"', text):
        assert find(address), address


def test_a_fault_gives_that_page(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    monkeypatch.setattr("projects.views.Project", None)

    response = client.get("/projects/")

    assert response.status_code == 500
    assert "Something went wrong in the portal" in response.content.decode()


def test_a_visitor_chooses_the_language_for_this_browser() -> None:
    client = Client()

    response = client.post("/language/", {"language": "ko", "next": "/login/"})

    assert (response.status_code, response.headers["Location"]) == (302, "/login/")
    assert '<html lang="ko">' in client.get("/login/").content.decode()


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/"])
def test_choosing_a_language_leads_to_no_other_site(address: str) -> None:
    response = Client().post("/language/", {"language": "ko", "next": address})

    assert response.headers["Location"] == "/"


def test_an_unknown_language_changes_nothing(client: Client, alice: User) -> None:
    client.post("/language/", {"language": "xx"})

    alice.refresh_from_db()
    assert alice.language == "en"


def test_the_switcher_offers_the_readers_own_projects_and_no_others(
    client: Client, project: Project, bob: User
) -> None:
    other = bob.organizations.get()
    Project.objects.create(name="Hidden plan", organization=other)
    Project.objects.create(name="Second project", organization=project.organization)

    page = client.get("/projects/").content.decode()

    assert "Second project" in page
    assert "Hidden plan" not in page
