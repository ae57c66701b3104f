"""What happened in projects lately. The app that stores spans says so: this one must not import it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

DAYS = 7


@dataclass(frozen=True)
class ProjectActivity:
    """Of the last DAYS days."""

    requests: int = 0
    failed: int = 0
    blocked: int = 0  # requests in which a guardrail blocked something
    cost: Decimal | None = None  # US dollars that are known; None: of none
    unknown_cost_calls: int = 0
    last_seen: datetime | None = None  # the latest end of a span
    steps: tuple[int, ...] = ()  # requests by day, as the clocks of the reader cut them

    @property
    def error_rate(self) -> float | None:
        return self.failed / self.requests if self.requests else None


Source = Callable[[Sequence[UUID], ZoneInfo], Mapping[UUID, ProjectActivity]]
_source: Source | None = None


def register(source: Source) -> None:
    """Called when the portal starts, by the app that knows; it takes the ids of all projects in question at once."""
    global _source
    _source = source


def activity_of(project_ids: Sequence[UUID], zone: ZoneInfo) -> Mapping[UUID, ProjectActivity]:
    """Activity by project; one in which nothing happened may be missing. Raises what the source raises."""
    return _source(project_ids, zone) if _source is not None and project_ids else {}
