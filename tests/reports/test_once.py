"""A report of each period, to each recipient, once: through the tick, the count and the mail server."""

from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from guardrails import tasks
from guardrails.reports import services, unsubscribing
from guardrails.reports.delivery import attempts
from guardrails.reports.due import claim_due
from guardrails.reports.freezing import freeze
from guardrails.reports.models import Delivery, DeliveryState, Recipient, Report, ReportSchedule
from tests.cast import Cast

from .world import DUE, HOSTILE, MONDAY, Mailbox, weekly

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])
DAY = timedelta(days=1)


def run(now: datetime) -> list[UUID]:
    """What the tick and its tasks do, in this process."""
    claim_due(now)
    attempts.give_up_abandoned(now)
    made: list[UUID] = []
    while waiting := Report.objects.to_freeze(now).first():
        made += freeze(waiting.pk, now)
    for delivery_id in attempts.untold(now):
        attempts.deliver(delivery_id, lambda: now)
    return made


def states(report: Report) -> dict[str, str]:
    return dict(report.deliveries.values_list("address", "state"))


def test_the_week_is_sent_to_each_recipient_once(cast: Cast, mailbox: Mailbox) -> None:
    schedule = weekly(cast.organization, cast.project, cast.alice, cast.bob, formats=["pdf", "xlsx", "csv", "json"])

    run(DUE - timedelta(seconds=1))
    assert not Report.objects.exists()
    run(DUE)
    run(DUE)
    run(DUE + timedelta(minutes=1))

    report = Report.objects.get()
    assert states(report) == {"alice@example.com": "sent", "bob@example.com": "sent"}
    assert sorted(address for address, _raw in mailbox.raw) == ["alice@example.com", "bob@example.com"]
    assert (report.revision, report.is_late, report.tries) == (1, False, 0)
    schedule.refresh_from_db()
    assert schedule.due_at == DUE + 7 * DAY
    check_message(mailbox.messages()[0], report)
    check_resending(cast, mailbox, report)


def check_message(message: EmailMessage, report: Report) -> None:
    delivery = report.deliveries.get(address=message["To"])
    assert delivery.recipient is not None
    assert message["Subject"] == "Weekly · Alice's agents · Nov. 16, 2026 – Nov. 22, 2026 (2026-W47): 3 blocked"
    assert message["Message-ID"] == f"<report.{delivery.pk}@localhost>"
    assert message["List-Unsubscribe"] == f"<{unsubscribing.unsubscribe_link(delivery.recipient)}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Bcc"] is None
    alternative, *files = message.iter_parts()
    assert [part.get_content_type() for part in alternative.iter_parts()] == ["text/plain", "text/html"]
    assert [str(part.get_filename()).rpartition(".")[2] for part in files] == ["pdf", "xlsx", "csv", "json"]
    text, html = (part.get_content() for part in alternative.iter_parts())
    assert "Guardrails blocked 3 of 6 checks (50.0 %), 200 % more than before." in text
    assert "pii: Mode pre_call, Checks 4, Blocked 2, Change +100 %" in text
    assert "<img" not in html
    assert "#unsubscribe" not in html
    assert len(html.encode()) < 100_000


def check_resending(cast: Cast, mailbox: Mailbox, report: Report) -> None:
    """Byte by byte the same, and only because a person says so."""
    delivery = report.deliveries.get(address="bob@example.com")
    [first] = [raw for address, raw in mailbox.raw if address == "bob@example.com"]

    assert services.resend(delivery=delivery, actor=cast.alice, now=DUE + DAY)
    assert not services.resend(delivery=delivery, actor=cast.alice, now=DUE + DAY)
    run(DUE + DAY)

    assert mailbox.raw[-1] == ("bob@example.com", first)
    assert len(mailbox.raw) == 3
    assert len(Delivery.objects.get(pk=delivery.pk).attempts) == 2


def test_who_is_killed_while_sending_has_perhaps_sent(cast: Cast, mailbox: Mailbox) -> None:
    weekly(cast.organization, cast.project, cast.alice)
    claim_due(DUE)
    [delivery_id] = freeze(Report.objects.get().pk, DUE)
    assert attempts.claim(delivery_id, DUE) is not None  # and here it ends

    assert attempts.claim(delivery_id, DUE) is None
    run(DUE + attempts.LEASE - timedelta(seconds=1))
    assert Delivery.objects.get().state == DeliveryState.SENDING
    run(DUE + attempts.LEASE)
    run(DUE + DAY)

    assert Delivery.objects.get().state == DeliveryState.PERHAPS
    assert mailbox.raw == []


