"""What people do with reports in the browser, and who may."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from guardrails import tasks
from guardrails.reports import unsubscribing
from guardrails.reports.delivery.hooks import secrets_of
from guardrails.reports.due import claim_due
from guardrails.reports.freezing import freeze
from guardrails.reports.models import Delivery, Recipient, Report, ReportSchedule
from guardrails.reports.sample import make_sample
from projects.models import AuditEvent
from tests.browser import signed_in
from tests.cast import Cast

from .world import DUE, HOSTILE, MONDAY, Mailbox, weekly

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

FILLED: dict[str, Any] = {
    "of": "project",
    "name": "Our week",
    "frequency": "weekly",
    "weekday": "3",
    "day": "1",
    "hour": "9",
    "timezone": "Asia/Seoul",
    "language": "ko",
    "sections": ["guardrails", "coverage"],
    "formats": ["pdf", "csv"],
    "emails": "Partner@example.org, bob@example.com",
    "catch_up": "3",
    "grace_minutes": "15",
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks of which workers were told, by name; they run at once."""
    names: list[str] = []

    def run(task: Any, *arguments: Any) -> None:
        names.append(task.name.removeprefix("guardrails."))
        task(*map(str, arguments))

    monkeypatch.setattr(tasks, "tell", run)
    return names


def page(cast: Cast, name: str, *arguments: Any) -> str:
    return reverse(f"report-{name}", args=(cast.project.pk, *arguments))


def test_a_schedule_is_made_changed_and_removed(cast: Cast, mailbox: Mailbox, told: list[str]) -> None:
    ann = signed_in(cast.ann)
    members = [str(cast.ann.pk)]

    made = ann.post(page(cast, "schedule-new"), {**FILLED, "members": members})

    assert (made.status_code, made["Location"]) == (302, page(cast, "list"))
    schedule = ReportSchedule.objects.get()
    assert (schedule.name, schedule.weekday, schedule.hour, schedule.language) == ("Our week", 3, 9, "ko")
    assert (schedule.sections, schedule.formats) == (["guardrails", "coverage"], ["pdf", "csv"])
    assert schedule.sends_empty is False
    assert schedule.due_at > timezone.now()
    people = schedule.recipients.order_by("address")
    assert [(each.address, each.user_id, each.confirmed_at is None) for each in people] == [
        ("ann@example.com", cast.ann.pk, False),
        ("bob@example.com", cast.bob.pk, False),
        ("partner@example.org", None, True),
    ]
    [(asked, _raw)] = mailbox.raw
    assert asked == "partner@example.org"
    assert unsubscribing.confirm_link(schedule.recipients.get(user=None)) in mailbox.messages()[0].get_content()
    listed = ann.get(page(cast, "list")).content.decode()
    assert "Our week" in listed
    assert "Every week, Wednesday, 09:00 Asia/Seoul" in listed
    assert "partner@example.org" not in listed
    assert "partner@example.org has not said yes yet." in ann.get(page(cast, "schedule", schedule.pk)).content.decode()

    ann.post(page(cast, "schedule", schedule.pk), {**FILLED, "name": "Renamed", "hour": "7", "emails": ""})
    schedule.refresh_from_db()
    assert (schedule.name, schedule.hour, schedule.recipients.count()) == ("Renamed", 7, 0)
    ann.post(page(cast, "schedule-delete", schedule.pk))
    assert not ReportSchedule.objects.exists()
    assert list(AuditEvent.objects.filter(action__startswith="report").values_list("action", flat=True)) == [
        "report_schedule.deleted",
        "report_schedule.recipients",
        "report_schedule.changed",
        "report_schedule.recipients",
        "report_schedule.created",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "two\nlines"), ("timezone", "No/Where"), ("emails", "no address"), ("day", "32")],
)
def test_what_does_not_fit_is_said_and_nothing_is_made(cast: Cast, field: str, value: str) -> None:
    answer = signed_in(cast.alice).post(page(cast, "schedule-new"), {**FILLED, field: value})

    assert answer.status_code == 422
    assert not ReportSchedule.objects.exists()


def test_the_preview_shows_the_last_period_with_what_the_form_says(cast: Cast) -> None:
    alice = signed_in(cast.alice)

    whole = alice.post(page(cast, "preview"), FILLED, headers={"X-Fragment": "1"}).content.decode()
    faulty = alice.post(page(cast, "preview"), {**FILLED, "name": ""}, headers={"X-Fragment": "1"}).content.decode()

    assert '<div lang="ko">' in whole
    assert "Our week" in whole
    assert "<html" not in whole
    assert "The preview comes when the form is filled in" in faulty
    assert not ReportSchedule.objects.exists()


