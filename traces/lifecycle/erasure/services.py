"""Asking for a deletion, and carrying it out."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import structlog
from django.db import Error, connections, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from agentops_portal.batches import batches
from agentops_portal.clickhouse.client import ALIAS
from agentops_portal.clickhouse.gate import ClickHouseUnavailable
from agentops_portal.fields import one_line
from projects.models import Project, User
from projects.services import record

from .records import Erasure, ErasureKind
from .rows import IN_CLICKHOUSE, count, delete, find, in_postgres, quarters_of
from .usage import recount

log = structlog.get_logger(__name__)

TRACES_AT_ONCE = 2000  # their ids stand in the text of a statement


@transaction.atomic
def request_erasure(*, project: Project, kind: ErasureKind, value: str, actor: User | None) -> Erasure:
    """Write down, in the audit log as well, that somebody wants this deleted; `carry_out` does it."""
    erasure = Erasure.objects.create(project=project, kind=kind, value=value, requested_by=actor)
    record(f"{kind}.erased", actor=actor, project=project, target=value, erasure_id=str(erasure.pk))
    return erasure


def erase_trace(*, project: Project, trace_id: str, actor: User) -> Erasure:
    """Delete one trace while the person waits; its receipt.

    Raises ClickHouseUnavailable when a store does not do it: it is tried again later, as any other deletion.
    """
    erasure = request_erasure(project=project, kind=ErasureKind.TRACE, value=trace_id, actor=actor)
    try:
        carry_out(erasure)
    except Error as error:
        raise ClickHouseUnavailable(str(error)) from error
    return erasure


def carry_out(erasure: Erasure) -> None:
    """Delete what is meant and count what is left. Called again it finishes what it had begun.

    Raises django.db.Error when a store does not do it, which the receipt says as well.
    """
    if erasure.finished_at is not None:
        return
    try:
        with connections[ALIAS].cursor() as cursor:
            _carry_out(cursor, erasure)
    except Error as error:
        erasure.error = one_line(str(error))[:1000]
        erasure.save()
        raise
    log.info("data was deleted on request", kind=erasure.kind, traces=erasure.traces, left=erasure.left_rows)


def recount_usage(erasure: Erasure) -> None:
    """Count usage again where spans went on arriving while it was counted; what is still in doubt stays noted."""
    with connections[ALIAS].cursor() as cursor:
        if recount(cursor, erasure.project_id, erasure.recount):
            erasure.recount = []
            erasure.save(update_fields=["recount"])


def unfinished(before: datetime) -> Iterator[Erasure]:
    """Deletions asked for before that moment that are not done, or whose usage is in doubt."""
    waiting = Erasure.objects.filter(requested_at__lt=before)
    yield from waiting.filter(finished_at=None)
    yield from waiting.exclude(finished_at=None).exclude(recount=[])


def _carry_out(cursor: CursorWrapper, erasure: Erasure) -> None:
    ids = sorted({*erasure.pending, *find(cursor, erasure)})
    erasure.pending, erasure.traces = ids, len(ids)
    erasure.save()
    groups = list(batches(ids, TRACES_AT_ONCE))
    there = _counted(cursor, erasure, groups)
    # An attempt that failed has removed some of what it had found.
    erasure.removed = {table: max(rows, erasure.removed.get(table, 0)) for table, rows in there.items()}
    erasure.save()
    for group in groups:
        _erase(cursor, erasure, group)
    erasure.left = _counted(cursor, erasure, groups)
    erasure.pending, erasure.error, erasure.finished_at = [], "", timezone.now()
    erasure.save()


def _counted(cursor: CursorWrapper, erasure: Erasure, groups: Sequence[Sequence[str]]) -> dict[str, int]:
    rows: Counter[str] = Counter()
    for group in groups:
        rows.update(count(cursor, erasure.project_id, group))
    return dict(rows)


def _erase(cursor: CursorWrapper, erasure: Erasure, trace_ids: Sequence[str]) -> None:
    project_id = erasure.project_id
    quarters = quarters_of(cursor, project_id, trace_ids)
    erasure.recount = sorted({*erasure.recount, *quarters})
    erasure.save(update_fields=["recount"])
    *tables, summaries = IN_CLICKHOUSE
    for table in tables:
        delete(cursor, table, project_id, trace_ids)
    if recount(cursor, project_id, quarters):
        erasure.recount = sorted({*erasure.recount} - quarters)
    for rows in in_postgres(project_id, trace_ids).values():
        rows.delete()
    delete(cursor, summaries, project_id, trace_ids)
