"""The one list of periodic tasks; `manage.py prepare` brings django-celery-beat's table in line with it.

An administrator may switch a task off or change its times in the admin: a task that is there already is left alone,
one that left this list is removed.
"""

from dataclasses import dataclass

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

OURS = "portal: "  # what the names of tasks of this list start with


@dataclass(frozen=True)
class Scheduled:
    """A task by its Celery name, and when it runs, in UTC."""

    task: str
    hour: str
    minute: str


SCHEDULE = [
    Scheduled("portal.clear_expired_sessions", hour="3", minute="15"),
    Scheduled("projects.remove_old_counts", hour="3", minute="20"),
    Scheduled("projects.remove_old_idempotent_answers", hour="*", minute="35"),
    Scheduled("traces.purge_deleted_projects", hour="*", minute="35"),
    Scheduled("traces.remove_old_receipts", hour="3", minute="25"),
    Scheduled("traces.forget_old_agent_runs", hour="3", minute="27"),
    Scheduled("traces.enforce_retention", hour="3", minute="30"),
    Scheduled("traces.finish_erasures", hour="*", minute="*/5"),
    Scheduled("traces.compare_services", hour="*", minute="10"),
    Scheduled("traces.price_new_models", hour="*", minute="50"),
    Scheduled("traces.repair_rollups", hour="3", minute="45"),
    Scheduled("guardrails.tidy_enforcement", hour="3", minute="50"),
    Scheduled("guardrails.tick_reports", hour="*", minute="*"),
    Scheduled("guardrails.tick_policies", hour="*", minute="*"),
]


@transaction.atomic
def sync_schedule() -> None:
    """Add what is new in SCHEDULE to the table, and remove what is no longer in it."""
    for entry in SCHEDULE:
        times, _ = CrontabSchedule.objects.get_or_create(
            minute=entry.minute, hour=entry.hour, day_of_week="*", day_of_month="*", month_of_year="*", timezone="UTC"
        )
        PeriodicTask.objects.get_or_create(name=OURS + entry.task, defaults={"task": entry.task, "crontab": times})
    names = [OURS + entry.task for entry in SCHEDULE]
    PeriodicTask.objects.filter(name__startswith=OURS).exclude(name__in=names).delete()
