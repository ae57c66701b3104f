"""What a policy would have done on what a project recorded: the same figures, minute by minute, and the same rules."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from agentops_portal.clickhouse.gate import ProjectsScope
from guardrails.incidents.models import Severity
from projects.models import Project
from traces.store.queries.watched import (
    Spender,
    Spent,
    WatchedRuns,
    WatchedTraces,
    runs_by_minute,
    spent_by_quarter,
    traces_by_minute,
)

from .deciding import Reading, Standing, decide, is_enough
from .kinds import COMPARED, KINDS, LENGTHS, Kind
from .models import Policy
from .readings import absent, reading_of_failures, reading_of_traces, readings_of_costs, readings_of_silence
from .windows import window_start

DAYS: Final = (1, 7, 14, 30)
MINUTE: Final = timedelta(minutes=1)
QUARTER: Final = timedelta(minutes=15)
LONGEST_PERIOD: Final = timedelta(days=31)
MOST_SUBJECTS: Final = 5  # that a chart shows


@dataclass
class Opening:
    """An incident that would have been."""

    subject: str
    severity: str
    opened_at: datetime
    value: Decimal
    ended_at: datetime | None = None

    @property
    def label(self) -> str:
        return str(Severity(self.severity).label)


@dataclass
class Simulated:
    """openings: in their order. series: subject → moment → value, of the subjects with the worst ones."""

    start: datetime
    end: datetime
    openings: list[Opening] = field(default_factory=list)
    series: dict[str, dict[datetime, Decimal | None]] = field(default_factory=dict)


def simulate(policy: Policy, project: Project, days: int, now: datetime) -> Simulated:
    """The last `days` before `now`, of one project; values of too little are none. Raises the gate's errors."""
    end = now.replace(second=0, microsecond=0)
    start = end - timedelta(days=days)
    result = Simulated(start, end)
    standing: dict[str, Standing] = {}
    going_on: dict[str, Opening] = {}
    for moment, readings in _moments(policy, project, start, end):
        absent_ones = {subject: absent(policy, moment) for subject in going_on if subject not in readings}
        for subject, reading in {**readings, **absent_ones}.items():
            result.series.setdefault(subject, {})[moment] = reading.value if is_enough(policy, reading) else None
            _apply(policy, subject, reading, moment, standing, going_on, result.openings)
    result.series = _worst(policy, result.series)
    return result


def figure_over_time(
    policy: Policy, project: Project, subject: str, start: datetime, end: datetime
) -> dict[datetime, Decimal | None]:
    """Moment → value of one subject, as it was read then. Raises the gate's errors."""
    moments = _moments(policy, project, start.replace(second=0, microsecond=0), end)
    return {moment: readings[subject].value if subject in readings else None for moment, readings in moments}


def _apply(
    policy: Policy,
    subject: str,
    reading: Reading,
    moment: datetime,
    standing: dict[str, Standing],
    going_on: dict[str, Opening],
    openings: list[Opening],
) -> None:
    step = decide(policy, reading, standing.get(subject, Standing()), moment)
    if step is None:
        return
    if step.outcome == "opened":
        opening = Opening(subject, step.severity, moment, reading.value or Decimal(0))
        openings.append(opening)
        going_on[subject], standing[subject] = opening, Standing(step.severity)
    elif step.outcome == "escalated":
        going_on[subject].severity, standing[subject] = step.severity, Standing(step.severity)
    else:
        going_on.pop(subject).ended_at = moment
        standing[subject] = Standing(ended_at=moment)


def _worst(
    policy: Policy, series: Mapping[str, dict[datetime, Decimal | None]]
) -> dict[str, dict[datetime, Decimal | None]]:
    def extreme(subject: str) -> Decimal:
        values = [value for value in series[subject].values() if value is not None]
        return (min(values) if KINDS[policy.kind].is_floor else -max(values)) if values else Decimal("Infinity")

    return {subject: series[subject] for subject in sorted(series, key=extreme)[:MOST_SUBJECTS]}


