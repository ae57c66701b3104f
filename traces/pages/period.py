"""The time range of a project's dashboards, and what it is compared with: all of it in the address."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import EPOCH
from traces.reading.ranges import CUSTOM, RANGES
from traces.store.queries.scopes import until_now
from traces.store.queries.steps import Step

from .range_form import RangeForm

QUARTER: Final = timedelta(minutes=15)
WEEK: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=400)  # a row of a table for each day
SHORT = {"15m": _("15 min"), "1h": _("1 h"), "24h": _("24 h"), "7d": _("7 d"), "30d": _("30 d")}
COMPARISONS = [("previous", _("Previous period")), ("week", _("Week before")), ("none", _("Nothing"))]


@dataclass(frozen=True)
class Period:
    """What a dashboard shows: a range, the range it is compared with, and the steps of its charts.

    Presets begin and end on quarters of an hour, in which usage is counted; the running quarter is in them, and
    the next one within a few minutes of its start, for clocks that are ahead. Of the
    compared range as much is looked at as has passed of this one, so that a day is not compared with half of one.
    """

    scope: Scope
    before: Scope | None
    step: Step
    zone: ZoneInfo
    comparison: str

    @classmethod
    def of(cls, project_id: UUID, start: datetime, end: datetime, comparison: str) -> "Period":
        """`comparison`: one of COMPARISONS."""
        now = timezone.now()
        back = max(WEEK, _whole_weeks(end - start)) if comparison == "week" else end - start
        first, last = start - back, min(end, max(now, start + QUARTER)) - back
        has_before = comparison != "none" and first >= EPOCH
        return cls(
            scope=Scope(project_id, start, end),
            before=Scope(project_id, first, last) if has_before else None,
            step=step_for(end - start),
            zone=ZoneInfo(timezone.get_current_timezone_name()),
            comparison=comparison,
        )


def _whole_weeks(length: timedelta) -> timedelta:
    """A range of more than a week is compared with the weeks before it."""
    return WEEK * -(-length // WEEK)


def step_for(length: timedelta) -> Step:
    """Steps of which a chart has some ten to a hundred."""
    if length <= timedelta(hours=6):
        return "quarter"
    return "hour" if length <= timedelta(days=3) else "day"


def quarter_before(moment: datetime) -> datetime:
    """The quarter of an hour that a moment lies in."""
    return moment - (moment - EPOCH) % QUARTER


@dataclass(frozen=True)
class Preset:
    short: str | Promise
    label: str | Promise
    address: str
    is_chosen: bool


class PeriodForm(RangeForm):
    """GET parameters of a dashboard; none means the last seven days against the seven before."""

    compare = forms.ChoiceField(
        required=False,
        label=_("Compared with"),
        choices=COMPARISONS,
        error_messages={"invalid_choice": _("%(value)s is not one of previous, week, none.")},
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if self.errors or values["range"] != CUSTOM:
            return values
        if (values.get("end") or timezone.now()) - values["start"] > LONGEST:
            self.add_error("start", _("Choose at most %(days)d days.") % {"days": LONGEST.days})
        return values

    def period(self, project_id: UUID) -> Period:
        """What a valid form asks for."""
        values = self.cleaned_data
        now = timezone.now()
        end = quarter_before(until_now(now)) + QUARTER
        if values["range"] == CUSTOM:
            start, end = values["start"], values["end"] or end
        else:
            start = quarter_before(now - RANGES[values["range"]][0])
        return Period.of(project_id, start, end, self.comparison)

    @property
    def comparison(self) -> str:
        return self.cleaned_data.get("compare") or "previous"

    @property
    def chosen(self) -> str:
        """The chosen preset or CUSTOM; "" when the address does not fit."""
        return "" if self.errors else self.cleaned_data["range"]

    @property
    def presets(self) -> list[Preset]:
        return [
            Preset(SHORT[key], label, self.address(range=key, start="", end=""), key == self.chosen)
            for key, (_delta, label) in RANGES.items()
        ]

    def kept(self, *changing: str) -> list[tuple[str, str]]:
        """Parameters that a form keeps which changes others, for its hidden fields."""
        names = (name for name in self.fields if name not in changing and name != self.paging)
        return [(name, self.data[name]) for name in names if self.data.get(name)]

    @property
    def kept_for_times(self) -> list[tuple[str, str]]:
        return self.kept("range", "start", "end")

    @property
    def kept_for_comparison(self) -> list[tuple[str, str]]:
        return self.kept("compare")
