"""What is older than its project keeps it goes, from every table, and nothing else does."""

from datetime import datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils.timezone import now

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.schedule import SCHEDULE, sync_schedule
from projects.models import Project
from projects.services import delete_project
from tests.pages.spans import Spanlet, request_of, store, trace_id
from traces.ingest.agents import Agent, AgentRun, AgentType
from traces.ingest.uploads import Upload, add_to_log
from traces.lifecycle.retention import removal
from traces.lifecycle.retention.records import RetentionRun, next_run, status_of
from traces.lifecycle.retention.run import enforce
from traces.store.queries.filters import TraceFilter
from traces.store.queries.requests import requests_total
from traces.store.queries.summaries import figures_of
from traces.store.queries.trace_detail import trace_figures, trace_scope
from traces.store.queries.trace_list import totals
from traces.store.schema.tables import SPANS
from traces.tasks import enforce_retention

from .conftest import MIDNIGHT, NOW, Away, Counts, ns, put_unreadable, store_at

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store", "clock")]

MICROSECOND = timedelta(microseconds=1)


def border(days: int) -> datetime:
    return MIDNIGHT - timedelta(days=days)


def keep(project: Project, days: int) -> None:
    Project.objects.filter(pk=project.pk).update(retention_days=days)
    project.retention_days = days


