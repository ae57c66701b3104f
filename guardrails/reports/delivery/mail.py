"""The channel e-mail."""

from django.utils import translation

from guardrails.delivery.outcomes import NotSent, Sent
from guardrails.delivery.smtp import send_by_smtp

from ..freezing import link_to
from ..models import Delivery, Report
from ..rendering.files import File
from ..rendering.words import subject_line
from ..unsubscribing import unsubscribe_link
from .message import Letter


def send(delivery: Delivery) -> Sent:
    """Raises NotSent and InDoubt."""
    return send_by_smtp(delivery.address, letter_of(delivery).as_bytes())


def letter_of(delivery: Delivery) -> Letter:
    """Of the frozen files: whenever it is asked for, the same."""
    report, recipient = delivery.report, delivery.recipient
    if report.frozen_at is None or recipient is None:
        raise NotSent("the report or its recipient is gone", is_final=True)
    return Letter(
        id=delivery.pk,
        address=delivery.address,
        subject=subject_of(report),
        files=files_of_report(report),
        at=report.frozen_at,
        schedule_id=report.schedule_id,
        report_link=link_to(report),
        unsubscribe=unsubscribe_link(recipient),
    )


def subject_of(report: Report) -> str:
    with translation.override(report.schedule.language):
        return subject_line(report.figures or {})


def files_of_report(report: Report) -> list[File]:
    return [File(file.kind, file.name, bytes(file.content)) for file in report.files.order_by("pk")]
