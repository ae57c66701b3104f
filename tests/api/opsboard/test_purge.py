from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils.timezone import now
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from agentops_portal.celery import app
from projects.models import ApiKey, AuditEvent, Project
from projects.services import create_api_key, delete_project, restore_project
from tests.cast import Cast
from tests.pages.spans import recorded, store
from traces.lifecycle.purge import TABLES
from traces.store.schema.tables import UNREADABLE
from traces.tasks import purge_deleted_projects

from .conftest import Ask

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store")]


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    before = app.conf.task_always_eager, app.conf.task_eager_propagates
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    yield
    app.conf.task_always_eager, app.conf.task_eager_propagates = before


def rows_of(project: Project) -> dict[str, int]:
    with connections["clickhouse"].cursor() as cursor:
        found = {}
        for table in TABLES:
            cursor.execute(f"SELECT count() FROM {table} WHERE toString(project_id) = '{project.pk}'")
            found[table] = cursor.fetchone()[0]
        return found


def fill(cast: Cast) -> None:
    """Both projects get spans of LLM calls and guardrails, and a request that could not be read."""
    for project in (cast.project, cast.foreign_project):
        store(project.pk, recorded("litellm-1.106.2-mixed"))
        store(project.pk, recorded("clients/oia-agentops"))  # two spans of one call
        with connections["clickhouse"].cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {UNREADABLE} (project_id, key_id, digest, spans, body, reason) "
                f"SELECT '{project.pk}', '{project.pk}', unhex('00'), 1, 'x', 'broken'"
            )
        assert all(rows_of(project).values()), rows_of(project)


def delete(project: Project, days_ago: float) -> None:
    delete_project(project=project)
    Project.objects.filter(pk=project.pk).update(deleted_at=now() - timedelta(days=days_ago))


def test_a_project_deleted_a_week_ago_leaves_nothing(cast: Cast) -> None:
    fill(cast)
    create_api_key(project=cast.project, name="key")
    delete(cast.project, 7.1)
    before = rows_of(cast.foreign_project)

    purge_deleted_projects()

    assert set(rows_of(cast.project).values()) == {0}
    assert rows_of(cast.foreign_project) == before
    assert not Project.objects.filter(pk=cast.project.pk).exists()
    assert not ApiKey.objects.exists()
    event = AuditEvent.objects.get(action="project.removed")
    assert (event.organization, event.target) == (cast.organization, "Alice's agents")


def test_until_then_it_can_be_restored_with_all_its_spans(cast: Cast) -> None:
    fill(cast)
    before = rows_of(cast.project)
    delete(cast.project, 6.9)

    purge_deleted_projects()

    assert rows_of(cast.project) == before
    restore_project(project=cast.project)
    assert Project.objects.active().filter(pk=cast.project.pk).exists()


def test_the_time_can_be_set(cast: Cast, settings: Settings) -> None:
    settings.DELETED_PROJECT_DAYS = 0
    fill(cast)
    delete(cast.project, 0.01)

    purge_deleted_projects()

    assert set(rows_of(cast.project).values()) == {0}


def test_a_deleted_organization_takes_its_deleted_projects_along(
    cast: Cast, ask: Ask, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    fill(cast)
    delete(cast.project, 0)
    with django_capture_on_commit_callbacks(execute=True):
        answer: Any = ask("alice", "delete", f"orgs/{cast.organization.pk}")

    assert answer.status_code == 200
    assert set(rows_of(cast.project).values()) == {0}
    assert all(rows_of(cast.foreign_project).values())