def frozen(cast: Cast, **values: Any) -> Report:
    weekly(cast.organization, cast.project, cast.alice, **values)
    claim_due(DUE)
    report = Report.objects.get()
    freeze(report.pk, DUE)
    report.refresh_from_db()
    return report


def test_a_report_is_read_by_members_and_sent_again_by_administrators(
    cast: Cast, mailbox: Mailbox, told: list[str]
) -> None:
    report = frozen(cast, formats=["csv"])
    delivery = report.deliveries.get()

    seen = signed_in(cast.bo).get(page(cast, "detail", report.pk)).content.decode()
    file = signed_in(cast.bo).get(page(cast, "file", report.pk, "csv"))
    alice = signed_in(cast.alice)
    owners = alice.get(page(cast, "detail", report.pk)).content.decode()

    assert "Guardrails blocked 3 of 6 checks (50.0 %), 200 % more than before." in seen
    assert "<img src=x" not in seen
    assert "alice@example.com" not in seen
    assert "alice@example.com" in owners
    assert file.content == bytes(report.files.get(kind="csv").content)
    assert alice.get(page(cast, "file", report.pk, "html")).status_code == 404
    period = "start=2026-11-15T15:00:00Z&amp;end=2026-11-22T15:00:00Z"
    assert (
        f"{settings.PORTAL_URL}{reverse('trace-list', args=[cast.project.pk])}?{period}&amp;guardrail=blocked" in seen
    )
    tasks.deliver_report(str(delivery.pk))
    Delivery.objects.update(state="perhaps")
    alice.post(page(cast, "delivery-resend", report.pk, delivery.pk))
    assert [address for address, _raw in mailbox.raw] == ["alice@example.com"] * 2
    corrected = alice.post(page(cast, "correct", report.pk))
    assert corrected["Location"] == page(cast, "detail", Report.objects.get(revision=2).pk)
    assert told == ["deliver_report", "make_report", "deliver_report"]


def test_a_portal_that_sends_no_e_mail_says_so(cast: Cast, told: list[str]) -> None:
    schedule = weekly(cast.organization, cast.project, now=timezone.now())
    alice = signed_in(cast.alice)
    words = "This portal sends no e-mail until EMAIL_URL is set."

    assert words in alice.get(page(cast, "list")).content.decode()
    assert words in alice.post(page(cast, "schedule-test", schedule.pk), follow=True).content.decode()
    assert told == []


def test_tests_pauses_and_sending_now(cast: Cast, mailbox: Mailbox, told: list[str]) -> None:
    schedule = weekly(cast.organization, cast.project, cast.bob, now=timezone.now())
    alice = signed_in(cast.alice)

    alice.post(page(cast, "schedule-test", schedule.pk))
    assert [message["To"] for message in mailbox.messages()] == ["alice@example.com"]
    assert mailbox.messages()[0]["Subject"].startswith("Test: Weekly")
    assert not Report.objects.exists()
    alice.post(page(cast, "schedule-pause", schedule.pk))
    assert "Paused" in alice.get(page(cast, "list")).content.decode()
    alice.post(page(cast, "schedule-resume", schedule.pk))
    sent = alice.post(page(cast, "schedule-send", schedule.pk), follow=True)
    assert "The report is being made" in sent.content.decode()
    again = alice.post(page(cast, "schedule-send", schedule.pk), follow=True)
    assert "was made already" in again.content.decode()
    assert Report.objects.count() == 1


def test_the_links_in_e_mails_need_no_account_and_change_nothing_when_opened(cast: Cast) -> None:
    schedule = weekly(cast.organization, cast.project)
    recipient = Recipient.objects.create(schedule=schedule, address="partner@example.org")
    visitor = Client(enforce_csrf_checks=True)
    confirm, leave = (
        address.removeprefix(settings.PORTAL_URL)
        for address in (unsubscribing.confirm_link(recipient), unsubscribing.unsubscribe_link(recipient))
    )

    assert "Do you want these reports?" in visitor.get(confirm).content.decode()
    assert visitor.post(leave.replace("unsubscribe", "confirm")).status_code == 403
    assert Client().post(leave.replace("unsubscribe", "confirm")).status_code == 404
    assert Recipient.objects.get().confirmed_at is None
    assert "You get these reports" in Client().post(confirm).content.decode()
    assert Recipient.objects.reached().count() == 1
    assert visitor.get(leave).status_code == 200
    assert Recipient.objects.reached().count() == 1
    one_click = visitor.post(leave, {"List-Unsubscribe": "One-Click"})  # RFC 8058: no page, no cookie
    assert "You are unsubscribed" in one_click.content.decode()
    assert not Recipient.objects.reached().exists()
    recipient.address = "other@example.org"
    recipient.save()
    assert visitor.get(leave).status_code == 404


