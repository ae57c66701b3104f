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
from projects.mail_text import quoted
from projects.models import User
from projects.rates import Limit, take

from ..contents import figures_of
from ..freezing import drawn
from ..models import Recipient, ReportSchedule
from ..rendering.words import subject_line
from ..unsubscribing import confirm_link
from .message import Letter
from .outcomes import InDoubt, NotSent
from .smtp import send_by_smtp

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
    with translation.override(schedule.language):
        subject, _line, body = render_to_string("guardrails/mail/confirm.txt", words).partition("\n")
    message = EmailMessage(one_line(subject), body.strip() + "\n", None, [recipient.address])
    send_by_smtp(recipient.address, message.message().as_bytes(linesep="\r\n"))
    Recipient.objects.filter(pk=recipient.pk).update(asked_at=now)
