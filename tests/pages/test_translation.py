"""The portal speaks Korean, wholly."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.translation import trans_real

from agentops_portal.preparation import compile_translations
from projects.models import Project

from .spans import Spanlet, store_trace

CATALOG = Path(settings.BASE_DIR, "locale/ko/LC_MESSAGES/django.po")
# Names and signs that are the same in Korean.
SAME = {"AgentOps Portal", "HTTP", "agentops SDK", "%(field)s: %(problem)s"}


def catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="ko")


def source(message: Message) -> str:
    return message.id[0] if isinstance(message.id, (list, tuple)) else message.id


def translation(message: Message) -> str:
    string = message.string[0] if isinstance(message.string, (list, tuple)) else message.string
    return string or ""


def untranslated(found: Catalog) -> list[str]:
    return [source(each) for each in found if each.id and (not translation(each) or each.fuzzy)]


def test_every_text_of_the_catalogue_is_translated_with_its_placeholders() -> None:
    found = catalog(CATALOG)

    assert untranslated(found) == []
    assert [str(error) for _message, errors in found.check() for error in errors] == []
    copied = {source(each) for each in found if each.id and source(each) == translation(each)}
    assert copied <= SAME


@pytest.mark.skipif(not shutil.which("xgettext"), reason="GNU gettext finds the texts: apt-get install gettext.")
def test_the_catalogue_holds_every_text_of_the_portal(tmp_path: Path) -> None:
    for name in ("agentops_portal", "projects", "traces", "guardrails", "templates", "locale"):
        shutil.copytree(settings.BASE_DIR / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "CHANGELOG.md"):
        shutil.copy(settings.BASE_DIR / name, tmp_path / name)

    subprocess.run([sys.executable, "manage.py", "makemessages", "--locale=ko"], cwd=tmp_path, check=True)

    assert untranslated(catalog(tmp_path / "locale/ko/LC_MESSAGES/django.po")) == []


@pytest.fixture
def compiled() -> None:
    compile_translations()
    trans_real._translations.clear()  # type: ignore[attr-defined]  # what was loaded before, without them


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_pages_are_korean_for_those_who_want_it(client: Client, project: Project, compiled: None) -> None:
    project.organization.members.update(language="ko")
    trace = store_trace(project.pk, [Spanlet("root", end=125_000)])
    ids = {"project_id": project.pk}

    listed = client.get(reverse("trace-list", kwargs=ids)).content.decode()
    detail = client.get(reverse("trace-detail", kwargs={**ids, "trace_id": trace})).content.decode()
    refused = client.get(reverse("trace-list", kwargs=ids) + "?start=2026-11-24T00:00&end=2026-11-23T00:00")

    assert "트레이스" in listed
    assert "분 전" in listed
    assert "2분 05초" in detail
    assert "종료: 종료 시각은 시작 시각보다 늦어야 합니다." in refused.content.decode()
