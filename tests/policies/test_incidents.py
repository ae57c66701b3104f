"""Who is told of an incident, how often, and what people do about it."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import orjson
import pytest
from django.db import IntegrityError, connection, transaction
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook

from guardrails.incidents import changes
from guardrails.incidents.messages import OUTBOX, secrets_of
from guardrails.incidents.models import Contact, Incident, Notice, Notification
from guardrails.incidents.notices import MOST_AN_HOUR, group_notices
from guardrails.policies import services
from guardrails.policies.deciding import QUIET, Reading, Standing, Step, decide
from guardrails.policies.evaluation import evaluate_due
from guardrails.policies.models import Policy
from projects.models import AuditEvent
from tests.cast import Cast, make_cast
from tests.reports.world import HOSTILE, Mailbox

from .world import at, policy, start_clock

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def tell(minute: int) -> None:
    """What the tick and its tasks do after the evaluation, in this process."""
    group_notices(at(minute))
    OUTBOX.give_up_abandoned(at(minute))
    for notification_id in OUTBOX.untold(at(minute)):
        OUTBOX.deliver(notification_id, lambda: at(minute))


def run(minute: int) -> None:
    evaluate_due(at(minute))
    tell(minute)


def opened(of: Policy, cast: Cast, minute: int = 13, subject: str = "", value: str = "0.6") -> Incident:
    incident = changes.open_incident(
        policy=of,
        project=cast.project,
        subject=subject,
        severity=of.severity,
        value=Decimal(value),
        threshold=of.threshold,
        window_start=at(minute - 5),
        moment=at(minute),
    )
    assert incident is not None
    return incident


def test_who_is_told_hears_once_that_it_opened_and_once_that_it_ended(cast: Cast, mailbox: Mailbox) -> None:
    """From the error rate to the mail server: two policies that open in one minute are one message."""
    rule: dict[str, Any] = {"threshold": Decimal("0.5"), "resolve_at": Decimal("0.2"), "min_volume": 5}
    policy(cast, "error_rate", cast.bob, **rule)
    policy(cast, "error_rate", cast.bob, cast.ann, name="Also", severity="critical", **rule)
    start_clock(11)

    run(12)
    assert mailbox.raw == []
    for minute in (13, 13, 14, 19, 19, 20):
        run(minute)

    told = [(message["To"], message["Subject"].strip()) for message in mailbox.messages()]
    opening, ending = "Alice's agents: Error rate 60.0 % (limit 50.0 %)", "Alice's agents: Error rate is back, 20.0 % "
    assert sorted(told) == [
        ("ann@example.com", f"Incident: {opening}"),
        ("ann@example.com", f"Resolved: {ending}(limit 50.0 %)"),
        ("bob@example.com", f"2 incident events: {opening}"),
        ("bob@example.com", f"2 incident events: {ending}(limit 50.0 %)"),
    ]
    incident = Incident.objects.get(policy__name="Also")
    body = next(each for each in mailbox.messages() if each["To"] == "ann@example.com").get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert f"/projects/{cast.project.pk}/incidents/{incident.pk}/" in text
    assert "/traces/?start=2026-11-23T11:08:00Z&end=2026-11-23T11:13:00Z&status=error" in text
    assert "Counted over: 5 minutes" in text
    check_kept_notices()


def check_kept_notices() -> None:
    """Whatever makes another of an event and a contact."""
    notice = Notice.objects.select_related("event", "contact").first()
    assert notice is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.create(event=notice.event, contact=notice.contact)


def test_names_of_strangers_are_text(cast: Cast, mailbox: Mailbox) -> None:
    of = policy(cast, "cost_budget", cast.alice, window="day", dimension="user", name="{{ 7 }} <b>")
    subject = " ".join(HOSTILE.split())
    opened(of, cast, subject=subject, value="3.5")

    tell(13)

    [message] = mailbox.messages()
    assert message["Bcc"] is None
    parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    assert f"Cost budget ({subject}) $3.50 (limit $1.00)" in parts["text/plain"]
    assert "Policy: {{ 7 }} <b>" in parts["text/plain"]
    assert "<img" not in parts["text/html"]
    assert "{{ 7 }} &lt;b&gt;" in parts["text/html"]


def test_slack_teams_and_a_signed_webhook(cast: Cast, httpserver: HTTPServer, settings: Any) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = True
    of = policy(cast, "error_rate", threshold=Decimal("0.5"))
    for channel in ("slack", "teams", "webhook"):
        httpserver.expect_request(f"/{channel}").respond_with_data("ok")
    hooks = {channel: [httpserver.url_for(f"/{channel}")] for channel in ("slack", "teams", "webhook")}
    new = services.set_contacts(policy=of, members=[], hooks=hooks, actor=cast.alice, now=at(0))
    opened(of, cast)

    tell(13)
    tell(14)

    sent = {request.path: request for request, _answer in httpserver.log}
    assert len(httpserver.log) == 3
    slack, teams = (orjson.loads(sent[path].data) for path in ("/slack", "/teams"))
    headline = "Alice's agents: Error rate 60.0 % (limit 50.0 %)"
    assert slack["text"] == f"Incident: {headline}"
    assert f"*{headline}*" in slack["blocks"][1]["text"]["text"]
    [card] = [each["content"] for each in teams["attachments"]]
    assert [each["text"] for each in card["body"] if each["type"] == "TextBlock"][1] == (
        "Alice's agents: Error rate 60.0 % \\(limit 50.0 %\\)"
    )
    request = sent["/webhook"]
    [contact] = [each for each in new if each.channel == "webhook"]
    body = Webhook(secrets_of(contact)[0]).verify(request.data, dict(request.headers))
    [event] = body["data"]["events"]
    assert (event["event"], event["value"], event["threshold"]) == ("opened", "0.6", "0.5")
    assert event["project"]["id"] == str(cast.project.pk)
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    changes.end(Incident.objects.get(), at(20))
    tell(20)
    refused = Notification.objects.filter(state="dead")
    assert refused.count() == 3
    assert len(httpserver.log) == 3


def test_muted_policies_and_who_left_are_not_told_and_too_many_wait(cast: Cast, mailbox: Mailbox) -> None:
    muted = policy(cast, "no_data", cast.alice)
    services.mute(policy=muted, until=at(30), actor=cast.alice)
    opened(muted, cast)
    left = policy(cast, "coverage", cast.bob, threshold=Decimal("0.5"))
    opened(left, cast)
    cast.bob.memberships.all().delete()
    tell(13)
    assert mailbox.raw == []
    assert [each.state for each in Notification.objects.all()] == ["withdrawn"]

    busy = policy(cast, "cost_budget", cast.ann, window="day", dimension="user")
    for number in range(MOST_AN_HOUR + 3):
        opened(busy, cast, subject=f"user-{number}")
        tell(20 + number)
    assert len(mailbox.raw) == MOST_AN_HOUR
    tell(90)
    assert mailbox.messages()[-1]["Subject"].strip().startswith("3 incident events: ")


def test_never_two_for_one_policy_and_subject(cast: Cast) -> None:
    of = policy(cast, "error_rate", cool_down_minutes=5)
    incident = opened(of, cast)

    again = dict.fromkeys(("value", "threshold"), Decimal("0.5"))
    common: dict[str, Any] = {"policy": of, "project": cast.project, "severity": "info", **again}
    assert changes.open_incident(**common, subject="", window_start=at(0), moment=at(14)) is None
    assert changes.open_incident(**common, subject="other", window_start=at(0), moment=at(14)) is not None
    assert changes.acknowledge(incident, at(14), actor=cast.bob, note="mine\r\nBcc: x")
    assert not changes.acknowledge(incident, at(15), actor=cast.ann)
    assert changes.open_incident(**common, subject="", window_start=at(0), moment=at(15)) is None
    assert changes.end(incident, at(16), actor=cast.bob, note="deployed")
    assert not changes.end(incident, at(17))
    timeline = [(each.kind, each.actor, each.note) for each in incident.events.all()]
    assert timeline == [
        ("opened", None, ""),
        ("acknowledged", cast.bob, "mine Bcc: x"),
        ("resolved", cast.bob, "deployed"),
    ]
    actions = AuditEvent.objects.filter(actor=cast.bob).values_list("action", flat=True)
    assert set(actions) == {"incident.acknowledged", "incident.resolved"}


def test_rules() -> None:
    """Hysteresis, cool-down, volume, hours and levels, without a store."""
    rule = Policy(kind="error_rate", threshold=Decimal("0.5"), resolve_at=Decimal("0.2"), min_volume=5, window="5m")
    rule.severity = "critical"
    start, now = at(0), at(5)

    def after(value: str | None, standing: Standing = Standing(), volume: int = 5) -> Step | None:  # noqa: B008
        amount = None if value is None else Decimal(value)
        return decide(rule, Reading(amount, start, volume), standing, now)

    going_on = Standing("critical")
    assert after("0.5") == Step("opened", "critical", Decimal("0.5"))
    assert after("0.5", volume=4) is None
    assert after("0.49") is None
    assert after("0.21", going_on) is None
    assert after("0.2", going_on) == Step("resolved")
    assert after(None, going_on, 0) == Step("resolved", reason=QUIET)
    assert after("0.9", Standing(ended_at=at(-9))) is None
    assert after("0.9", Standing(ended_at=at(-10))) is not None
    rule.weekdays, rule.timezone = [1], "Asia/Seoul"  # it is Monday, 20:05
    for hours, opens in (((9, 18), False), ((20, 21), True), ((22, 6), False), ((19, 3), True)):
        rule.from_hour, rule.until_hour = hours
        assert (after("0.9") is not None) is opens
    budget = Policy(kind="cost_budget", threshold=Decimal(10), warn_at=Decimal(8), window="day", severity="critical")
    assert decide(budget, Reading(Decimal(8), start), Standing(), now) == Step("opened", "warning", Decimal(8))
    assert decide(budget, Reading(Decimal(10), start), Standing("warning"), now) == Step(
        "escalated", "critical", Decimal(10)
    )
    assert decide(budget, Reading(Decimal(9), start), Standing("critical"), now) is None


@pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
def test_many_workers_at_once() -> None:
    """Threads with connections of their own: one opens the incident, one evaluates the minute, one tells."""
    cast = make_cast()
    of = policy(cast, "no_data", cast.alice)
    start_clock(40)
    barrier = Barrier(6)

    def at_once(number: int) -> tuple[bool, int, int]:
        try:
            barrier.wait()
            incident = changes.open_incident(
                policy=of,
                project=cast.project,
                subject="",
                severity="info",
                value=Decimal(0),
                threshold=Decimal(1),
                window_start=at(35),
                moment=at(40),
            )
            barrier.wait()
            done = evaluate_due(at(43))
            barrier.wait()
            return incident is not None, done, len(group_notices(at(43)))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(at_once, range(6)))

    assert sorted(opened for opened, _done, _told in results) == [False] * 5 + [True]
    assert sum(done for _opened, done, _told in results) == 3
    assert sum(told for _opened, _done, told in results) == 1
    assert Incident.objects.get().seen_at == at(43)
    assert Contact.objects.get().notifications.count() == 1