def _moments(
    policy: Policy, project: Project, start: datetime, end: datetime
) -> Iterator[tuple[datetime, Mapping[str, Reading]]]:
    """Each moment of evaluation, with what is read then by subject: of costs every quarter of an hour, for they are
    kept so; else every minute.
    """
    if policy.kind == Kind.COST_BUDGET:
        return _of_costs(policy, project, start, end)
    if KINDS[policy.kind].source == "traces":
        return _of_traces(policy, project, start, end)
    return _of_runs(policy, project, start, end)


def _of_traces(
    policy: Policy, project: Project, start: datetime, end: datetime
) -> Iterator[tuple[datetime, Mapping[str, Reading]]]:
    length = LENGTHS[policy.window]
    sums = _Sums({at: astuple(one) for at, one in traces_by_minute(_scope(project, start - length, end)).items()}, 7)
    for moment in _steps(start, end, MINUTE):
        traces = WatchedTraces(*sums.between(moment - length, moment))
        yield moment, {"": reading_of_traces(policy, traces, moment)}


def _of_runs(
    policy: Policy, project: Project, start: datetime, end: datetime
) -> Iterator[tuple[datetime, Mapping[str, Reading]]]:
    length = LENGTHS[policy.window]
    is_silence = policy.kind == Kind.GUARDRAIL_SILENT
    compared = COMPARED if is_silence else timedelta()
    scope = _scope(project, start - length - compared, end)
    runs = {
        name: _Sums({at: (one.runs, one.failed) for at, one in minutes.items()}, 2)
        for name, minutes in runs_by_minute(scope).items()
    }
    traces = traces_by_minute(_scope(project, start - length, end)) if is_silence else {}
    calls = _Sums({at: (one.with_calls,) for at, one in traces.items()}, 1)
    for moment in _steps(start, end, MINUTE):
        begin = moment - length
        found = {
            name: _runs(sums.between(begin, moment), sums.between(begin - compared, begin))
            for name, sums in runs.items()
        }
        if is_silence:
            yield moment, readings_of_silence(policy, found, calls.between(begin, moment)[0], moment)
        else:
            yield moment, {"": reading_of_failures(policy, found.values(), moment)}


def _of_costs(
    policy: Policy, project: Project, start: datetime, end: datetime
) -> Iterator[tuple[datetime, Mapping[str, Reading]]]:
    by: Spender = "model" if policy.dimension == "model" else "user" if policy.dimension == "user" else "project"
    first = window_start(policy, start + MINUTE)
    found = spent_by_quarter(_scope(project, first, end), by)
    sums = {
        name: _Sums({at: (one.cost, one.unknown_calls) for at, one in quarters.items()}, 2)
        for name, quarters in found.items()
    }
    for moment in _steps(_next_quarter(start), end, QUARTER):
        begin = window_start(policy, moment)
        spent = {name: _spent(each.between(begin, moment)) for name, each in sums.items()}
        if by == "project":
            spent.setdefault("", Spent())
        yield moment, readings_of_costs({name: each for name, each in spent.items() if each.cost or not name}, begin)


def _runs(now: tuple[int, ...], before: tuple[int, ...]) -> WatchedRuns:
    runs, failed = now
    return WatchedRuns(runs, failed, before[0])


def _spent(sums: tuple[int, ...]) -> Spent:
    cost, unknown_calls = sums
    return Spent(Decimal(cost), unknown_calls)


class _Sums:
    """Sums of several numbers between two moments, each found in a few steps however long the time between them."""

    def __init__(self, found: Mapping[datetime, Sequence[Decimal | int]], width: int) -> None:
        self._moments = sorted(found)
        self._until: list[tuple[Decimal | int, ...]] = [(0,) * width]
        for moment in self._moments:
            self._until.append(tuple(a + b for a, b in zip(self._until[-1], found[moment], strict=True)))

    def between(self, start: datetime, end: datetime) -> tuple[int, ...]:
        first, last = self._until[bisect_left(self._moments, start)], self._until[bisect_left(self._moments, end)]
        return tuple(b - a for a, b in zip(first, last, strict=True))  # type: ignore[misc]


def _scope(project: Project, start: datetime, end: datetime) -> ProjectsScope:
    return ProjectsScope((project.pk,), start, end)


def _steps(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    moment = start + step
    while moment <= end:
        yield moment
        moment += step


def _next_quarter(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 15 * 15)
