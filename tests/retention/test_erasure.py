"""A trace, a user's or a session's data is deleted from every table, and figures stay those of a recount."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, connections
from django.test import Client

from agentops_portal.celery import app
from agentops_portal.clickhouse.gate import Scope
from guardrails.reviews.services import give_review
from projects.models import AuditEvent, Project, User
from tests.browser import browser
from tests.cast import Cast, make_cast
from tests.pages.spans import Spanlet, request_of, store, trace_id
from traces.ingest.agents import Agent, AgentRun, AgentType
from traces.ingest.uploads import add_to_log
from traces.lifecycle.erasure.records import Erasure, ErasureKind
from traces.lifecycle.erasure.services import carry_out, request_erasure
from traces.reading.sharing import share_trace
from traces.store.queries.filters import TraceFilter
from traces.store.queries.guardrail_sample import Run
from traces.store.queries.trace_list import totals
from traces.store.queries.usage import usage_by, usage_over_time, usage_total
from traces.store.rollups import rebuild as rollups
from traces.store.schema.tables import SPANS, UNREADABLE
from traces.tasks import finish_erasures

from .conftest import CALL, MIDNIGHT, Counts, ns, put_unreadable, store_at

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store")]

NOON = MIDNIGHT - timedelta(hours=12)


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def project(cast: Cast) -> Project:
    return cast.project


@pytest.fixture
def other(cast: Cast) -> Project:
    return cast.foreign_project


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    before = app.conf.task_always_eager, app.conf.task_eager_propagates
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    yield
    app.conf.task_always_eager, app.conf.task_eager_propagates = before


def figures(project: Project) -> dict[str, object]:
    scope = Scope(project.pk, MIDNIGHT - timedelta(days=2), MIDNIGHT + timedelta(days=1))
    return {
        "totals": totals(scope, TraceFilter()),
        "usage": usage_total(scope),
        "models": usage_by(scope, "model"),
        "quarters": usage_over_time(scope, "hour", ZoneInfo("Asia/Seoul")),
    }


def fill(project: Project) -> None:
    """Everything that can hang on trace 1, and trace 2 in the same quarter of an hour."""
    store_at(project, 1, NOON)
    store_at(project, 2, NOON + timedelta(seconds=5))
    put_unreadable(project.pk, NOON, body=f"0a10{trace_id(1)}12")
    add_to_log(project=project, trace_id=trace_id(1), content=b"what was said")
    share_trace(project=project, trace_id=trace_id(1), days=1)
    agent = Agent.objects.create(project=project, name="a", type=AgentType.CUSTOM)
    AgentRun.objects.create(agent=agent, trace_id=trace_id(1), span_id="0" * 16, start_ns=0)
    reviewer = User.objects.earliest("pk")
    for number in (1, 2):
        run = Run(f"{number}-{'0' * 32}", trace_id(number), "0" * 16, "pii", "", "input", "blocked", "", ns(NOON), 1)
        give_review(project=project, run=run, reviewer=reviewer, verdict="wrong", note="what was said")


def client_of(cast: Cast, name: str) -> Client:
    client = browser()
    client.force_login(cast[name])
    return client


EVERYTHING = {
    "guardrail_runs": 1,
    UNREADABLE: 1,
    SPANS: 3,
    "trace_summaries": 1,
    "uploads": 1,
    "share_links": 1,
    "agent_runs": 1,
    "guardrail_reviews": 1,
    "span_verdicts": 0,
}


def test_a_trace_goes_from_everywhere_and_nothing_else_does(
    cast: Cast, project: Project, other: Project, counts: Counts
) -> None:
    store_at(project, 2, NOON + timedelta(seconds=5))
    before = figures(project)
    store_at(other, 1, NOON)
    project_of_both = Project.objects.create(organization=cast.organization, name="Both")
    fill(project_of_both)

    answer = client_of(cast, "ann").delete(f"/api/v1/projects/{project_of_both.pk}/traces/{trace_id(1)}")

    assert answer.status_code == 200, answer.content
    receipt = answer.json()
    assert receipt["removed"] == EVERYTHING
    assert receipt["left"] == dict.fromkeys(EVERYTHING, 0)
    assert (receipt["kind"], receipt["value"], receipt["traces"], receipt["failed"]) == ("trace", trace_id(1), 1, False)
    assert figures(project_of_both) == before  # as if it had never been there
    assert counts(other)[SPANS] == 3
    event = AuditEvent.objects.get(action="trace.erased")
    assert (event.actor, event.project, event.target) == (cast.ann, project_of_both, trace_id(1))
    again = client_of(cast, "ann").delete(f"/api/v1/projects/{project_of_both.pk}/traces/{trace_id(1)}")
    assert again.status_code == 404


def test_the_page_deletes_a_trace_for_those_who_may(cast: Cast, project: Project, counts: Counts) -> None:
    store_at(project, 1, NOON)
    address = f"/projects/{project.pk}/traces/{trace_id(1)}/"
    assert b"/delete/" not in client_of(cast, "bob").get(address).content
    assert client_of(cast, "bob").post(f"{address}delete/").status_code == 403
    assert client_of(cast, "charlie").post(f"{address}delete/").status_code == 404
    assert counts(project)[SPANS] == 3
    alice = client_of(cast, "alice")
    assert f'action="{address}delete/"'.encode() in alice.get(address).content

    answer = alice.post(f"{address}delete/", follow=True)

    assert f"The trace {trace_id(1)} is deleted." in answer.content.decode()
    assert counts(project)[SPANS] == 0
    assert alice.get(address).status_code == 404


def test_all_traces_of_a_user_go_whole(
    cast: Cast, project: Project, counts: Counts, django_capture_on_commit_callbacks: Any
) -> None:
    """Over days, months and quarters of an hour; a trace of two users too, whoever's name the summary has."""
    user = {**CALL, "user.id": "mina@example.com"}
    for number, days in enumerate((0, 1, 40)):
        store(
            project.pk,
            request_of(
                {10 + number: [Spanlet("root"), Spanlet("chat", 2, 1, attributes=user)]},
                ns(NOON - timedelta(days=days)),
            ),
        )
    shared = [Spanlet("root", attributes={"user.id": "zoe"}), Spanlet("chat", 2, 1, attributes=user)]
    store(project.pk, request_of({20: shared}, ns(NOON)))
    store_at(project, 1, NOON)
    assert counts(project)[SPANS] == 11
    alice = client_of(cast, "alice")

    with django_capture_on_commit_callbacks(execute=True):
        answer = alice.post(
            f"/api/v1/projects/{project.pk}/erasures",
            {"kind": "user", "value": "mina@example.com"},
            content_type="application/json",
        )

    assert answer.status_code == 202, answer.content
    receipt = alice.get(f"/api/v1/projects/{project.pk}/erasures/{answer.json()['id']}").json()
    assert receipt["finished_at"]
    assert (receipt["traces"], receipt["removed"][SPANS], sum(receipt["left"].values())) == (4, 8, 0)
    assert counts(project)[SPANS] == 3
    assert alice.get(f"/api/v1/projects/{project.pk}/erasures").json()["results"] == [receipt]
    text = alice.get(f"/projects/{project.pk}/data/").content.decode()
    assert "mina@example.com" in text


