"""Time ranges of queries, from the nanoseconds that spans carry to the microseconds a Scope takes."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from agentops_portal.clickhouse.gate import ProjectsScope, Scope
from agentops_portal.units import LAST_MICROSECOND, datetime_of

_MICROSECOND = timedelta(microseconds=1)
# Machines keep their time by NTP to well below a second; a client whose clock is a little ahead is in "the last hour".
CLOCKS_AHEAD = timedelta(minutes=5)
# A DateTime64 begins here. An exporter that takes an unsigned time for a signed one writes times before 1970.
_FIRST = datetime(1900, 1, 1, tzinfo=UTC)


def whole_time(project_id: UUID) -> Scope:
    """All spans of a project, whenever: for look-ups by id, which read an index and not the spans."""
    return Scope(project_id, _FIRST, LAST_MICROSECOND)


def whole_time_of(project_ids: Iterable[UUID]) -> ProjectsScope:
    """The same of several projects in one question."""
    return ProjectsScope(tuple(project_ids), _FIRST, LAST_MICROSECOND)


def until_now(now: datetime) -> datetime:
    """Where a range ends that goes on until now, on pages, in the API and for agents."""
    return now + CLOCKS_AHEAD


def scope_of(project_id: UUID, start_ns: int, end_ns: int) -> Scope:
    """A range that holds both moments, whatever a span said of its time."""
    start = max(datetime_of(start_ns), _FIRST)
    end = max(start, datetime_of(end_ns)) + _MICROSECOND
    return Scope(project_id, min(start, LAST_MICROSECOND - _MICROSECOND), min(end, LAST_MICROSECOND))