def rows(spans: int, unreadable: int = 0) -> dict[str, int]:
    found = dict.fromkeys(("trace_summaries", "usage_quarters", SPANS), spans)
    return {**found, "guardrail_runs": spans // 3, "otlp_unreadable": unreadable, "span_verdicts": 0}


def test_each_project_keeps_its_own_days(project: Project, other: Project, counts: Counts) -> None:
    keep(project, 7)
    keep(other, 30)
    for number, days in enumerate((7, 30)):
        for each in (project, other):
            store_at(each, 10 + number, border(days) - timedelta(milliseconds=100))
            store_at(each, 20 + number, border(days))
            put_unreadable(each.pk, border(days) - timedelta(milliseconds=1))
            put_unreadable(each.pk, border(days))
    assert counts(project) == counts(other) == rows(12, 4)

    run = enforce()

    assert run.error == ""
    assert counts(project) == rows(3, 1)
    assert counts(other) == rows(9, 3)
    assert {project: tables[SPANS] for project, tables in run.removed.items()} == {
        str(project.pk): 9,
        str(other.pk): 3,
    }
    assert enforce().removed == {}


def test_list_page_and_usage_agree_on_a_trace_across_the_border(project: Project) -> None:
    keep(project, 7)
    minute = 60_000
    spans = [
        Spanlet("root", end=2 * minute),
        Spanlet("before", 2, 1, 1, 2),
        Spanlet("after", 3, 1, minute + 5, minute + 6),
    ]
    store(project.pk, request_of({1: spans}, ns(border(7) - timedelta(minutes=1))))

    enforce()

    scope = Scope(project.pk, border(8), NOW)
    assert totals(scope, TraceFilter()).spans == 1
    trace = trace_scope(project.pk, trace_id(1))
    assert trace is not None
    assert trace_figures(trace, trace_id(1)) == figures_of(project.pk, [trace_id(1)])[trace_id(1)]
    assert requests_total(scope).requests == 1
    of_usage = "SELECT sum(spans), sumIf(spans, is_root) FROM usage_quarters WHERE project_id = %s"
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(of_usage, [str(project.pk)])
        assert cursor.fetchall() == [(1, 0)]  # the root belongs to the day before

    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        enforce()
    assert trace_scope(project.pk, trace_id(1)) is None


def test_months_that_nobody_keeps_are_dropped_as_parts(
    project: Project, other: Project, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(project, 7)
    keep(other, 7)
    for each in (project, other):
        for days in (40, 80, 120):
            store_at(each, days, border(days))
    monkeypatch.setattr(removal, "_delete", None)  # no DELETE is needed

    assert enforce().error == ""

    assert counts(project) == counts(other) == rows(0)


def test_a_month_that_another_project_keeps_loses_rows_of_this_one_alone(
    project: Project, other: Project, counts: Counts
) -> None:
    keep(project, 7)
    keep(other, 90)
    for each in (project, other):
        store(each.pk, request_of({1: [Spanlet("old")], 2: [Spanlet("new")]}, {1: ns(border(8)), 2: ns(border(1))}))
    store_at(other, 3, border(8))

    enforce()

    assert counts(project)[SPANS] == 1
    assert counts(other)[SPANS] == 5


def test_what_was_deleted_leaves_the_disk_when_its_month_loses_nothing_more(project: Project, other: Project) -> None:
    keep(project, 7)
    keep(other, 3650)
    for each in (project, other):
        store(each.pk, request_of({1: [Spanlet("old")]}, ns(border(9))))
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(f"OPTIMIZE TABLE {SPANS} FINAL")  # both in one part, as after a while
        masked = (
            "SELECT count() FROM system.parts WHERE database = currentDatabase() AND active AND has_lightweight_delete"
        )

        enforce()
        cursor.execute(masked)
        assert cursor.fetchone()[0] > 0

        enforce()
        cursor.execute(masked)
        assert cursor.fetchone()[0] == 0


def test_uploads_and_runs_of_agents_go_too(project: Project) -> None:
    keep(project, 7)
    agent = Agent.objects.create(project=project, name="a", type=AgentType.CUSTOM)
    for number, moment in enumerate((border(7) - MICROSECOND, border(7))):
        add_to_log(project=project, trace_id=trace_id(number), content=b"text")
        Upload.objects.filter(trace_id=trace_id(number)).update(created_at=moment)
        AgentRun.objects.create(agent=agent, trace_id=trace_id(number), span_id="0" * 16, start_ns=0, started_at=moment)

    run = enforce()

    assert run.removed[str(project.pk)] == {"uploads": 1, "agent_runs": 1}
    assert Upload.objects.get().created_at == AgentRun.objects.get().started_at == border(7)


def test_a_changed_retention_counts_from_the_next_run_on(project: Project, counts: Counts) -> None:
    keep(project, 90)
    store_at(project, 1, border(2))
    enforce()
    assert counts(project)[SPANS] == 3

    keep(project, 1)
    enforce()

    assert counts(project)[SPANS] == 0


def test_a_late_span_is_stored_and_goes_with_the_next_run(project: Project, counts: Counts) -> None:
    keep(project, 7)
    enforce()

    store_at(project, 1, border(300))
    assert counts(project)[SPANS] == 3
    enforce()

    assert counts(project)[SPANS] == 0


def test_a_project_that_can_be_restored_loses_what_is_too_old(project: Project, counts: Counts) -> None:
    store_at(project, 1, border(91))
    delete_project(project=project)

    enforce()

    assert counts(project)[SPANS] == 0


def test_rows_of_nobody_are_left_alone(project: Project, counts: Counts) -> None:
    """They may belong to a project that is still to be imported."""
    nobody = Project(pk=uuid4())
    store_at(nobody, 1, border(900))

    enforce()

    assert counts(nobody)[SPANS] == 3


def test_a_run_that_fails_in_the_middle_says_so_and_the_next_one_goes_on(project: Project, counts: Counts) -> None:
    store_at(project, 1, border(91))
    store_at(project, 2, border(89))
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute("RENAME TABLE guardrail_runs TO guardrail_runs_gone")
        try:
            run = enforce()
        finally:
            cursor.execute("RENAME TABLE guardrail_runs_gone TO guardrail_runs")
    assert "guardrail_runs" in run.error
    assert run.removed[str(project.pk)] == {"trace_summaries": 1, "usage_quarters": 3}
    status = status_of(project, now())
    assert (status.last, status.removed_rows) == (run, 4)

    assert enforce().error == ""

    assert counts(project) == rows(3)


def test_clickhouse_away_is_noted(project: Project, counts: Counts, clickhouse_away: Away) -> None:
    store_at(project, 1, border(91))
    with clickhouse_away():
        enforce_retention()
    assert "cannot be reached" in RetentionRun.objects.get().error

    enforce_retention()

    assert RetentionRun.objects.first().error == ""  # type: ignore[union-attr]
    assert counts(project)[SPANS] == 0


def test_it_runs_every_night_and_the_status_says_when(project: Project) -> None:
    assert "traces.enforce_retention" in [entry.task for entry in SCHEDULE]
    sync_schedule()

    assert next_run(now()) == datetime(2031, 5, 11, 3, 30, tzinfo=NOW.tzinfo)
    assert str(status_of(project, now()).kept_since) == "2031-02-09"


def test_the_command_says_what_would_go_and_then_removes_it(project: Project, other: Project, counts: Counts) -> None:
    keep(other, 1)
    store_at(project, 1, border(91))
    store_at(project, 2, border(95))
    out = StringIO()

    call_command("prune", "--dry-run", stdout=out)

    text = out.getvalue()
    assert f"Support ({project.pk}) keeps 90 days, since 2031-02-09:\n" in text
    assert f"  {SPANS}: 6 rows of 2031-02-04 to 2031-02-08\n" in text
    assert f"Sales ({other.pk}) keeps 1 days, since 2031-05-09:\n  nothing is older\n" in text
    assert counts(project)[SPANS] == 6

    out = StringIO()
    call_command("prune", stdout=out)
    assert f"Support ({project.pk})  {SPANS}: 6 rows\n" in out.getvalue()
    assert counts(project)[SPANS] == 0


def test_the_command_ends_with_the_fault(project: Project) -> None:
    store_at(project, 1, border(91))
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute("RENAME TABLE guardrail_runs TO guardrail_runs_gone")
        try:
            with pytest.raises(CommandError, match="It stopped after 4 rows; run it again to go on"):
                call_command("prune", stdout=StringIO())
        finally:
            cursor.execute("RENAME TABLE guardrail_runs_gone TO guardrail_runs")
