"""Which reviews somebody reaches, and what they say together."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db.models import Count, Exists, OuterRef, Q

from projects.models import User
from projects.querysets import ProjectRowsQuerySet

if TYPE_CHECKING:
    from .models import Review  # noqa: F401 - named in annotations below

ACTED = ("blocked", "masked", "flagged")  # where a guardrail stepped in: what its precision is about


class ReviewQuerySet(ProjectRowsQuerySet["Review"]):
    def of_runs_between(self, start: datetime, end: datetime) -> Self:
        """Of runs that started in [start, end)."""
        return self.filter(started_at__gte=start, started_at__lt=end)

    def of_run(self, run_key: str) -> Self:
        return self.filter(run_key=run_key)

    def _is_called(self, verdict: str) -> Exists:
        """Somebody, this reviewer or another one, says that of the run."""
        of_run = type(self)(self.model).filter(project=OuterRef("project"), run_key=OuterRef("run_key"))
        return Exists(of_run.filter(verdict=verdict))

    def in_conflict(self) -> Self:
        """Of runs that one reviewer calls right and another wrong."""
        return self.filter(self._is_called("right"), self._is_called("wrong"))

    def with_conflict(self) -> Self:
        """Adds `is_in_conflict`."""
        return self.annotate(is_in_conflict=self._is_called("right") & self._is_called("wrong"))

    def false_positives(self) -> Self:
        """Of runs in which a guardrail stepped in, wrongly as all say who are sure."""
        return self.filter(~self._is_called("right"), verdict="wrong", outcome__in=ACTED)

    def counts_by_run(self) -> "ReviewQuerySet":
        """Rows {run_key, guardrail, right, wrong}, one for each run in which a guardrail stepped in."""
        rows: Any = self.filter(outcome__in=ACTED).order_by().values("run_key", "guardrail")
        counted: ReviewQuerySet = rows.annotate(
            right=Count("pk", filter=Q(verdict="right")), wrong=Count("pk", filter=Q(verdict="wrong"))
        )
        return counted

    def not_open_for(self, reviewer: User, keys: Collection[str], enough: int) -> set[str]:
        """Those of the keys of runs that `reviewer` has judged, or at least `enough` others."""
        rows: Any = self.filter(run_key__in=keys).order_by().values("run_key")
        counted = rows.annotate(mine=Count("pk", filter=Q(reviewer=reviewer.pk)), all=Count("pk"))
        return {row["run_key"] for row in counted if row["mine"] or row["all"] >= enough}
