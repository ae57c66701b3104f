"""The figures of a report, as JSON: counted once, kept with the report, and what every form of it is made of.

Every number comes from a query of `traces/store/queries`, so a report says what the pages say. Sums of money are text,
so that no digit is lost; times are ISO 8601 in UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import milliseconds
from projects.models import Project
from traces.ingest.receipts.models import IngestReceipt
from traces.store.dialects.base import GUARDRAIL_OUTCOMES
from traces.store.queries.guarded import GuardedPlace, least_covered, most_stepped_in, runs_over_time
from traces.store.queries.guardrail_phases import runs_by_phase
from traces.store.queries.guardrails import GuardrailUse, guarded_traces, guardrail_use
from traces.store.queries.steps import Step
from traces.store.queries.trace_metrics import EVERY, trace_count
from traces.store.queries.usage import usage_by, usage_total

from .models import Report, ReportSchedule
from .periods import Period

SCHEMA: Final = 1
MOST: Final = 20  # rows that a list of names has; the live page has all
MOST_PROJECTS: Final = 100  # of an organization
LONGEST_NAME: Final = 300  # characters that are kept of what a client called something
Figures = dict[str, Any]


def figures_of(schedule: ReportSchedule, period: Period, *, revision: int = 1, is_late: bool = False) -> Figures:
    """What happened in a period, and in the one before it. Raises ClickHouseError."""
    before = schedule.rhythm.previous(period)
    projects = projects_of(schedule)
    each = [_of_project(project, period, before, schedule) for project in projects]
    return {
        "schema": SCHEMA,
        "name": schedule.name,
        "of": _subject(schedule),
        "projects": [{"id": str(project.pk), "name": project.name} for project in projects],
        "period": _told(period, schedule),
        "before": _told(before, schedule),
        "revision": revision,
        "is_late": is_late,
        "frozen_at": timezone.now().isoformat(),
        "sections": list(schedule.sections),
        "totals": _sum([one["totals"] for one in each]),
        "totals_before": _sum([one["totals_before"] for one in each]),
        "by_project": [
            {"project_id": str(project.pk), "totals": one["totals"], "totals_before": one["totals_before"]}
            for project, one in zip(projects, each, strict=True)
        ],
        "over_time": _over_time([one["over_time"] for one in each]),
        "phases": _phases([one["phases"] for one in each]),
        **{name: _first([row for one in each for row in one[name]], *order) for name, order in _LISTS.items()},
        "completeness": _completeness(projects, period) | {"late": _late(schedule, before, each)},
    }


# Lists by name, and what they are sorted by, the most first.
_LISTS: Final[dict[str, tuple[str, ...]]] = {
    "guardrails": ("blocked", "runs"),
    "silent": ("runs_before",),
    "places": ("blocked", "acted"),
    "unseen": ("unseen",),
    "models": ("calls",),
}


def projects_of(schedule: ReportSchedule) -> list[Project]:
    if schedule.project is not None:
        return [schedule.project]
    return list(Project.objects.active().of_organization(schedule.organization_id)[:MOST_PROJECTS])


def is_empty(figures: Mapping[str, Any]) -> bool:
    """Nothing happened: no guardrail ran, no model was called, nobody asked anything."""
    totals = figures["totals"]
    return not any(totals[name] for name in ("checks", "calls", "requests", "traces_with_calls"))


def _subject(schedule: ReportSchedule) -> dict[str, str]:
    of = schedule.project or schedule.organization
    return {"kind": "project" if schedule.project else "organization", "id": str(of.pk), "name": of.name}


def _told(period: Period, schedule: ReportSchedule) -> dict[str, str]:
    return {
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
        "timezone": schedule.timezone,
        "frequency": schedule.frequency,
        "iso_week": period.iso_week,
    }


def _of_project(project: Project, period: Period, before: Period, schedule: ReportSchedule) -> Figures:
    scope, scope_before = (Scope(project.pk, each.start, each.end) for each in (period, before))
    uses, uses_before = guardrail_use(scope), guardrail_use(scope_before)
    step: Step = "hour" if schedule.frequency == "daily" else "day"
    in_project = {"project_id": str(project.pk)}
    named_before = {(use.guardrail, use.mode): use for use in uses_before}
    named = {(use.guardrail, use.mode) for use in uses}
    places = [place for found in most_stepped_in(scope, MOST).values() for place in found]
    return {
        "totals": _totals(scope, uses),
        "totals_before": _totals(scope_before, uses_before),
        "over_time": [
            {"start": start.isoformat(), **counts} for start, counts in runs_over_time(scope, step, period.zone).items()
        ],
        "phases": {phase: asdict(runs) for phase, runs in runs_by_phase(scope).items()},
        "guardrails": [in_project | _guardrail(use, named_before.get((use.guardrail, use.mode))) for use in uses],
        "silent": [
            in_project | {"guardrail": _cut(use.guardrail), "mode": _cut(use.mode), "runs_before": use.runs}
            for use in uses_before
            if (use.guardrail, use.mode) not in named
        ],
        "places": [in_project | _place(place) for place in places],
        "unseen": [in_project | _place(place) for place in least_covered(scope, MOST)],
        "models": [
            in_project
            | {
                "model": _cut(name),
                "calls": usage.calls,
                "failed_calls": usage.failed_calls,
                "total_tokens": usage.total_tokens,
                "cost": _money(usage.cost.known),
                "unknown_cost_calls": usage.cost.unknown_calls,
            }
            for name, usage in usage_by(scope, "model", MOST).items()
            if usage.calls
        ],
    }


def _totals(scope: Scope, uses: Sequence[GuardrailUse]) -> Figures:
    traces, usage = guarded_traces(scope), usage_total(scope)
    checks = sum(use.runs for use in uses)
    outcomes = {name: sum(getattr(use, name) for use in uses) for name in GUARDRAIL_OUTCOMES}
    return {
        "checks": checks,
        **outcomes,
        "requests": trace_count(scope, EVERY),
        "traces_with_calls": traces.with_calls,
        "traces_with_calls_and_checks": traces.with_calls_and_runs,
        "traces_with_checks": traces.with_runs,
        "traces_with_blocks": traces.with_blocks,
        "calls": usage.calls,
        "failed_calls": usage.failed_calls,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "cost": _money(usage.cost.known),
        "unknown_cost_calls": usage.cost.unknown_calls,
    }


def _guardrail(use: GuardrailUse, before: GuardrailUse | None) -> Figures:
    outcomes = {name: getattr(use, name) for name in GUARDRAIL_OUTCOMES}
    return {
        "guardrail": _cut(use.guardrail),
        "mode": _cut(use.mode),
        "runs": use.runs,
        **outcomes,
        "p50_ms": milliseconds(use.p50_ns),
        "p95_ms": milliseconds(use.p95_ns),
        "runs_before": before.runs if before else 0,
        "blocked_before": before.blocked if before else 0,
    }


def _place(place: GuardedPlace) -> Figures:
    return {
        **asdict(place),
        "name": _cut(place.name),
        "acted": place.masked + place.flagged + place.blocked + place.failed,
        "unseen": place.with_calls - place.with_calls_and_runs,
    }


def _sum(totals: Sequence[Figures]) -> Figures:
    """Of several projects; a cost of which nothing is known stays unknown."""
    names = totals[0] if totals else _NOTHING
    added: Figures = {name: sum(each[name] for each in totals) for name in names if name != "cost"}
    costs = [Decimal(each["cost"]) for each in totals if each["cost"] is not None]
    return {**added, "cost": _money(sum(costs, Decimal())) if costs else None}


_NOTHING: Final = (
    *("checks", *GUARDRAIL_OUTCOMES, "requests", "traces_with_calls", "traces_with_calls_and_checks"),
    *("traces_with_checks", "traces_with_blocks", "calls", "failed_calls", "input_tokens", "output_tokens"),
    *("total_tokens", "cost", "unknown_cost_calls"),
)


def _over_time(projects: Sequence[list[Figures]]) -> list[Figures]:
    steps: dict[str, Figures] = {}
    for rows in projects:
        for row in rows:
            sums = steps.setdefault(row["start"], {"start": row["start"]})
            for name, value in row.items():
                if name != "start":
                    sums[name] = sums.get(name, 0) + value
    return list(steps.values())


def _phases(projects: Sequence[dict[str, Figures]]) -> list[Figures]:
    return [
        {
            "phase": phase,
            "runs": sum(each[phase]["runs"] for each in projects),
            "blocked": sum(each[phase]["blocked"] for each in projects),
            "duration_ms": milliseconds(sum(each[phase]["duration_ns"] for each in projects)),
        }
        for phase in ("input", "output", "other")
    ]


def _first(rows: list[Figures], *order: str) -> list[Figures]:
    """Those that matter most, of each kind of place."""
    ordered = sorted(rows, key=lambda row: [-row[name] for name in order])
    taken: dict[str, int] = {}
    shown = []
    for row in ordered:
        kind = row.get("place", "")
        taken[kind] = taken.get(kind, 0) + 1
        if taken[kind] <= MOST:
            shown.append(row)
    return shown


def _completeness(projects: Sequence[Project], period: Period) -> Figures:
    """What the receiver took and refused in the hours of the period."""
    names = ("accepted_spans", "repeated_spans", "rejected_spans", "refused_requests")
    sums: Figures = dict.fromkeys(names, 0)
    newest: datetime | None = None
    for project in projects:
        for receipt in IngestReceipt.objects.of_project(project.pk).between(period.start, period.end):
            for name in names:
                sums[name] += getattr(receipt, name)
            if receipt.last_accepted_at is not None:
                newest = max(newest or receipt.last_accepted_at, receipt.last_accepted_at)
    return {**sums, "last_received_at": newest.isoformat() if newest else None}


def _late(schedule: ReportSchedule, before: Period, each: Sequence[Figures]) -> Figures | None:
    """What has arrived for the period before since its report was made; None without such a report."""
    reported = (
        Report.objects.frozen().filter(schedule=schedule, period_start=before.start, period_end=before.end).first()
    )  # the newest revision
    if reported is None or reported.figures is None:
        return None
    now = _sum([one["totals_before"] for one in each])
    return {name: {"then": reported.figures["totals"][name], "now": now[name]} for name in ("checks", "requests")}


def _cut(name: str) -> str:
    """Short enough to be read, and without the one sign that PostgreSQL holds in no text."""
    return name[:LONGEST_NAME].replace("\0", "\N{REPLACEMENT CHARACTER}")


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.normalize():f}"