def test_a_session_goes_by_the_page(
    cast: Cast, project: Project, counts: Counts, django_capture_on_commit_callbacks: Any
) -> None:
    named = [Spanlet("root", attributes={"session.id": "s-1"})]
    store(project.pk, request_of({1: named, 2: [Spanlet("other")]}, ns(NOON)))
    alice = client_of(cast, "alice")
    address = f"/projects/{project.pk}/data/erase/"
    assert alice.post(address, {"kind": "session", "value": ""}).status_code == 422

    with django_capture_on_commit_callbacks(execute=True):
        assert alice.post(address, {"kind": "session", "value": "s-1"}).status_code == 302

    assert counts(project)[SPANS] == 1
    assert AuditEvent.objects.get(action="session.erased").target == "s-1"


def test_the_command_prints_the_recount(project: Project) -> None:
    fill(project)
    out = StringIO()

    call_command("erase", str(project.pk), "trace", trace_id(1).upper(), stdout=out)

    assert "Deleted 1 traces.\n" in out.getvalue()
    assert f"  {SPANS}: 3 rows, 0 left\n" in out.getvalue()
    with pytest.raises(CommandError, match="no trace id"):
        call_command("erase", str(project.pk), "trace", "x")


def test_one_that_failed_says_so_and_is_finished_later(project: Project, counts: Counts) -> None:
    fill(project)
    erasure = request_erasure(project=project, kind=ErasureKind.USER, value="user-1", actor=None)
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute("RENAME TABLE usage_quarters TO usage_gone")
        try:
            with pytest.raises(Error):
                carry_out(erasure)
        finally:
            cursor.execute("RENAME TABLE usage_gone TO usage_quarters")
    erasure.refresh_from_db()
    assert "usage_quarters" in erasure.error
    assert erasure.finished_at is None
    Erasure.objects.update(requested_at=NOON.replace(year=2026, month=1))

    finish_erasures()

    erasure.refresh_from_db()
    assert (erasure.error, erasure.left_rows, erasure.pending) == ("", 0, [])
    assert erasure.removed[SPANS] == 3
    assert counts(project)[SPANS] == 3


def test_usage_that_spans_went_on_arriving_for_is_counted_again(
    project: Project, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(project)
    monkeypatch.setattr(rollups, "IN_FLIGHT", timedelta(minutes=1))  # trace 2 came a moment ago
    erasure = request_erasure(project=project, kind=ErasureKind.TRACE, value=trace_id(1), actor=None)
    carry_out(erasure)
    assert erasure.recount
    monkeypatch.setattr(rollups, "IN_FLIGHT", timedelta(0))
    Erasure.objects.update(requested_at=NOON.replace(year=2026, month=1))

    finish_erasures()

    erasure.refresh_from_db()
    assert erasure.recount == []
    assert counts(project)[SPANS] == 3
