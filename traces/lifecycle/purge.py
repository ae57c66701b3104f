"""Removes what the span store holds of projects that are gone.

The inbox is left out: what is in it is stored within seconds, and the keys of a deleted project stopped long before.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connections

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.client import ALIAS
from traces.lifecycle.retention.tables import KEPT

TABLES = tuple(table.name for table in KEPT)


def purge(project_ids: Sequence[UUID]) -> None:
    """Delete every row of these projects: at once from what is read, from the disk with ClickHouse's next merges. Doing
    it again changes nothing. Raises django.db.Error when ClickHouse does not do it.
    """
    if not project_ids:
        return
    ids = ", ".join(f"'{project_id}'" for project_id in project_ids)
    with connections[ALIAS].cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"DELETE FROM {ddl.local(table)} {ddl.on_cluster()} WHERE project_id IN ({ids})"  # noqa: S608
            )
