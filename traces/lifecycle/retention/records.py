"""What the portal notes of its runs, and what it says of them for a project."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask

from projects.models import Project

from .plan import kept_since

RUN_DAYS = 90
TASK = "traces.enforce_retention"


class RetentionRun(models.Model):
    """One run over all projects, or what became of it. `removed`: project id → table → rows."""

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)
    removed = models.JSONField(_("removed rows"), default=dict)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("retention run")
        verbose_name_plural = _("retention runs")
        ordering = ["-started_at", "-id"]
        indexes = [models.Index(fields=["-started_at", "-id"], name="retention_run_started")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"

    @property
    def removed_rows(self) -> int:
        return sum(sum(tables.values()) for tables in self.removed.values())

    def note(self, project_id: str, table: str, rows: int) -> None:
        tables: dict[str, Any] = self.removed.setdefault(project_id, {})
        tables[table] = tables.get(table, 0) + rows


@dataclass(frozen=True)
class Status:
    """Retention of a project as pages and the API show it."""

    days: int
    kept_since: date  # as of now; the next run removes what is older
    last: RetentionRun | None
    removed: dict[str, int]  # by the last run, table → rows of this project
    next_at: datetime | None  # None: the task is switched off

    @property
    def removed_rows(self) -> int:
        return sum(self.removed.values())


def status_of(project: Project, now: datetime) -> Status:
    last = RetentionRun.objects.first()
    return Status(
        days=project.retention_days,
        kept_since=kept_since(project.retention_days, now),
        last=last,
        removed=dict(last.removed.get(str(project.pk), {})) if last else {},
        next_at=next_run(now),
    )


def next_run(now: datetime) -> datetime | None:
    """When beat starts the task next; None when an administrator has switched it off."""
    task = PeriodicTask.objects.filter(task=TASK, enabled=True).select_related("crontab").first()
    if task is None or task.crontab is None:
        return None
    left: timedelta = task.crontab.schedule.remaining_estimate(now)
    return now + left
