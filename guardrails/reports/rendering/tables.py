"""The tables of a report, each of one section of its schedule."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..contents import LONGEST_NAME
from ..models import Section
from . import links
from .document import Column, Row, Table, change_ratio, name_of, ratio_of

Figures = Mapping[str, Any]
PHASES: Final[dict[str, Promise]] = {
    "input": gettext_lazy("Input: what goes to the model"),
    "output": gettext_lazy("Output: what comes back"),
    "other": gettext_lazy("Other, such as tools"),
}
PLACES: Final[dict[str, Promise]] = {
    "model": gettext_lazy("Model"),
    "agent": gettext_lazy("Agent"),
    "user": gettext_lazy("User"),
}


def tables_of(figures: Figures, zone: ZoneInfo) -> list[Table]:
    """Of the sections that the schedule has, in the order in which they are read."""
    makers: dict[str, Callable[[], list[Table]]] = {
        Section.OVER_TIME: lambda: [_over_time(figures, zone)],
        Section.GUARDRAILS: lambda: [_guardrails(figures), *_silent(figures)],
        Section.PHASES: lambda: [_phases(figures)],
        Section.PLACES: lambda: [_places(figures, place) for place in PLACES],
        Section.COVERAGE: lambda: [_unseen(figures)],
        Section.USAGE: lambda: [_models(figures)],
    }
    by_project = [_by_project(figures)] if len(figures["projects"]) > 1 else []
    chosen = [table for section in Section.values if section in figures["sections"] for table in makers[section]()]
    return by_project + [table for table in chosen if table.rows or table.empty]


def _named(figures: Figures) -> dict[str, str]:
    return {project["id"]: name_of(project["name"]) for project in figures["projects"]}


def _project_column(figures: Figures) -> tuple[Column, ...]:
    """Of a report on several projects."""
    return (Column(_("Project"), "text"),) if len(figures["projects"]) > 1 else ()


def _project_cell(figures: Figures, row: Figures) -> tuple[str, ...]:
    return (_named(figures)[row["project_id"]],) if len(figures["projects"]) > 1 else ()


def _by_project(figures: Figures) -> Table:
    names = _named(figures)
    rows = [
        Row(
            (
                names[each["project_id"]],
                each["totals"]["checks"],
                each["totals"]["blocked"],
                change_ratio(each["totals"]["blocked"], each["totals_before"]["blocked"]),
                each["totals"]["failed"],
                ratio_of(each["totals"]["traces_with_calls_and_checks"], each["totals"]["traces_with_calls"]),
                None if each["totals"]["cost"] is None else Decimal(each["totals"]["cost"]),
            ),
            links.in_period(figures, each["project_id"]),
        )
        for each in sorted(figures["by_project"], key=lambda each: (-each["totals"]["blocked"], each["project_id"]))
    ]
    columns = (
        Column(_("Project"), "text"),
        Column(_("Checks")),
        Column(_("Blocked"), has_bar=True),
        Column(_("Change"), "change", is_minor=True),
        Column(_("Failed"), is_bad=True),
        Column(_("Coverage"), "ratio"),
        Column(_("Cost"), "dollars", is_minor=True),
    )
    return Table("projects", _("By project"), columns, tuple(rows))


def _over_time(figures: Figures, zone: ZoneInfo) -> Table:
    is_hourly = figures["period"]["frequency"] == "daily"
    rows = []
    for step in figures["over_time"]:
        start = datetime.fromisoformat(step["start"]).astimezone(zone)
        if is_hourly and not step["runs"]:
            continue  # a night without a check is no news
        day = f"{date_format(start, 'MONTH_DAY_FORMAT')} ({date_format(start, 'D')})"
        counts = (step["runs"], step["blocked"], step["masked"], step["failed"])
        rows.append(Row((date_format(start, "H:i") if is_hourly else day, *counts)))
    columns = (
        Column(_("Hour") if is_hourly else _("Day"), "text"),
        Column(_("Checks"), has_bar=True),
        Column(_("Blocked"), has_bar=True),
        Column(_("Masked"), is_minor=True),
        Column(_("Failed"), is_bad=True, is_minor=True),
    )
    return Table(Section.OVER_TIME, _("Over time"), columns, tuple(rows), is_whole=True)


def _guardrails(figures: Figures) -> Table:
    rows = [
        Row(
            (
                name_of(row["guardrail"]),
                *_project_cell(figures, row),
                name_of(row["mode"]),
                row["runs"],
                row["blocked"],
                change_ratio(row["blocked"], row["blocked_before"]),
                row["masked"],
                row["flagged"],
                row["failed"],
                row["p95_ms"],
            ),
            links.in_period(figures, row["project_id"], guardrail="blocked" if row["blocked"] else "allowed"),
        )
        for row in figures["guardrails"]
    ]
    columns = (
        Column(_("Guardrail"), "text"),
        *_project_column(figures),
        Column(_("Mode"), "text", is_minor=True),
        Column(_("Checks")),
        Column(_("Blocked"), has_bar=True),
        Column(_("Change"), "change", is_minor=True),
        Column(_("Masked"), is_minor=True),
        Column(_("Flagged"), is_minor=True),
        Column(_("Failed"), is_bad=True),
        Column(_("Time p95"), "ms", is_minor=True),
    )
    return Table(Section.GUARDRAILS, _("By guardrail"), columns, tuple(rows), empty=_("No guardrail ran."))


def _silent(figures: Figures) -> list[Table]:
    if not figures["silent"]:
        return []
    rows = [
        Row(
            (
                name_of(row["guardrail"]),
                *_project_cell(figures, row),
                name_of(row["mode"]),
                row["runs_before"],
            ),
            links.in_period(figures, row["project_id"], period="before"),
        )
        for row in figures["silent"]
    ]
    columns = (
        Column(_("Guardrail"), "text"),
        *_project_column(figures),
        Column(_("Mode"), "text", is_minor=True),
        Column(_("Checks before")),
    )
    note = _("They ran in the period before and not once in this one: switched off, renamed or broken?")
    return [Table("silent", _("Fell silent"), columns, tuple(rows), note)]


def _phases(figures: Figures) -> Table:
    rows = [
        Row(
            (
                str(PHASES[row["phase"]]),
                row["runs"],
                row["blocked"],
                ratio_of(row["blocked"], row["runs"]),
                row["duration_ms"] / row["runs"] if row["runs"] else None,
            ),
            links.in_period(figures, guardrail="blocked" if row["blocked"] else "allowed"),
        )
        for row in figures["phases"]
        if row["runs"]
    ]
    columns = (
        Column(_("Looked at"), "text"),
        Column(_("Checks"), has_bar=True),
        Column(_("Blocked"), has_bar=True),
        Column(_("Block rate"), "ratio"),
        Column(_("Mean time"), "ms", is_minor=True),
    )
    return Table(Section.PHASES, _("Input and output"), columns, tuple(rows))


def _places(figures: Figures, place: str) -> Table:
    rows = [
        Row(
            (
                name_of(row["name"]),
                *_project_cell(figures, row),
                row["blocked"],
                row["masked"],
                row["flagged"],
                row["failed"],
            ),
            links.in_period(figures, row["project_id"], **_filter(place, row["name"])),
        )
        for row in figures["places"]
        if row["place"] == place
    ]
    columns = (
        Column(str(PLACES[place]), "text"),
        *_project_column(figures),
        Column(_("Blocked"), has_bar=True),
        Column(_("Masked")),
        Column(_("Flagged"), is_minor=True),
        Column(_("Failed"), is_bad=True),
    )
    titles = {
        "model": _("Models where guardrails stepped in"),
        "agent": _("Agents where guardrails stepped in"),
        "user": _("Users where guardrails stepped in"),
    }
    note = _("A request with several models counts for each of them.") if place == "model" and rows else ""
    return Table(f"{Section.PLACES}_{place}", titles[place], columns, tuple(rows), note)


def _filter(place: str, name: str) -> dict[str, str]:
    """Of a name that is cut, the list would find nothing."""
    return {place: name} if len(name) < LONGEST_NAME else {}


def _unseen(figures: Figures) -> Table:
    rows = [
        Row(
            (
                name_of(row["name"]),
                *_project_cell(figures, row),
                str(PLACES[row["place"]]),
                row["unseen"],
                row["with_calls"],
                ratio_of(row["with_calls_and_runs"], row["with_calls"]),
            ),
            links.in_period(figures, row["project_id"], llm="1", **_filter(row["place"], row["name"])),
        )
        for row in figures["unseen"]
    ]
    columns = (
        Column(_("Name"), "text"),
        *_project_column(figures),
        Column(_("Type"), "text", is_minor=True),
        Column(_("Without a check"), has_bar=True, is_bad=True),
        Column(_("Requests"), is_minor=True),
        Column(_("Coverage"), "ratio"),
    )
    all_seen = _("Every request that called a model was looked at by a guardrail.")
    return Table(
        Section.COVERAGE,
        _("What no guardrail saw"),
        columns,
        tuple(rows),
        empty=all_seen if figures["totals"]["checks"] else "",
    )


def _models(figures: Figures) -> Table:
    rows = [
        Row(
            (
                name_of(row["model"], _("not named")),
                *_project_cell(figures, row),
                row["calls"],
                row["failed_calls"],
                row["total_tokens"],
                None if row["cost"] is None else Decimal(row["cost"]),
                ratio_of(row["unknown_cost_calls"], row["calls"]),
            ),
            links.in_period(figures, row["project_id"], llm="1", **_filter("model", row["model"])),
        )
        for row in figures["models"]
    ]
    columns = (
        Column(_("Model"), "text"),
        *_project_column(figures),
        Column(_("LLM calls"), has_bar=True),
        Column(_("Failed"), is_bad=True, is_minor=True),
        Column(_("Tokens"), is_minor=True),
        Column(_("Cost"), "dollars"),
        Column(_("Cost unknown"), "ratio"),
    )
    note = _("Counted in whole quarters of an hour. Cost unknown: the share of calls whose price nobody knows.")
    return Table(Section.USAGE, _("Cost and tokens by model"), columns, tuple(rows), note)
