"""Which runs a person is shown one after the other to judge: the same for all of one day, so that two meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from agentops_portal.clickhouse.gate import Scope
from projects.models import Project, User
from traces.store.queries.guardrail_sample import JUDGED, sampled_keys
from traces.store.queries.scopes import until_now

from .models import Review

LENGTH: Final = 100  # runs a day
REVIEWERS: Final = 2  # of one run; who opens a run itself may still say what he thinks
DAYS: Final = (1, 7, 30)


@dataclass(frozen=True)
class Queue:
    """Keys of runs in the order in which they come, and those that are still to be judged by whom it is for."""

    keys: Sequence[str]
    open: frozenset[str]

    def candidates(self, after: str = "") -> list[str]:
        """Open ones, those behind `after` first; what was passed over comes again at the end."""
        start = self.keys.index(after) + 1 if after in self.keys else 0
        return [key for key in (*self.keys[start:], *self.keys[:start]) if key in self.open and key != after]

    def beside(self, key: str, step: int) -> str:
        """The key before (-1) or behind (1) one, judged or not; "" at the ends and for a key that is not in it."""
        if key not in self.keys:
            return ""
        place = self.keys.index(key) + step
        return self.keys[place] if 0 <= place < len(self.keys) else ""

    @property
    def done(self) -> int:
        return len(self.keys) - len(self.open)


def queue_of(
    project: Project, reviewer: User, now: datetime, *, days: int = 7, guardrail: str = "", outcome: str = ""
) -> Queue:
    """Of the last days of UTC, the running one among them. Raises ClickHouseError."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    scope = Scope(project.pk, today - timedelta(days=days - 1), until_now(now))
    outcomes = [outcome] if outcome else JUDGED
    keys = sampled_keys(scope, f"{project.pk} {today:%Y-%m-%d}", LENGTH, guardrail, outcomes)
    closed = Review.objects.of_project(project.pk).not_open_for(reviewer, keys, REVIEWERS)
    return Queue(keys, frozenset(keys) - closed)
