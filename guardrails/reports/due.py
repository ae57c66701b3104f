"""From schedules that are due to reports that are to be counted. The tick of every minute calls this."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction

from .models import Report, ReportSchedule
from .periods import LATE

log = structlog.get_logger(__name__)

SET_ASIDE: Final = timedelta(hours=1)


def claim_due(now: datetime) -> list[UUID]:
    """Make the reports of all schedules that are due, and move these on: one transaction each, so that any number of
    processes may do this at once and be killed at any moment. Gives the ids of the new reports.
    """
    made: list[UUID] = []
    while True:
        with transaction.atomic():
            due = ReportSchedule.objects.due(now).select_for_update(skip_locked=True, of=("self",))
            schedule = due.order_by("due_at", "id").first()
            if schedule is None:
                return made
            try:
                with transaction.atomic():
                    made += _make_reports(schedule, now)
            except Exception:  # one schedule that cannot be read must not hold up all that come after it
                log.exception("a report schedule is set aside", schedule=str(schedule.pk))
                ReportSchedule.objects.filter(pk=schedule.pk).update(due_at=now + SET_ASIDE)


def _make_reports(schedule: ReportSchedule, now: datetime) -> list[UUID]:
    """Rows for the periods that are over and were not reported, the oldest first: the newest `catch_up` of them."""
    rhythm = schedule.rhythm
    periods = deque(rhythm.due(schedule.next_period, now), maxlen=max(1, schedule.catch_up))
    made = []
    for period in periods:
        due_at = rhythm.due_at(period)
        report, is_new = Report.objects.get_or_create(
            schedule=schedule,
            period_start=period.start,
            period_end=period.end,
            revision=1,
            defaults={
                "timezone": schedule.timezone,
                "due_at": due_at,
                "is_late": now - due_at >= LATE,
                "created_at": now,
                "try_at": now,
            },
        )
        if is_new:
            made.append(report.pk)
    following = rhythm.next(periods[-1]) if periods else schedule.next_period
    schedule.next_start, schedule.due_at = following.start, rhythm.due_at(following)
    schedule.save(update_fields=["next_start", "due_at"])
    return made
