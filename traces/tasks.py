"""Background work on spans and what is noted about them."""

from datetime import timedelta
from uuid import UUID

import structlog
from celery import shared_task
from django.conf import settings
from django.db import Error, connections
from django.utils.timezone import now

from projects.models import Project, User
from projects.services import remove_project
from traces.ingest.agents import RUN_DAYS
from traces.lifecycle.erasure.records import Erasure
from traces.lifecycle.erasure.services import carry_out, recount_usage, unfinished
from traces.lifecycle.purge import purge
from traces.lifecycle.retention.run import enforce
from traces.store.calls.leaving_out import count_as_decided, find_same_calls
from traces.store.prices.filling import lacks_names
from traces.store.prices.keeping import learn
from traces.store.prices.repricing import reprice
from traces.store.prices.unpriced import called_models, unpriced_models
from traces.store.rollups.repair import repair

from .models import AgentRun, IngestReceipt

log = structlog.get_logger(__name__)

RECEIPT_DAYS = 90


@shared_task(name="traces.remove_old_receipts")
def remove_old_receipts() -> None:
    """Delete the ingest receipts of hours that began more than RECEIPT_DAYS ago."""
    removed, _by_model = IngestReceipt.objects.between(None, now() - timedelta(days=RECEIPT_DAYS)).delete()
    if removed:
        log.info("old ingest receipts were removed", receipts=removed)


@shared_task(name="traces.forget_old_agent_runs")
def forget_old_agent_runs() -> None:
    """Delete the runs of agents that began more than RUN_DAYS ago; those that ended are spans by then."""
    removed, _by_model = AgentRun.objects.filter(started_at__lt=now() - timedelta(days=RUN_DAYS)).delete()
    if removed:
        log.info("old agent runs were forgotten", runs=removed)


@shared_task(name="traces.repair_rollups")
def repair_rollups() -> None:
    """Compute the roll-ups of days anew that miss spans because ClickHouse was killed in the middle of an insert."""
    repair(connections["clickhouse"], now())


@shared_task(name="traces.compare_services")
def compare_services() -> None:
    """Note which services seem to report the same calls, and finish counting again what was decided about them."""
    find_same_calls()
    count_as_decided()


@shared_task(name="traces.count_as_decided")
def count_services_as_decided() -> None:
    """Have the stored calls of services that were left out, or no more, count like that."""
    count_as_decided()


@shared_task(name="traces.price_new_models")
def price_new_models() -> None:
    """Bring what the package says of the models that were called into the book, and price the calls that had none."""
    has_news = learn(unpriced_models())
    learn(called_models())  # which are priced by the same entries already: here people see and override them
    if has_news or lacks_names():
        reprice()


@shared_task(name="traces.reprice")
def reprice_stored(actor_id: str | None = None) -> None:
    """Let a changed price book count for what comes and what is stored."""
    reprice(User.objects.filter(pk=actor_id).first() if actor_id else None)


@shared_task(name="traces.enforce_retention")
def enforce_retention() -> None:
    """Remove what is older than its project keeps it."""
    enforce()


@shared_task(name="traces.carry_out_erasure")
def carry_out_erasure(erasure_id: str) -> None:
    """Delete what somebody asked to be deleted; a failure stands in the receipt, and the next look tries again."""
    for erasure in Erasure.objects.filter(pk=erasure_id):
        carry_out(erasure)


@shared_task(name="traces.finish_erasures")
def finish_erasures() -> None:
    """Go on with deletions that failed or that no worker heard of, and count usage again that was in doubt."""
    for erasure in unfinished(before=now() - timedelta(minutes=2)):
        try:
            carry_out(erasure)
            recount_usage(erasure)
        except Error as error:
            log.error("a deletion failed and is tried again", erasure=str(erasure.pk), error=str(error)[:300])


@shared_task(name="traces.purge_deleted_projects")
def purge_deleted_projects() -> None:
    """Remove projects that were deleted more than DELETED_PROJECT_DAYS ago, their spans first: until then they can be
    restored. The minute is for keys that a process still believes in.
    """
    latest = now() - timedelta(days=settings.DELETED_PROJECT_DAYS, minutes=1)
    due = list(Project.objects.filter(deleted_at__lt=latest))
    purge([project.pk for project in due])
    for project in due:
        remove_project(project=project)
    if due:
        log.info("deleted projects were removed", projects=len(due))


@shared_task(
    name="traces.purge_removed_projects",
    autoretry_for=(Error,),
    max_retries=None,
    retry_backoff=5,
    retry_backoff_max=3600,
)
def purge_removed_projects(project_ids: list[str]) -> None:
    """Delete the spans of projects whose rows are gone, with their organization. Tries until it is done."""
    purge([UUID(project_id) for project_id in project_ids])
