"""Alice's project with one of everything, and all who may ask for it: what the tests of every address stand on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.utils import timezone
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from guardrails.enforcement.models import Limit, Rule
from guardrails.incidents.changes import open_incident
from guardrails.incidents.models import Incident
from guardrails.policies.services import create_policy
from guardrails.reports import unsubscribing
from guardrails.reports.models import Delivery, Recipient, Report, ReportFile
from guardrails.reports.services import create_schedule, set_recipients
from guardrails.reviews.models import Review
from guardrails.reviews.services import give_review
from projects import credentials
from projects.joining import token_of
from projects.models import Invitation, Project, Role
from projects.services import create_api_key
from tests.browser import browser
from tests.cast import Cast, make_cast
from tests.kept import give
from tests.pages.spans import Spanlet, request_of, span_id, store, trace_id
from traces.ingest.agents import Agent, AgentRun, AgentType
from traces.ingest.uploads import add_object, add_to_log
from traces.lifecycle.erasure.records import Erasure
from traces.reading.sharing import share_trace
from traces.store.calls.records import SameCalls
from traces.store.queries.guardrail_sample import Run
from traces.store.queries.person_keys import person_key

# The columns of the table: nobody, the owner of another organization, a key of theirs, the four roles, two keys of the
# project.
ACTORS = ("nobody", "charlie", "theirs", "bo", "bob", "ann", "alice", "read", "ingest")
START = "2026-11-23T00:00:00Z"
END = "2026-11-24T00:00:00Z"
NOON_NS = 1_795_435_200 * 10**9  # 2026-11-23T12:00:00Z
CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 8,
    "gen_ai.prompt.0.content": "Where is Jeju?",
    "session.id": "session-1",
    "user.id": "user-1",
    "agent.name": "Researcher",
}
# A trace of a session with an agent, a call, a tool, a guardrail and a failure.
SPANS = [
    Spanlet("run", end=500, attributes={"agentops.span.kind": "session"}),
    Spanlet("ask", id=2, parent=1, start=10, end=200, attributes=CHAT),
    Spanlet("search", id=3, parent=1, start=210, attributes={"agentops.span.kind": "tool", "tool.name": "search"}),
    Spanlet("fail", id=4, parent=1, start=220, end=230, status=2, message="no such city"),
]


@dataclass
class World:
    """`values` fill the placeholders of addresses and bodies; `clients` are the ACTORS."""

    cast: Cast
    values: dict[str, str]
    clients: dict[str, Client] = field(default_factory=dict)

    def ask(self, actor: str, method: str, address: str, body: Any = None) -> HttpResponseBase:
        """The answer. Whatever the request changed in PostgreSQL is undone."""
        client = self.clients[actor]
        cookies = copy(client.cookies)
        sent: dict[str, Any] = {"headers": {"Trace-Id": "1"}}  # which log uploads need
        if body is not None:
            sent |= {"data": body, "content_type": "application/json"}
        with undone():
            answer: HttpResponseBase = getattr(client, method.lower())(address, **sent)
            if answer.streaming:
                list(answer)
        client.cookies = cookies
        return answer


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    credentials.forget()  # what is remembered of keys that were made or revoked within


def apart(project: Project, request: ExportTraceServiceRequest) -> None:
    """Spans that no other test reads: for a test that stores more, or deletes."""
    store(project.pk, request)


def make_world(keep: Callable[[Project, ExportTraceServiceRequest], None] = give) -> World:
    """`keep` puts the spans into Alice's project; as it is, they are those of other tests, too."""
    cast = make_cast()
    project = cast.project
    keep(project, request_of({1: SPANS}, NOON_NS))
    keys = {name: create_api_key(project=project, name=name, scopes=[name]) for name in ("read", "ingest")}
    keys["theirs"] = create_api_key(project=cast.foreign_project, name="theirs")
    spare = create_api_key(project=project, name="spare")
    invitation = Invitation.objects.create(
        organization=cast.organization, email="new@example.com", role=Role.DEVELOPER, inviter=cast.alice
    )
    shared = share_trace(project=project, trace_id=trace_id(1), days=1, actor=cast.alice)
    add_to_log(project=project, trace_id=trace_id(1), content=b"2026-11-23 12:00:00,000 - INFO - hello")
    uploaded = add_object(project=project, content=b"an object")
    agent = Agent.objects.create(project=project, name="Registered", type=AgentType.CUSTOM)
    run = AgentRun.objects.create(agent=agent, trace_id=trace_id(9), span_id=span_id(9), start_ns=NOON_NS)
    erased = Erasure.objects.create(project=project, kind="user", value="user-9")
    pair = SameCalls.objects.create(project=project, service="app", other="proxy", calls=20, other_calls=20, same=20)
    report, recipient = _reported(cast)
    incident = _incident(cast)
    review = _review(cast)
    owner = {"organization": cast.organization, "project": project}
    values = {
        "policy": str(incident.policy_id),
        "incident": str(incident.pk),
        "review": str(review.pk),
        "check": review.run_key,
        "rule": str(Rule.objects.create(name="Personal data", **owner).pk),
        "limit": str(Limit.objects.create(name="Budget", **owner).pk),
        "schedule": str(report.schedule_id),
        "report": str(report.pk),
        "delivery": str(report.deliveries.get().pk),
        "recipient": str(recipient.pk),
        "confirm": unsubscribing.token_of(recipient, unsubscribing.CONFIRM),
        "unsubscribe": unsubscribing.token_of(recipient, unsubscribing.UNSUBSCRIBE),
        "project": str(project.pk),
        "organization": str(cast.organization.pk),
        "key": str(spare.key.pk),
        "secret": spare.secret,
        "trace": trace_id(1),
        "gone": trace_id(404),
        "erasure": str(erased.pk),
        "pair": str(pair.pk),
        "span": span_id(2),
        "member": str(cast.bob.pk),
        "email": invitation.email,
        "invitation": str(invitation.pk),
        "join": token_of(invitation),
        "link": str(shared.link.pk),
        "token": shared.token,
        "registered": str(agent.pk),
        "run": run.trace_id,
        "object": str(uploaded.pk),
        "agent": "Researcher",
        "session": person_key("session-1"),
        "user": person_key("user-1"),
        "range": f"start={START}&end={END}",
        "times": f"start_time={START}&end_time={END}",
    }
    clients = {"nobody": browser()}
    for name in ("charlie", "bo", "bob", "ann", "alice"):
        clients[name] = browser()
        clients[name].force_login(cast[name])
    for name, issued in keys.items():
        clients[name] = Client(headers={"x-api-key": issued.secret})
    return World(cast, values, clients)


