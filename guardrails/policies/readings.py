"""The figures of all policies at a moment: one question to ClickHouse for each source, whatever the number of projects.

Kinds that read the same rows share a question.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final, get_args
from uuid import UUID

from agentops_portal.clickhouse.gate import ClickHouseError, ClickHouseUnavailable, ProjectsScope
from projects.models import Project
from traces.store.queries.watched import (
    Spender,
    Spent,
    WatchedRuns,
    WatchedTraces,
    spent_since,
    watched_runs,
    watched_traces,
)

from .deciding import Reading
from .kinds import COMPARED, KINDS, LENGTHS, Kind
from .models import Policy
from .windows import window_start

_Key = tuple[UUID, UUID]  # of a policy and a project
SECOND: Final = timedelta(seconds=1)
NO_TRACES: Final = WatchedTraces()
Readings = Mapping[str, Reading]  # by subject: a model, user or guardrail, "" for the project


@dataclass(frozen=True)
class Watch:
    """A policy in one of its projects."""

    policy: Policy
    project: Project

    @property
    def key(self) -> _Key:
        return self.policy.pk, self.project.pk


_Ask = Callable[[Sequence[Watch], datetime], dict[_Key, Readings]]


@dataclass(frozen=True)
class Answers:
    """readings: without those whose question failed; problems: why, by watch."""

    readings: Mapping[_Key, Readings]
    problems: Mapping[_Key, str]


def readings_of(watches: Sequence[Watch], moment: datetime) -> Answers:
    """As of the moment. Raises ClickHouseUnavailable; a question that fails for another reason is a problem of those
    who asked it.
    """
    readings: dict[_Key, Readings] = {}
    problems: dict[_Key, str] = {}
    for group, ask in _groups(watches):
        try:
            readings |= ask(group, moment)
        except ClickHouseUnavailable:
            raise
        except ClickHouseError as error:
            problems |= {each.key: str(error) for each in group}
    return Answers(readings, problems)


def _groups(watches: Sequence[Watch]) -> Iterable[tuple[list[Watch], _Ask]]:
    for source, ask in (("traces", _from_traces), ("guardrails", _from_runs)):
        if found := [each for each in watches if KINDS[each.policy.kind].source == source]:
            yield found, ask
    budgets = [each for each in watches if each.policy.kind == Kind.COST_BUDGET]
    for by in get_args(Spender):
        if found := [each for each in budgets if each.policy.dimension == by]:
            yield found, partial(_from_costs, by)


def _from_traces(watches: Sequence[Watch], moment: datetime) -> dict[_Key, Readings]:
    found = _traces_of(watches, moment)
    return {
        each.key: {"": reading_of_traces(each.policy, found.get((each.project.pk, _seconds(each)), NO_TRACES), moment)}
        for each in watches
    }


def _from_runs(watches: Sequence[Watch], moment: datetime) -> dict[_Key, Readings]:
    """Of all guardrails together, or of each that ran in the time before."""
    silent = [each for each in watches if each.policy.kind == Kind.GUARDRAIL_SILENT]
    compared = COMPARED if silent else timedelta()
    windows = set(map(_seconds, watches))
    runs = watched_runs(_scope(watches, moment - max(windows) * SECOND - compared, moment), windows, compared)
    traces = _traces_of(silent, moment) if silent else {}
    readings: dict[_Key, Readings] = {}
    for each in watches:
        place = (each.project.pk, _seconds(each))
        of_project = runs.get(place, {})
        if each.policy.kind == Kind.GUARDRAIL_SILENT:
            calls = traces.get(place, NO_TRACES).with_calls
            readings[each.key] = readings_of_silence(each.policy, of_project, calls, moment)
        else:
            readings[each.key] = {"": reading_of_failures(each.policy, of_project.values(), moment)}
    return readings


def _from_costs(by: Spender, watches: Sequence[Watch], moment: datetime) -> dict[_Key, Readings]:
    starts = {each.key: window_start(each.policy, moment) for each in watches}
    least = min(each.policy.warn_at or each.policy.threshold for each in watches) if by != "project" else Decimal(0)
    found = spent_since(_scope(watches, min(starts.values()), moment), set(starts.values()), by, least)
    return {
        each.key: readings_of_costs(found.get((each.project.pk, starts[each.key]), {}), starts[each.key])
        for each in watches
    }


def reading_of_traces(policy: Policy, traces: WatchedTraces, moment: datetime) -> Reading:
    sums, kind = asdict(traces), KINDS[policy.kind]
    volume = sums[kind.volume] if kind.volume else None
    return Reading(kind.value(sums), window_start(policy, moment), volume)


def reading_of_failures(policy: Policy, runs: Iterable[WatchedRuns], moment: datetime) -> Reading:
    each = list(runs)
    sums = {"runs": sum(one.runs for one in each), "failed": sum(one.failed for one in each)}
    return Reading(KINDS[policy.kind].value(sums), window_start(policy, moment), sums["runs"])


def readings_of_silence(policy: Policy, runs: Mapping[str, WatchedRuns], calls: int, moment: datetime) -> Readings:
    """Of each guardrail that is missed when it does not run."""
    start = window_start(policy, moment)
    return {name: Reading(Decimal(one.runs), start, calls) for name, one in runs.items() if one.before}


def readings_of_costs(spent: Mapping[str, Spent], start: datetime) -> Readings:
    return {name: Reading(each.cost, start, unknown_calls=each.unknown_calls) for name, each in spent.items()}


def absent(policy: Policy, moment: datetime) -> Reading:
    """Of what an incident is of and nothing was read: a user that spends less than any budget, a guardrail that is not
    missed any more.
    """
    budget = policy.kind == Kind.COST_BUDGET
    return Reading(Decimal(0) if budget else None, window_start(policy, moment))


def _traces_of(watches: Sequence[Watch], moment: datetime) -> dict[tuple[UUID, int], WatchedTraces]:
    windows = set(map(_seconds, watches))
    return watched_traces(_scope(watches, moment - max(windows) * SECOND, moment), windows)


def _scope(watches: Sequence[Watch], start: datetime, end: datetime) -> ProjectsScope:
    projects = {each.project.pk for each in watches}
    return ProjectsScope(tuple(sorted(projects)), start, end)


def _seconds(watch: Watch) -> int:
    return int(LENGTHS[watch.policy.window].total_seconds())
