"""The page and the API say of a project's retention what its runs did."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils.timezone import now

from agentops_portal.schedule import sync_schedule
from projects.models import Project, User
from traces.lifecycle.retention.records import RetentionRun
from traces.lifecycle.retention.run import enforce

from .conftest import MIDNIGHT, NOW, Away, store_at

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("clock")]


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com"))
    return client


def words(client: Client, project: Project) -> str:
    answer = client.get(f"/projects/{project.pk}/data/")
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_before_the_first_run(root: Client, project: Project) -> None:
    text = words(root, project)

    assert "90 days : nothing older than 2031-02-09 (UTC) outlives the next run" in text.replace("days:", "days :")
    assert "Oldest span There is none." in text
    assert "Last run none so far" in text
    assert "Switched off: nothing is removed." in text  # no schedule yet


def test_page_and_api_say_what_the_last_run_did(root: Client, project: Project) -> None:
    sync_schedule()
    store_at(project, 1, MIDNIGHT - timedelta(days=91))
    store_at(project, 2, MIDNIGHT - timedelta(days=90))
    assert "Oldest span 2031-02-08 00:00:00" in words(root, project)
    enforce()

    text = words(root, project)
    assert "Oldest span 2031-02-09 00:00:00" in text
    assert "Last run 2031-05-10 14:30" in text
    assert "8 rows of this project removed" in text
    assert "otel_traces 3" in text
    assert "Next run 2031-05-11 03:30" in text
    answer = root.get(f"/api/v1/projects/{project.pk}/retention").json()
    assert answer == {
        "retention_days": 90,
        "kept_since": "2031-02-09",
        "oldest_span": "2031-02-09T00:00:00.000000000Z",
        "last_run": {
            "started_at": "2031-05-10T14:30:00Z",
            "finished_at": "2031-05-10T14:30:00Z",
            "failed": False,
            "removed": {"trace_summaries": 1, "usage_quarters": 3, "guardrail_runs": 1, "otel_traces": 3},
        },
        "next_run": "2031-05-11T03:30:00Z",
    }


def test_a_failed_run_is_seen_while_clickhouse_is_away(root: Client, project: Project, clickhouse_away: Away) -> None:
    with clickhouse_away():
        enforce()
        text = words(root, project)

    assert "The last run, at 2031-05-10 14:30, could not remove everything that is too old." in text
    assert "cannot be reached" in text
    assert "Not known while the span store does not answer." in text


def test_a_run_that_was_killed_is_not_taken_for_a_finished_one(root: Client, project: Project) -> None:
    RetentionRun.objects.create(started_at=now())

    assert "which has not finished" in words(root, project)


def test_notes_of_runs_are_kept_for_90_days(project: Project) -> None:
    enforce()
    with time_machine.travel(NOW + timedelta(days=91), tick=False):
        enforce()

    assert RetentionRun.objects.count() == 1


def test_the_admin_lists_them(root: Client, project: Project) -> None:
    store_at(project, 1, MIDNIGHT - timedelta(days=91))
    enforce()

    assert ">8<" in re.sub(r"\s", "", root.get("/admin/traces/retentionrun/").content.decode())