def _incident(cast: Cast) -> Incident:
    """An open one, of a policy of the project."""
    now = timezone.now()
    values = {"name": "Errors", "kind": "error_rate", "window": "5m", "threshold": "0.5"}
    policy = create_policy(
        organization=cast.organization, project=cast.project, values=values, actor=cast.alice, now=now
    )
    amounts: dict[str, Any] = {"value": Decimal(1), "threshold": policy.threshold, "window_start": now, "moment": now}
    incident = open_incident(policy=policy, project=cast.project, subject="", severity="warning", **amounts)
    assert incident is not None
    return incident


def _review(cast: Cast) -> Review:
    """Bob's, of a run whose span is there no more."""
    run = Run(f"{NOON_NS}-{'0' * 32}", trace_id(1), span_id(7), "pii", "pre_call", "input", "blocked", "", NOON_NS, 1)
    return give_review(project=cast.project, run=run, reviewer=cast.bob, verdict="wrong", note="")[0]


def _reported(cast: Cast) -> tuple[Report, Recipient]:
    """A schedule of the project with a report that was given up, and a stranger who is asked."""
    now = timezone.now()
    schedule = create_schedule(
        organization=cast.organization, project=cast.project, values={"name": "Weekly"}, actor=cast.alice, now=now
    )
    asked = set_recipients(
        schedule=schedule, members=[], addresses={"email": ["partner@example.org"]}, actor=cast.alice, now=now
    )
    period = schedule.rhythm.previous(schedule.next_period)
    report = Report.objects.create(
        schedule=schedule, period_start=period.start, period_end=period.end, timezone="UTC", due_at=now
    )
    ReportFile.objects.create(report=report, kind="csv", name="weekly.csv", content=b"Weekly")
    Delivery.objects.create(report=report, recipient=asked[0], channel="email", address=asked[0].address, state="dead")
    return report, asked[0]