def test_the_secret_of_a_webhook_is_shown_once(cast: Cast) -> None:
    alice = signed_in(cast.alice)
    hook = "https://hooks.example.com/in/abcd1234"

    saved = alice.post(page(cast, "schedule-new"), {**FILLED, "emails": "", "webhooks": hook})

    schedule = ReportSchedule.objects.get()
    [secret] = secrets_of(schedule.recipients.get())
    assert secret in saved.content.decode()
    assert "no-store" in saved["Cache-Control"]
    form = alice.get(page(cast, "schedule", schedule.pk)).content.decode()
    assert "https://hooks.example.com/…1234" in form
    assert hook not in form
    assert secret not in form
    alice.post(page(cast, "schedule", schedule.pk), {**FILLED, "emails": "", "kept": [schedule.recipients.get().pk]})
    assert schedule.recipients.get().address == hook
    for wrong in (
        "http://example.com/",
        "https://user@example.com/",
        "https://bücher.example/",
        "ftp://x",
        "https://hooks.slack.com.evil.example/",
    ):
        field = "slack" if "slack" in wrong else "webhooks"
        assert alice.post(page(cast, "schedule-new"), {**FILLED, field: wrong}).status_code == 422


def test_the_sample_project_shows_what_reports_are(cast: Cast, mailbox: Mailbox) -> None:
    for _ in range(2):
        make_sample(project=cast.project, now=DUE)

    schedule = ReportSchedule.objects.get()
    report = schedule.reports.get()
    assert (schedule.paused_at, schedule.recipients.get().user) == (DUE, cast.alice)
    assert str(report.period.first) == "2026-11-15"  # a week before the day on which the sample was made
    assert (report.figures or {})["totals"]["checks"] == 5  # one comes later on that day
    assert {file.kind for file in report.files.all()} >= {"html", "pdf", "xlsx"}
    assert mailbox.raw == []


def test_an_organization_without_projects_is_reported_too(cast: Cast) -> None:
    schedule = weekly(cast.foreign_organization, None, cast.charlie)
    cast.foreign_project.delete()
    claim_due(DUE)

    freeze(Report.objects.get().pk, DUE)

    assert "Nothing happened" in bytes(Report.objects.get().files.get(kind="text").content).decode()
    assert schedule.reports.get().deliveries.count() == 1


def test_another_organizations_reports_are_not_there(cast: Cast) -> None:
    report = frozen(cast, formats=["csv"])
    theirs = weekly(cast.foreign_organization, None)
    charlie = signed_in(cast.charlie)
    own = reverse("report-detail", args=(cast.foreign_project.pk, report.pk))

    assert charlie.get(own).status_code == 404
    assert charlie.get(page(cast, "detail", report.pk)).status_code == 404
    assert signed_in(cast.alice).get(page(cast, "schedule", theirs.pk)).status_code == 404
    listed = signed_in(cast.alice).get(page(cast, "list")).context
    assert {each.pk for each, _may in listed["rows"]} == {report.schedule_id}


def test_the_admin_shows_what_happened_and_sends_again(cast: Cast, mailbox: Mailbox, told: list[str]) -> None:
    report = frozen(cast)
    Delivery.objects.update(state="dead")
    root = signed_in(cast.root)

    for model, row in (("reportschedule", report.schedule), ("report", report), ("delivery", report.deliveries.get())):
        assert root.get(f"/admin/guardrails/{model}/?q=o").status_code == 200
        assert root.get(f"/admin/guardrails/{model}/{row.pk}/change/").status_code == 200
    assert root.get("/admin/guardrails/report/add/").status_code == 403
    assert root.get("/admin/guardrails/reportschedule/add/").status_code == 200
    chosen = {"action": "resend_selected", "_selected_action": [str(report.deliveries.get().pk)]}
    root.post("/admin/guardrails/delivery/", chosen)
    assert (report.deliveries.get().state, len(mailbox.raw)) == ("sent", 1)


def test_texts_of_strangers_never_are_templates(cast: Cast) -> None:
    """The name of a schedule, a project and a guardrail is text, whatever it looks like."""
    cast.project.name = "{% load x %}<script>alert(1)</script>"
    cast.project.save()
    report = frozen(cast, now=MONDAY, formats=["csv", "json"])

    html = bytes(report.files.get(kind="html").content).decode()

    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "onerror=alert(1)&gt;" in html
    assert HOSTILE[:4] not in html
