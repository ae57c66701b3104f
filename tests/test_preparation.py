import os
from datetime import timedelta
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from pytest_django.fixtures import Settings

from agentops_portal import preparation, schedule
from agentops_portal.celery import app
from agentops_portal.tasks import clear_expired_sessions

PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Traces"\nmsgstr "{}"\n'


@pytest.fixture
def po(settings: Settings, tmp_path: Path) -> Path:
    file = tmp_path / "ko" / "LC_MESSAGES" / "django.po"
    file.parent.mkdir(parents=True)
    file.write_text(PO.format("트레이스"))
    settings.LOCALE_PATHS = [tmp_path]
    return file


def translated(po: Path) -> str:
    with po.with_suffix(".mo").open("rb") as file:
        return GNUTranslations(file).gettext("Traces")


def test_translations_are_compiled_once_and_again_when_they_change(po: Path) -> None:
    assert preparation.compile_translations() == ["ko"]
    assert translated(po) == "트레이스"
    assert preparation.compile_translations() == []
    po.write_text(PO.format("추적"))
    later = po.with_suffix(".mo").stat().st_mtime_ns + 10**9
    os.utime(po, ns=(later, later))
    assert preparation.compile_translations() == ["ko"]
    assert translated(po) == "추적"


def test_static_files_are_collected_once_and_again_when_one_changes(settings: Settings, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "one.css").write_text("body { color: red }")
    settings.PORTAL_VAR = tmp_path
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    assert preparation.stale_static()
    preparation.collect_static()
    assert not preparation.stale_static()
    (source / "one.css").write_text("body { color: green; }")
    assert preparation.stale_static()
    preparation.collect_static()
    assert (tmp_path / "static" / "one.css").read_text() == "body { color: green; }"


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_no_migration_is_missing_after_migrate() -> None:
    assert preparation.unapplied_migrations() == []


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_a_migration_that_is_missing_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    assert preparation.unapplied_migrations() == ["default: sessions.0001_initial"]


@pytest.mark.django_db
def test_periodic_tasks_follow_the_list_and_keep_what_an_administrator_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schedule.sync_schedule()
    name = "portal: portal.clear_expired_sessions"
    PeriodicTask.objects.filter(name=name).update(enabled=False)
    PeriodicTask.objects.create(name="theirs", task="theirs", crontab=PeriodicTask.objects.get(name=name).crontab)
    schedule.sync_schedule()
    assert not PeriodicTask.objects.get(name=name).enabled
    monkeypatch.setattr(schedule, "SCHEDULE", [])
    schedule.sync_schedule()
    assert set(PeriodicTask.objects.values_list("name", flat=True)) - {"celery.backend_cleanup"} == {"theirs"}


def test_every_periodic_task_is_one_that_a_worker_knows() -> None:
    app.loader.import_default_modules()
    assert {entry.task for entry in schedule.SCHEDULE} <= set(app.tasks)


@pytest.mark.django_db
def test_expired_sessions_are_cleared() -> None:
    for key, days in (("old", -1), ("new", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + timedelta(days=days))
    clear_expired_sessions()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["new"]


@pytest.mark.django_db(databases=["default", "clickhouse"])
@pytest.mark.usefixtures("own_store")  # what prepares goes through all spans there are
def test_a_second_preparation_has_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("prepare", "--json")
    capsys.readouterr()
    call_command("prepare", "--json")
    out, err = capsys.readouterr()
    assert err == ""
    assert '"project": "agent-portal"' in out