def test_a_server_that_falls_silent_after_it_has_the_message(cast: Cast, mailbox: Mailbox) -> None:
    weekly(cast.organization, cast.project, cast.alice)
    mailbox.answer = lambda address: ""

    run(DUE)
    run(DUE + DAY)

    assert Delivery.objects.get().state == DeliveryState.PERHAPS
    assert len(mailbox.raw) == 1


def test_who_is_refused_is_tried_again_and_given_up(cast: Cast, mailbox: Mailbox) -> None:
    weekly(cast.organization, cast.project, cast.alice, cast.bob)
    answers = {"alice@example.com": "451 later", "bob@example.com": "550 no such mailbox"}
    mailbox.answer = answers.__getitem__

    run(DUE)
    report = Report.objects.get()
    assert states(report) == {"alice@example.com": "failed", "bob@example.com": "dead"}
    assert "550 no such mailbox" in report.deliveries.get(state="dead").attempts[0]["said"]
    waits = []
    for _ in range(20):
        delivery = report.deliveries.get(address="alice@example.com")
        if delivery.state != DeliveryState.FAILED:
            break
        waits.append(delivery.due_at - datetime.fromisoformat(delivery.attempts[-1]["until"]))
        Delivery.objects.filter(pk=delivery.pk).update(due_at=DUE)
        attempts.deliver(delivery.pk, lambda: DUE)

    assert delivery.state == DeliveryState.DEAD
    assert len(delivery.attempts) == attempts.MOST_FAILURES
    assert timedelta(seconds=30) <= waits[0] <= timedelta(seconds=90)
    assert all(timedelta(minutes=30) <= wait <= timedelta(minutes=90) for wait in waits[6:])


def test_who_made_the_schedule_hears_of_what_was_given_up(
    cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "tell", lambda task, row_id: task(str(row_id)))
    schedule = weekly(cast.organization, cast.project, cast.bob)
    ReportSchedule.objects.filter(pk=schedule.pk).update(created_by=cast.alice)
    claim_due(DUE)
    [delivery_id] = freeze(Report.objects.get().pk, DUE)
    mailbox.answer = lambda address: "550 no such mailbox" if address == "bob@example.com" else "250 OK"

    tasks.deliver_report(str(delivery_id))

    [told] = mailbox.messages()
    assert (told["To"], told["Subject"]) == ("alice@example.com", "A report could not be delivered")
    assert "“Weekly” did not reach bob@example.com" in told.get_content()
    assert "550 no such mailbox" in told.get_content()


def test_the_mail_server_is_away(cast: Cast, mailbox: Mailbox, settings: Any) -> None:
    weekly(cast.organization, cast.project, cast.alice)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9  # the discard port

    run(DUE)
    assert Delivery.objects.get().state == DeliveryState.FAILED
    settings.EMAIL_PORT = port
    Delivery.objects.update(due_at=DUE)
    run(DUE + timedelta(minutes=5))

    assert Delivery.objects.get().state == DeliveryState.SENT
    assert len(mailbox.raw) == 1


