"""Charts of dashboards: what static/js/charts.js draws, and the table that says the same to everybody else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from agentops_portal import formats
from traces.store.queries.steps import Step

Unit = Literal["count", "dollars", "duration", "share", "rate"]  # a rate is a share whose axis ends where it does
Kind = Literal["bars", "lines"]
Number = int | float | Decimal

SHOWS: dict[Unit, Callable[..., str]] = {
    "count": formats.count,
    "dollars": formats.dollars,
    "duration": lambda value: formats.duration(round(value)),
    "share": formats.percent,
    "rate": formats.percent,
}


@dataclass(frozen=True)
class Line:
    """One series. None is a step in which there was nothing to measure."""

    name: str
    values: Sequence[Number | None]
    tone: Literal["", "bad", "warn", "good", "muted"] = ""
    place: int | None = None  # of its colour: the same name has one colour in all charts of a page


@dataclass(frozen=True)
class Chart:
    """Bars or lines over the steps of a range, and their table."""

    id: str  # of its element; also the name of its table as a download
    title: str | Promise
    help: str | Promise
    unit: Unit
    starts: Sequence[datetime]
    step: Step
    lines: Sequence[Line]
    kind: Kind = "bars"
    download: str = ""  # the address of the table as CSV

    @property
    def spec(self) -> dict[str, Any]:
        """What the script draws."""
        return {
            "kind": self.kind,
            "unit": self.unit,
            "labels": [step_label(start, self.step) for start in self.starts],
            "lines": [
                {
                    "name": line.name,
                    "tone": line.tone,
                    "place": index if line.place is None else line.place,
                    "values": [_plain(value) for value in line.values],
                }
                for index, line in enumerate(self.lines)
            ],
        }

    @property
    def spec_id(self) -> str:
        return f"{self.id}-data"

    @property
    def is_empty(self) -> bool:
        return not any(value for line in self.lines for value in line.values)

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """Step and one text per line, the newest step first, for that is what people look for."""
        show = SHOWS[self.unit]
        rows = [
            (
                step_label(start, self.step),
                ["–" if (value := line.values[index]) is None else show(value) for line in self.lines],
            )
            for index, start in enumerate(self.starts)
        ]
        return rows[::-1]


def _plain(value: Number | None) -> float | int | None:
    return float(value) if isinstance(value, Decimal) else value


def step_label(start: datetime, step: Step) -> str:
    """As pages write a date, and the time of steps that are shorter than a day."""
    return f"{start:%Y-%m-%d}" if step == "day" else f"{start:%Y-%m-%d %H:%M}"


def series_name(name: str | None, unnamed: str) -> str:
    """How a chart calls a series of traces.store.queries.usage_series."""
    if name is None:
        return _("All others")
    return name or unnamed
