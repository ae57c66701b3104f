"""Counting a report's figures and drawing its files, once; what is sent, now and later, is these."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from agentops_portal.clickhouse.gate import ClickHouseError
from agentops_portal.fields import one_line
from traces.reading.pdf import PdfUnavailable

from .contents import Figures, figures_of, is_empty
from .models import Delivery, Format, Recipient, Report, ReportFile
from .rendering.files import HTML, SLACK, TEXT, WEBHOOK, File, files_of

log = structlog.get_logger(__name__)

FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)


def freeze(report_id: UUID, now: datetime) -> list[UUID]:
    """Count the report, if it is its turn and nobody else does so now. Gives the ids of its deliveries.

    Figures, files and deliveries appear together or not at all. Without an answer of ClickHouse the report waits for
    another attempt and says why.
    """
    with transaction.atomic():
        waiting = Report.objects.to_freeze(now).select_for_update(skip_locked=True, of=("self",))
        report = waiting.select_related("schedule__project", "schedule__organization").filter(pk=report_id).first()
        if report is None:
            return []
        try:
            with transaction.atomic():
                return _freeze(report, now)
        except ClickHouseError as error:
            problem = str(error)
        except Exception as error:  # a text that no file can hold, say: the next attempt is later and later
            log.exception("a report could not be made", report=str(report_id))
            problem = f"{type(error).__name__}: {error}"
        _postpone(report, problem, now)
        return []


def link_to(report: Report) -> str:
    """The report's own page; of an organization's report on the pages of its first project, where it has one."""
    schedule = report.schedule
    project = schedule.project or schedule.organization.projects.active().first()
    if project is None:
        return settings.PORTAL_URL + reverse("project-list")
    return settings.PORTAL_URL + reverse("report-detail", args=(project.pk, report.pk))


def drawn(figures: Figures, link: str, formats: Iterable[str], language: str) -> list[File]:
    """The e-mail and what is attached to it; where no PDF can be drawn, without it."""
    kinds = [HTML, TEXT, SLACK, WEBHOOK, *formats]
    try:
        return files_of(figures, link, kinds, language)
    except PdfUnavailable as error:
        log.error("a report goes without its PDF", problem=str(error))
        return files_of(figures, link, [kind for kind in kinds if kind != Format.PDF], language)


def _freeze(report: Report, now: datetime) -> list[UUID]:
    schedule = report.schedule
    figures = figures_of(schedule, report.period, revision=report.revision, is_late=report.is_late)
    files = drawn(figures, link_to(report), schedule.formats, schedule.language)
    ReportFile.objects.bulk_create(ReportFile(report=report, **vars(file)) for file in files)
    report.figures, report.frozen_at, report.problem = figures, now, ""
    report.save(update_fields=["figures", "frozen_at", "problem"])
    if is_empty(figures) and not schedule.sends_empty:
        return []
    reached = Recipient.objects.filter(schedule=schedule).reached().select_related("user")
    deliveries = [
        Delivery(
            report=report,
            recipient=recipient,
            channel=recipient.channel,
            address=recipient.user.email if recipient.user else recipient.address,
            created_at=now,
            due_at=now,
        )
        for recipient in reached
    ]
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    return list(Delivery.objects.of_report(report.pk).to_try(now).values_list("pk", flat=True))


def _postpone(report: Report, problem: str, now: datetime) -> None:
    wait = min(FIRST_WAIT * 2 ** min(report.tries, 10), LONGEST_WAIT)
    report.tries += 1
    report.try_at, report.problem = now + wait, one_line(problem)[:300]
    report.save(update_fields=["tries", "try_at", "problem"])
