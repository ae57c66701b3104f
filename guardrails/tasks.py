"""Background work of the app: interfaces only, each safe to run twice."""

from uuid import UUID

import structlog
from celery import shared_task
from celery.app.task import Task
from kombu.exceptions import KombuError

from guardrails.database_clock import database_now
from guardrails.delivery.outcomes import NotSent

from .enforcement.tidying import tidy
from .incidents.messages import OUTBOX
from .incidents.notices import group_notices
from .policies.evaluation import evaluate_due
from .reports.delivery import attempts
from .reports.delivery.letters import ask, send_test, tell_given_up
from .reports.due import claim_due
from .reports.freezing import freeze
from .reports.models import DeliveryState, Report

log = structlog.get_logger(__name__)


@shared_task(name="guardrails.tick_reports")
def tick_reports() -> None:
    """Every minute: reports that are due are made, what was lost or abandoned on the way is found again.

    All that decides is in PostgreSQL. A message of the broker only says "look", so a lost one costs a minute and a
    repeated one nothing.
    """
    now = database_now()
    claim_due(now)
    attempts.give_up_abandoned(now)
    for report_id in Report.objects.to_freeze(now).values_list("pk", flat=True)[:1000]:
        tell(make_report, report_id)
    for delivery_id in attempts.untold(now):
        tell(deliver_report, delivery_id)


@shared_task(name="guardrails.tick_policies")
def tick_policies() -> None:
    """Every minute: policies are evaluated, who is to hear of what came of it is told, what was lost is found again."""
    now = database_now()
    evaluate_due(now)
    group_notices(now)
    OUTBOX.give_up_abandoned(now)
    for notification_id in OUTBOX.untold(now):
        tell(deliver_notification, notification_id)


@shared_task(name="guardrails.deliver_notification")
def deliver_notification(notification_id: str) -> None:
    """One attempt to tell one contact of the incidents of a minute."""
    OUTBOX.deliver(UUID(notification_id))


@shared_task(name="guardrails.make_report")
def make_report(report_id: str) -> None:
    """Count a report, then send it, then go on with what waited for it."""
    now = database_now()
    for delivery_id in freeze(UUID(report_id), now):
        tell(deliver_report, delivery_id)
    following = Report.objects.to_freeze(now).filter(schedule__reports=UUID(report_id)).exclude(pk=report_id)
    for each in following.values_list("pk", flat=True)[:1]:
        tell(make_report, each)


@shared_task(name="guardrails.send_test_report")
def send_test_report(schedule_id: str, user_id: str) -> None:
    """The report of the last period that is over, to one person, marked as a test and kept nowhere."""
    send_test(UUID(schedule_id), UUID(user_id), database_now())


@shared_task(name="guardrails.ask_recipient", autoretry_for=(NotSent,), retry_backoff=5, max_retries=5)
def ask_recipient(recipient_id: str) -> None:
    """Ask an address that is no member's whether it wants the reports."""
    ask(UUID(recipient_id), database_now())


@shared_task(name="guardrails.deliver_report")
def deliver_report(delivery_id: str) -> None:
    """One attempt to send one report to one recipient."""
    if attempts.deliver(UUID(delivery_id)) == DeliveryState.DEAD:
        tell(tell_owner, UUID(delivery_id))


@shared_task(name="guardrails.tell_owner", autoretry_for=(NotSent,), retry_backoff=5, max_retries=5)
def tell_owner(delivery_id: str) -> None:
    """Whoever made the schedule hears of a delivery that was given up."""
    tell_given_up(UUID(delivery_id))


@shared_task(name="guardrails.tidy_enforcement")
def tidy_enforcement() -> None:
    """Every night: decisions and counters that are old go."""
    tidy(database_now())


def tell(task: Task, row_id: UUID, *more: str) -> None:
    """Have a worker look at a row. Without a broker the next tick does."""
    try:
        task.apply_async((str(row_id), *more), expires=15 * 60)
    except (KombuError, OSError):
        log.error("no worker could be told", task=task.name)
