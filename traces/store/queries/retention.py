"""How far back the data of a project goes."""

from uuid import UUID

from agentops_portal.clickhouse.gate import select

from .scopes import whole_time
from .summaries import IN_DAYS, TABLE


def oldest_span(project_id: UUID) -> int | None:
    """When the project's oldest span starts, in nanoseconds since 1970; None without any.

    From the summaries, which are sorted by day: a few rows of the first one.
    """
    rows = select(
        f"""
        SELECT toUnixTimestamp64Nano(min(started)) AS start_ns FROM {TABLE}
        WHERE {IN_DAYS} AND day = (SELECT day FROM {TABLE} WHERE {IN_DAYS} ORDER BY day LIMIT 1)
        HAVING count() > 0
        """,
        name="retention.oldest_span",
        scope=whole_time(project_id),
    )
    return rows[0]["start_ns"] if rows else None
