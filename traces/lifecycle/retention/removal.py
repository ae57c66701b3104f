"""Removes rows from ClickHouse while it goes on receiving: whole parts where no row of one is kept, the rest by
DELETEs that are each bounded to a partition.
"""

from collections.abc import Sequence

from django.db import Error
from django.db.backends.utils import CursorWrapper

from agentops_portal.batches import batches
from agentops_portal.clickhouse import ddl

from .plan import Borders, Due
from .tables import Kept

PROJECTS_AT_ONCE = 500  # in one statement, whose text is limited
NO_SUCH_PART = 232


def remove(cursor: CursorWrapper, table: Kept, due: Sequence[Due], until: Borders) -> None:
    """Remove what `due_rows` found. Doing it again changes nothing. Raises django.db.Error."""
    dropped = set() if ddl.cluster() else _drop_whole_parts(cursor, table, due)
    left = [each for each in due if each.part not in dropped]
    for partition in dict.fromkeys(each.partition for each in left):
        projects = sorted({each.project_id for each in left if each.partition == partition})
        for some in batches(projects, PROJECTS_AT_ONCE):
            _delete(cursor, table, partition, {project: until[project] for project in some})


def apply_masks(cursor: CursorWrapper, table: Kept, busy: set[str]) -> None:
    """Write the parts anew that hold deleted rows, except in partitions that lose rows every night just now.

    A DELETE hides rows at once and leaves them on the disk until their part is merged, which the parts of months long
    past never are. A cluster's servers are left to their merges.
    """
    if ddl.cluster():
        return
    cursor.execute(
        "SELECT DISTINCT partition_id FROM system.parts "
        "WHERE database = currentDatabase() AND table = %s AND active AND has_lightweight_delete",
        [table.name],
    )
    for (partition,) in cursor.fetchall():
        if partition not in busy:
            cursor.execute(
                f"ALTER TABLE {table.name} APPLY DELETED MASK IN PARTITION ID '{partition}' SETTINGS mutations_sync = 1"
            )


def _drop_whole_parts(cursor: CursorWrapper, table: Kept, due: Sequence[Due]) -> set[str]:
    """Drop parts of which every row is due, which no insert can change meanwhile; their names. Most months go so."""
    rows: dict[str, int] = {}
    for each in due:
        rows[each.part] = rows.get(each.part, 0) + each.rows
    partitions = ", ".join(f"'{partition}'" for partition in dict.fromkeys(each.partition for each in due))
    if not partitions:
        return set()
    cursor.execute(
        f"SELECT _part, count() FROM {table.name} WHERE _partition_id IN ({partitions}) GROUP BY _part"  # noqa: S608
    )
    whole = [part for part, count in cursor.fetchall() if rows.get(part) == count]
    return {part for part in whole if _drop(cursor, table, part)}


def _drop(cursor: CursorWrapper, table: Kept, part: str) -> bool:
    try:
        cursor.execute(f"ALTER TABLE {table.name} DROP PART '{part}'")
    except Error as error:
        if getattr(error, "code", getattr(error.__cause__, "code", None)) == NO_SUCH_PART:
            return False  # merged with others meanwhile
        raise
    return True


def _delete(cursor: CursorWrapper, table: Kept, partition: str, until: Borders) -> None:
    conditions = []
    for day in sorted(set(until.values())):
        ids = ", ".join(f"'{project}'" for project, border in until.items() if border == day)
        conditions.append(f"(project_id IN ({ids}) AND {table.before(day)})")
    cursor.execute(
        f"DELETE FROM {ddl.local(table.name)} {ddl.on_cluster()} IN PARTITION ID '{partition}' "  # noqa: S608
        f"WHERE {' OR '.join(conditions)}"
    )
