"""E-mails beside the reports: a test, and the question whether an address wants them."""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from agentops_portal.fields import one_line
from guardrails.delivery.outcomes import InDoubt, NotSent
from guardrails.delivery.smtp import send_by_smtp
from projects.mail_text import quoted
from projects.models import User
from projects.rates import Limit, take

from ..contents import figures_of
from ..freezing import drawn, link_to
from ..models import Delivery, DeliveryState, Recipient, ReportSchedule
from ..rendering.words import subject_line
from ..unsubscribing import confirm_link
from .message import Letter

log = structlog.get_logger(__name__)

# An address that nobody has confirmed is asked, and asked again, by whoever administrates anything.
QUESTIONS: Final = Limit("report-question", 5, seconds=24 * 3600)


def send_test(schedule_id: UUID, user_id: UUID, now: datetime) -> None:
    schedule = ReportSchedule.objects.select_related("project", "organization").filter(pk=schedule_id).first()
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if schedule is None or user is None:
        return
    rhythm = schedule.rhythm
    figures = figures_of(schedule, rhythm.previous(rhythm.period_at(now)))
    link = settings.PORTAL_URL
    with translation.override(schedule.language):
        subject = _("Test: %(subject)s") % {"subject": subject_line(figures)}
    letter = Letter(
        id=uuid4(),
        address=user.email,
        subject=subject,
        files=drawn(figures, link, schedule.formats, schedule.language),
        at=now,
        schedule_id=schedule.pk,
        report_link=link,
    )
    try:
        send_by_smtp(user.email, letter.as_bytes())
    except (NotSent, InDoubt) as error:
        log.error("a test report was not sent", schedule=str(schedule.pk), reason=str(error)[:300])


def tell_given_up(delivery_id: UUID) -> None:
    """To whoever made the schedule, while a member: not to the address that was not reached. Raises NotSent."""
    rows = Delivery.objects.select_related("report__schedule__created_by", "report__schedule__project")
    delivery = rows.filter(pk=delivery_id, state=DeliveryState.DEAD).first()
    owner = delivery.report.schedule.created_by if delivery else None
    if delivery is None or owner is None or owner.email == delivery.address:
        return
    if not owner.is_active or not delivery.report.schedule.organization.members.filter(pk=owner.pk).exists():
        return
    words = {
        "schedule": quoted(delivery.report.schedule.name),
        "address": delivery.shown,
        "said": delivery.attempts[-1]["said"] if delivery.attempts else "",
        "link": link_to(delivery.report),
    }
    _write(owner.email, owner.language, "given_up", words)


def ask(recipient_id: UUID, now: datetime) -> None:
    """Raises NotSent."""
    found = Recipient.objects.filter(pk=recipient_id, confirmed_at=None)
    recipient = found.select_related("schedule__organization", "schedule__project", "schedule__created_by").first()
    if recipient is None or not take(QUESTIONS, recipient.address).allowed:
        return
    schedule = recipient.schedule
    words = {
        "schedule": quoted(schedule.name),
        "of": quoted((schedule.project or schedule.organization).name),
        "portal": settings.PORTAL_URL,
        "link": confirm_link(recipient),
    }
    _write(recipient.address, schedule.language, "confirm", words)
    Recipient.objects.filter(pk=recipient.pk).update(asked_at=now)


def _write(address: str, language: str, name: str, words: dict[str, str]) -> None:
    """The first line of the template is the subject."""
    with translation.override(language or settings.LANGUAGE_CODE):
        subject, _line, body = render_to_string(f"guardrails/mail/{name}.txt", words).partition("\n")
    message = EmailMessage(one_line(subject), body.strip() + "\n", None, [address])
    send_by_smtp(address, message.message().as_bytes(linesep="\r\n"))
