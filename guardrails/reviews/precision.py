"""How often a guardrail is right when it steps in, as far as people have looked."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Final

from agentops_portal.clickhouse.gate import Scope

from .models import Review
from .querysets import ReviewQuerySet

ENOUGH: Final = 20  # judged runs; of fewer a share says nothing
_Z: Final = 1.959963984540054  # of 95 %


@dataclass(frozen=True)
class Precision:
    """Runs in which one guardrail stepped in, by what people say of them; each counts once, however many judged it.

    A run that one calls right and another wrong is in conflict, and neither.
    """

    guardrail: str
    right: int
    wrong: int
    conflicts: int = 0

    @property
    def judged(self) -> int:
        return self.right + self.wrong

    @property
    def is_known(self) -> bool:
        return self.judged >= ENOUGH

    @property
    def value(self) -> float | None:
        """Right ÷ (right + wrong); None while too few are judged."""
        return self.right / self.judged if self.is_known else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the share lies with 95 % confidence; None while too few are judged."""
        return wilson(self.right, self.judged) if self.is_known else None


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The score interval of a share, which holds for few and for all or none as well. Raises ValueError without a
    total. https://www.itl.nist.gov/div898/handbook/prc/section2/prc241.htm
    """
    if total <= 0 or not 0 <= hits <= total:
        raise ValueError("a share of nothing")
    share, square = hits / total, _Z * _Z
    middle = share + square / (2 * total)
    reach = _Z * sqrt(share * (1 - share) / total + square / (4 * total * total))
    return max(0.0, (middle - reach) / (1 + square / total)), min(1.0, (middle + reach) / (1 + square / total))


def precisions(scope: Scope) -> list[Precision]:
    """Of each guardrail with a review of a run that started in the scope, the most judged first."""
    return precision_of(Review.objects.of_project(scope.project_id), scope.start, scope.end)


def precision_of(reviews: ReviewQuerySet, start: datetime, end: datetime) -> list[Precision]:
    right, wrong, conflicts = Counter[str](), Counter[str](), Counter[str]()
    names: set[str] = set()
    for row in _rows(reviews.of_runs_between(start, end).counts_by_run()):
        name, is_right, is_wrong = row
        names.add(name)
        counter = conflicts if is_right and is_wrong else right if is_right else wrong if is_wrong else None
        if counter is not None:
            counter[name] += 1
    found = [Precision(name, right[name], wrong[name], conflicts[name]) for name in names]
    return sorted(found, key=lambda each: (-each.judged, each.guardrail))


def _rows(counted: ReviewQuerySet) -> Iterable[tuple[str, bool, bool]]:
    for row in counted.iterator():
        values: dict[str, object] = row  # type: ignore[assignment]
        yield str(values["guardrail"]), bool(values["right"]), bool(values["wrong"])
