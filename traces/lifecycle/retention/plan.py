"""Which rows are too old: by table, part and project."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.backends.utils import CursorWrapper

from agentops_portal.units import EPOCH_DAY
from projects.models import Project

from .tables import Kept

Borders = Mapping[str, int]  # project id → the first day since 1970 that is kept


@dataclass(frozen=True)
class Due:
    """Rows of a project in one part of a table that are too old. Days since 1970."""

    project_id: str
    partition: str
    part: str
    rows: int
    first_day: int
    last_day: int


def kept_since(retention_days: int, now: datetime) -> date:
    """The first day (UTC) of which anything is kept."""
    return now.astimezone(UTC).date() - timedelta(days=retention_days)


def borders(now: datetime) -> Borders:
    """Of every project, those that can still be restored included.

    Rows of ids that are no project's have no border: those of a project that is gone are purged with it, others may be
    waiting for their project to be imported.
    """
    days = Project.objects.order_by().values_list("pk", "retention_days")
    return {str(pk): (kept_since(retention, now) - EPOCH_DAY).days for pk, retention in days}


def due_rows(cursor: CursorWrapper, table: Kept, until: Borders) -> list[Due]:
    """What of a table is older than the borders, the oldest partition first."""
    if not until:
        return []
    cursor.execute(
        f"SELECT toString(project_id) AS project, _partition_id, _part, toInt32({table.day}) AS day, count() "  # noqa: S608
        f"FROM {table.name} WHERE {table.before(max(until.values()))} GROUP BY project, _partition_id, _part, day"
    )
    found: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for project, partition, part, day, rows in cursor.fetchall():
        if day < until.get(project, day):
            found.setdefault((project, partition, part), []).append((day, rows))
    return [
        Due(*key, sum(rows for _, rows in days), min(days)[0], max(days)[0])
        for key, days in sorted(found.items(), key=lambda item: min(item[1]))
    ]


def rows_by_project(due: list[Due]) -> dict[str, tuple[int, date, date]]:
    """Project id → (rows, first day, last day)."""
    by_project: dict[str, list[Due]] = {}
    for each in due:
        by_project.setdefault(each.project_id, []).append(each)
    return {
        project: (
            sum(each.rows for each in of_project),
            EPOCH_DAY + timedelta(days=min(each.first_day for each in of_project)),
            EPOCH_DAY + timedelta(days=max(each.last_day for each in of_project)),
        )
        for project, of_project in by_project.items()
    }