@pytest.mark.asks_anew
def test_clickhouse_is_away_when_a_report_is_due(
    cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    weekly(cast.organization, cast.project, cast.alice)
    from django.db import connections

    with monkeypatch.context() as patch:
        patch.setitem(connections.settings["clickhouse"], "PORT", 9)
        run(DUE)
        report = Report.objects.get()
        assert report.figures is None
        assert "cannot be reached" in report.problem
        assert not report.files.exists()
    run(DUE + timedelta(seconds=59))
    assert mailbox.raw == []
    run(DUE + timedelta(seconds=60))

    report.refresh_from_db()
    assert (report.problem, len(mailbox.raw)) == ("", 1)


def test_missed_days_are_caught_up_in_order_and_marked_late(cast: Cast, mailbox: Mailbox) -> None:
    weekly(cast.organization, cast.project, cast.alice, frequency="daily", catch_up=2)
    now = DUE + timedelta(hours=1)

    run(now)

    reports = list(Report.objects.order_by("period_start"))
    assert [str(report.period.first) for report in reports] == ["2026-11-21", "2026-11-22"]
    assert [report.is_late for report in reports] == [True, True]
    subjects = [message["Subject"] for message in mailbox.messages()]
    assert ["Nov. 21" in subject for subject in subjects] == [True, False]
    assert "Late: the portal was not running" in mailbox.raw[0][1].decode()
    run(now + DAY)
    assert Report.objects.count() == 3


def test_a_period_is_reported_once_whoever_makes_it(cast: Cast, mailbox: Mailbox) -> None:
    schedule = weekly(cast.organization, cast.project, cast.alice)
    report = services.send_now(schedule=schedule, actor=cast.alice, now=DUE - timedelta(hours=2))

    with pytest.raises(ValidationError, match="made already"):
        services.send_now(schedule=schedule, actor=cast.alice, now=DUE - timedelta(hours=1))
    run(DUE + timedelta(hours=1))

    assert Report.objects.get() == report
    assert len(mailbox.raw) == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Report.objects.create(
            schedule=schedule,
            period_start=report.period_start,
            period_end=report.period_end,
            timezone="UTC",
            due_at=DUE,
        )
    corrected = services.correct(report=report, actor=cast.alice, now=DUE + DAY)
    run(DUE + DAY)
    assert corrected.revision == 2
    assert "Corrected, version 2" in mailbox.raw[-1][1].decode()


def test_paused_schedules_send_nothing_and_go_on_with_the_running_period(cast: Cast, mailbox: Mailbox) -> None:
    schedule = weekly(cast.organization, cast.project, cast.alice, frequency="daily")
    services.pause(schedule=schedule, actor=cast.alice, now=MONDAY)

    run(DUE)
    services.resume(schedule=schedule, actor=cast.alice, now=DUE)
    run(DUE)
    assert mailbox.raw == []
    run(DUE + DAY)

    assert str(Report.objects.get().period.first) == "2026-11-23"


def test_a_schedule_that_cannot_be_read_holds_up_no_other(cast: Cast, mailbox: Mailbox) -> None:
    broken = weekly(cast.organization, cast.project, cast.bob, name="Broken")
    weekly(cast.organization, cast.project, cast.alice)
    ReportSchedule.objects.filter(pk=broken.pk).update(timezone="No/Where", due_at=MONDAY)

    run(DUE)

    assert [address for address, _raw in mailbox.raw] == ["alice@example.com"]


def test_who_left_or_unsubscribed_meanwhile_gets_nothing(cast: Cast, mailbox: Mailbox) -> None:
    schedule = weekly(cast.organization, cast.project, cast.alice, cast.bob, cast.bo)
    claim_due(DUE)
    freeze(Report.objects.get().pk, DUE)
    cast.bob.memberships.all().delete()
    unsubscribing.unsubscribe(schedule.recipients.get(user=cast.bo), DUE)

    run(DUE)

    withdrawn = {"bob@example.com": "withdrawn", "bo@example.com": "withdrawn"}
    assert states(Report.objects.get()) == {"alice@example.com": "sent", **withdrawn}
    assert len(mailbox.raw) == 1


def test_a_project_that_was_deleted_is_reported_to_nobody(cast: Cast, mailbox: Mailbox) -> None:
    weekly(cast.organization, cast.project, cast.alice)
    claim_due(DUE)
    freeze(Report.objects.get().pk, DUE)
    cast.project.deleted_at = DUE
    cast.project.save()

    run(DUE)
    run(DUE + 7 * DAY)

    assert (Report.objects.count(), mailbox.raw) == (1, [])


def test_strangers_are_asked_before_they_get_anything(cast: Cast, mailbox: Mailbox) -> None:
    schedule = weekly(cast.organization, cast.project)
    addresses = {"email": ["Partner@Example.com", "bob@example.com"]}
    asked = services.set_recipients(schedule=schedule, members=[], addresses=addresses, actor=cast.alice, now=MONDAY)

    assert [each.address for each in asked if each.confirmed_at is None] == ["partner@example.com"]
    run(DUE)
    assert [address for address, _raw in mailbox.raw] == ["bob@example.com"]
    unsubscribing.confirm(Recipient.objects.get(address="partner@example.com"), DUE)
    run(DUE + 7 * DAY)
    assert sorted(address for address, _raw in mailbox.raw[1:]) == ["bob@example.com", "partner@example.com"]


def test_a_week_without_anything_is_short_or_not_sent(cast: Cast, mailbox: Mailbox) -> None:
    weekly(cast.foreign_organization, cast.foreign_project, cast.charlie)
    weekly(cast.foreign_organization, cast.foreign_project, cast.charlie, name="Quiet", sends_empty=False)

    run(DUE)

    [message] = mailbox.messages()
    assert message["Subject"].endswith("nothing happened")
    assert Report.objects.frozen().count() == 2


def test_names_of_strangers_are_text_in_every_form(cast: Cast, mailbox: Mailbox) -> None:
    weekly(cast.organization, cast.project, cast.alice, name="{{ 7 }} <b>", language="ko", formats=["csv"])

    run(DUE)

    [message] = mailbox.messages()
    parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    assert "가드레일" in parts["text/plain"]
    shown = " ".join(HOSTILE.split())[:79]
    assert shown in parts["text/plain"]
    assert "<img" not in parts["text/html"]
    assert "{{ 7 }} &lt;b&gt;" in parts["text/html"]
    assert parts["text/csv"].startswith("\ufeff")
