"""A schedule and a report for the sample project, so that its pages show what they are for."""

from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from projects.models import Project

from . import services
from .freezing import freeze
from .models import Report, ReportSchedule

log = structlog.get_logger(__name__)


def make_sample(*, project: Project, now: datetime, **_signal: Any) -> None:
    """A weekly schedule that is paused, for the owner, with the report of the seven days before today. Once; without an
    answer of ClickHouse the schedule alone.
    """
    owner = project.organization.members.order_by("date_joined").first()
    if owner is None or ReportSchedule.objects.filter(project=project).exists():
        return
    values = {
        "name": _("Weekly guardrail report"),
        "weekday": now.isoweekday(),
        "timezone": owner.timezone or settings.TIME_ZONE,
        "language": owner.language or settings.LANGUAGE_CODE,
        "formats": ["pdf", "xlsx"],
    }
    with transaction.atomic():
        schedule = services.create_schedule(
            organization=project.organization, project=project, values=values, actor=None, now=now
        )
        report = services.send_now(schedule=schedule, actor=None, now=now)
        services.pause(schedule=schedule, actor=None, now=now)
        freeze(report.pk, now)
        Report.objects.filter(pk=report.pk, frozen_at=None).delete()  # or it would be made, and sent, another time
        services.set_recipients(schedule=schedule, members=[owner], addresses={}, actor=None, now=now)
    log.info("a sample report was made", project=str(project.pk))
