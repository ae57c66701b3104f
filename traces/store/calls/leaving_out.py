"""Finds services that seem to report the same calls (coinciding.py), and lets people leave one out of every figure.

Whoever judges traces takes the calls of a service that is left out back, by verdicts as for layers of a call; what is
stored is judged anew, in the background.
"""

from datetime import timedelta

import structlog
from celery import current_app
from clickhouse_connect.driver.client import Client
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from agentops_portal.clickhouse.client import get_client
from projects.models import Project, User
from projects.services import record
from traces.store.rollups.usage import USAGE

from .coinciding import coinciding_in, projects_of_services
from .judging import judge_project
from .records import Decision, SameCalls

log = structlog.get_logger(__name__)

# What nobody decided and was not found again for so long is no longer so.
FORGOTTEN = timedelta(days=7)
_DAYS = f"""
    SELECT DISTINCT intDiv(quarter, 96) AS day FROM {USAGE.table}
    WHERE project_id = {{project:String}} AND service = {{service:String}} ORDER BY day DESC
"""


def find_same_calls(client: Client | None = None) -> int:
    """Look at all projects; gives how many pairs of services were found. What was decided stays."""
    client, found = client or get_client(), 0
    asked = projects_of_services(client)
    for project in Project.objects.active().filter(pk__in=asked):
        for each in coinciding_in(client, str(project.pk)):
            SameCalls.objects.update_or_create(
                project=project,
                service=each.service,
                other=each.other,
                defaults={
                    "calls": each.calls,
                    "other_calls": each.other_calls,
                    "same": each.same,
                    "found_at": timezone.now(),
                },
            )
            found += 1
    SameCalls.objects.filter(decision=Decision.OPEN, found_at__lt=timezone.now() - FORGOTTEN).delete()
    return found


@transaction.atomic
def decide(*, pair: SameCalls, decision: Decision, service: str = "", actor: User | None) -> SameCalls:
    """Leave one of the two services out, or say that they are different, or neither.

    The stored calls are counted again afterwards (count_as_decided). Raises ValidationError for a service that must not
    be left out: it tells calls that the other one does not, or the other one is left out itself.
    """
    pair = SameCalls.objects.select_for_update().select_related("project__organization").get(pk=pair.pk)
    leaves_out = service if decision == Decision.LEFT_OUT else ""
    if decision == Decision.LEFT_OUT:
        _check(pair, service)
    if (decision, leaves_out) == (pair.decision, pair.left_out):
        return pair
    if leaves_out != pair.left_out:
        pair.applied_at = None
    pair.decision, pair.left_out = decision, leaves_out
    pair.decided_by, pair.decided_at = actor, timezone.now()
    pair.save()
    transaction.on_commit(_count_soon)
    record(f"same_calls.{decision}", actor=actor, project=pair.project, target=str(pair), left_out=leaves_out)
    return pair


def _count_soon() -> None:
    try:
        current_app.send_task("traces.count_as_decided")  # traces/tasks.py
    except (OperationalError, OSError) as error:
        log.warning("calls are counted again at the next look", error=type(error).__name__)


def _check(pair: SameCalls, service: str) -> None:
    kept = pair.other if service == pair.service else pair.service
    names = {"service": service, "one": pair.service, "other": pair.other, "kept": kept}
    if service not in (pair.service, pair.other):
        told = _("%(service)s is neither %(one)s nor %(other)s.")
    elif service not in pair.redundant:
        told = _("%(service)s reports calls that %(kept)s does not.")
    elif SameCalls.objects.filter(project=pair.project, decision=Decision.LEFT_OUT, left_out=kept).exists():
        told = _("%(kept)s is left out itself: one of the two must count.")
    else:
        return
    raise ValidationError({"service": told % names})


def count_as_decided(client: Client | None = None) -> int:
    """Have the stored calls count as was decided; gives of how many pairs. Goes on where it was interrupted."""
    client, done = client or get_client(), 0
    for pair in SameCalls.objects.filter(applied_at=None):
        for service in (pair.service, pair.other):
            days = client.query(_DAYS, parameters={"project": str(pair.project_id), "service": service}).result_rows
            changed = judge_project(client, str(pair.project_id), [day for (day,) in days])
            log.info("calls of services count as was decided", service=service, days=len(days), spans=changed)
        # Unless somebody decided otherwise meanwhile.
        done += SameCalls.objects.filter(pk=pair.pk, decided_at=pair.decided_at).update(applied_at=timezone.now())
    return done
