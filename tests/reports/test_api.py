"""Schedules and reports over the API, for people and for keys."""

from typing import Any

import pytest
from django.test import Client

from guardrails import tasks
from guardrails.reports.due import claim_due
from guardrails.reports.freezing import freeze
from guardrails.reports.models import Report, ReportSchedule
from projects.services import create_api_key
from tests.browser import signed_in
from tests.cast import Cast

from .world import DUE, weekly

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_a_schedule_by_the_api(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(tasks, "tell", lambda task, recipient: asked.append(recipient))
    base = f"/api/v1/projects/{cast.project.pk}/report-schedules"
    ann = signed_in(cast.ann)
    body = {"name": "Monthly", "frequency": "monthly", "day": 31, "timezone": "Asia/Seoul", "covers": "organization"}
    body["formats"] = ["pdf", "pdf"]

    made = ann.post(base, {**body, "emails": ["bob@example.com", "new@example.org"]}, "application/json")

    assert made.status_code == 201
    schedule = ReportSchedule.objects.get()
    assert asked == [schedule.recipients.get(user=None).pk]
    assert {name: made.json()[name] for name in ("covers", "day", "formats", "recipients", "paused_at")} == {
        "covers": "organization",
        "day": 31,
        "formats": ["pdf"],
        "recipients": 1,
        "paused_at": None,
    }
    one = f"{base}/{schedule.pk}"
    changed = ann.patch(one, {"hour": 7, "emails": []}, "application/json").json()
    assert (changed["hour"], changed["recipients"]) == (7, 0)
    assert ann.post(f"{one}/pause").json()["paused_at"] is not None
    assert ann.post(f"{one}/resume").json()["paused_at"] is None
    fault = ann.post(base, {"name": "x", "timezone": "No/Where"}, "application/json")
    assert (fault.status_code, list(fault.json())) == (400, ["timezone"])
    key = Client(headers={"x-api-key": create_api_key(project=cast.project, name="k").secret})
    assert key.get(base).json()["results"] == []  # it sees its own project's
    assert ann.delete(one).status_code == 204


def test_a_key_reads_reports_with_their_figures_and_files(cast: Cast) -> None:
    weekly(cast.organization, cast.project, cast.alice, formats=["csv"])
    claim_due(DUE)
    report = Report.objects.get()
    freeze(report.pk, DUE)
    report.refresh_from_db()
    key = Client(headers={"x-api-key": create_api_key(project=cast.project, name="k").secret})
    base = f"/api/v1/projects/{cast.project.pk}/reports"

    [listed] = key.get(base).json()["results"]
    whole = key.get(f"{base}/{report.pk}").json()
    file = key.get(f"{base}/{report.pk}/files/csv")

    assert (listed["deliveries"], "figures" in listed) == ({"pending": 1}, False)
    assert (whole["figures"], whole["files"]) == (report.figures, ["csv"])
    assert file.content == bytes(report.files.get(kind="csv").content)
    assert key.get(f"{base}?schedule={report.pk}").json()["results"] == []
    assert key.get(f"{base}/{report.pk}/files/html").status_code == 404
