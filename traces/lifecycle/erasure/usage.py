"""Usage of a project counted anew, quarter by quarter of an hour, from the spans that are there."""

from collections.abc import Collection
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from agentops_portal.batches import batches
from agentops_portal.clickhouse import ddl
from agentops_portal.units import NS_OF_QUARTER
from traces.store.rollups import rebuild as rollups
from traces.store.rollups.rollup import units_since_1970
from traces.store.rollups.usage import USAGE
from traces.store.schema.tables import SPANS

QUARTERS_AT_ONCE = 2000  # in one statement, whose text is limited
_QUARTER = units_since_1970("Timestamp", NS_OF_QUARTER)


def recount(cursor: CursorWrapper, project_id: UUID, quarters: Collection[int]) -> bool:
    """False when spans of these quarters arrived meanwhile, so that nobody knows whether they were counted once."""
    started = rollups.now_of(cursor)
    for some in batches(sorted(quarters), QUARTERS_AT_ONCE):
        rows = f"project_id = '{project_id}' AND quarter IN ({', '.join(map(str, some))})"
        cursor.execute(f"DELETE FROM {ddl.local(USAGE.table)} {ddl.on_cluster()} WHERE {rows}")  # noqa: S608
        for statement in USAGE.computed(_of(project_id, some)):
            cursor.execute(statement)
    if not quarters:
        return True
    cursor.execute(
        f"SELECT count() FROM {SPANS} WHERE {_of(project_id, quarters)} "  # noqa: S608
        "AND received_at >= fromUnixTimestamp64Milli(toInt64(%s))",
        [int((started - rollups.IN_FLIGHT).timestamp() * 1000)],
    )
    return cursor.fetchone()[0] == 0


def _of(project_id: UUID, quarters: Collection[int]) -> str:
    """SQL: the spans of these quarters; the range beside lets ClickHouse skip the others."""
    start, end = (
        f"fromUnixTimestamp64Nano(toInt64({min(each * NS_OF_QUARTER, 2**63 - 1)}), 'UTC')"
        for each in (min(quarters), max(quarters) + 1)
    )
    return (
        f"project_id = '{project_id}' AND Timestamp >= {start} AND Timestamp <= {end} "
        f"AND {_QUARTER} IN ({', '.join(map(str, quarters))})"
    )
