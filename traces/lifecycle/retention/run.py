"""One run over all projects; what it did, or why it could not, is in its RetentionRun."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import structlog
from django.db import Error, connections
from django.db.models import Count, DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.utils import timezone

from agentops_portal.clickhouse.client import ALIAS
from agentops_portal.fields import one_line
from traces.ingest.agents import AgentRun
from traces.ingest.uploads import Upload

from .plan import Borders, Due, borders, due_rows
from .records import RUN_DAYS, RetentionRun
from .removal import apply_masks, remove
from .tables import KEPT, Kept

log = structlog.get_logger(__name__)

# Tables of PostgreSQL: the name in the receipt, model, path to the project, when a row came.
IN_POSTGRES: tuple[tuple[str, type[Any], str, str], ...] = (
    ("uploads", Upload, "project", "created_at"),
    ("agent_runs", AgentRun, "agent__project", "started_at"),
)


def enforce(now: datetime | None = None) -> RetentionRun:
    """Remove what is too old, table by table. A run that fails says so and keeps what it did; the next continues."""
    now = now or timezone.now()
    RetentionRun.objects.filter(started_at__lt=now - timedelta(days=RUN_DAYS)).delete()
    run = RetentionRun.objects.create(started_at=now)
    try:
        _remove_everywhere(run, now)
    except Error as error:
        run.error = one_line(str(error))[:1000]
        log.error("what is too old could not all be removed; the next run goes on", reason=run.error)
    run.finished_at = timezone.now()
    run.save()
    if run.removed_rows:
        log.info("what is older than its project keeps it was removed", rows=run.removed_rows)
    return run


def what_is_due(now: datetime) -> Iterator[tuple[Kept, list[Due]]]:
    """Table by table what a run would remove from ClickHouse. Raises django.db.Error."""
    until = borders(now)
    with connections[ALIAS].cursor() as cursor:
        for table in KEPT:
            yield table, due_rows(cursor, table, until)


def outdated(model: type[Any], project: str, came_at: str, now: datetime) -> QuerySet[Any]:
    """Rows of PostgreSQL that came on a day that their project does not keep."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    kept = ExpressionWrapper(
        Value(midnight) - F(f"{project}__retention_days") * Value(timedelta(days=1)), DateTimeField()
    )
    return model._default_manager.filter(**{f"{came_at}__lt": kept}).order_by()


def counts_of(rows: QuerySet[Any], project: str) -> dict[str, int]:
    """Project id → how many of the rows are its own."""
    return {str(pk): count for pk, count in rows.values_list(project).annotate(rows=Count("pk"))}


def _remove_everywhere(run: RetentionRun, now: datetime) -> None:
    until = borders(now)
    for name, model, project, came_at in IN_POSTGRES:
        rows = outdated(model, project, came_at, now)
        counts = counts_of(rows, project)
        rows.delete()
        for project_id, count in counts.items():
            run.note(project_id, name, count)
        run.save()
    with connections[ALIAS].cursor() as cursor:
        busy = {table.name: _remove_from(run, cursor, table, until) for table in KEPT}
        for table in KEPT:
            apply_masks(cursor, table, busy[table.name])


def _remove_from(run: RetentionRun, cursor: Any, table: Kept, until: Borders) -> set[str]:
    """Gives the partitions that lost rows."""
    due = due_rows(cursor, table, until)
    remove(cursor, table, due, until)
    for each in due:
        run.note(each.project_id, table.name, each.rows)
    run.save()
    return {each.partition for each in due}
