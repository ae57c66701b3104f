"""Time ranges of queries, from the nanoseconds that spans carry to the microseconds a Scope takes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from agentops_portal.clickhouse.gate import Scope

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The times a DateTime64(9) can hold after 1970; spans with a start of 0 included.
END_OF_TIME = datetime(2262, 4, 11, tzinfo=UTC)


def datetime_of(nanoseconds: int) -> datetime:
    """Nanoseconds since 1970 as an aware UTC datetime, cut to microseconds."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


def whole_time(project_id: UUID) -> Scope:
    """All spans of a project, whenever: for look-ups by id, which read an index and not the spans."""
    return Scope(project_id, EPOCH, END_OF_TIME)


def scope_of(project_id: UUID, start_ns: int, end_ns: int) -> Scope:
    """A range that holds both moments."""
    return Scope(project_id, datetime_of(start_ns), datetime_of(max(start_ns, end_ns)) + timedelta(microseconds=1))
