"""A report as people read it: the same titles, tables and figures for every form, in the language that is active.

words.py makes one from the JSON of contents.py; mail, PDF, page and spreadsheets only lay it out. Values keep their
type: `shown` writes one for people, a spreadsheet takes it as it is.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from agentops_portal import formats
from agentops_portal.fields import one_line
from agentops_portal.units import NS_OF_MS

Kind = Literal["text", "count", "ratio", "dollars", "ms", "change", "moment"]
Value = str | int | float | Decimal | datetime | None
LONGEST_NAME: Final = 80  # characters that are shown of what clients call something


@dataclass(frozen=True)
class Column:
    label: str
    kind: Kind = "count"
    has_bar: bool = False  # a bar shows how it compares with the other rows
    is_bad: bool = False  # above 0 it wants to be seen
    is_minor: bool = False  # a phone may leave it out


@dataclass(frozen=True)
class Row:
    cells: tuple[Value, ...]
    link: str = ""  # the live page of the row, behind its first cell


class Cell(NamedTuple):
    """One cell, ready to be laid out. share: the length of its bar in percent of the longest; None: without a bar."""

    column: Column
    text: str
    share: int | None
    is_bad: bool


@dataclass(frozen=True)
class Table:
    """key: a section of the schedule, or what it is for programs."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    empty: str = ""  # what stands in its place when there are no rows
    is_whole: bool = False  # a row less would be a gap

    def lines(self) -> list[tuple[Row, list[Cell]]]:
        """Each row with its cells."""
        most = [
            max((_number(row.cells[index]) for row in self.rows), default=0.0) for index in range(len(self.columns))
        ]
        return [(row, [self._cell(row, index, most[index]) for index in range(len(self.columns))]) for row in self.rows]

    def _cell(self, row: Row, index: int, most: float) -> Cell:
        column, value = self.columns[index], row.cells[index]
        number = _number(value)
        share = (max(1, round(100 * number / most)) if number else 0) if column.has_bar else None
        return Cell(column, shown(column.kind, value), share, column.is_bad and number > 0)


@dataclass(frozen=True)
class Fact:
    """One figure and what it was in the period before."""

    label: str
    kind: Kind
    value: Value
    before: Value
    link: str = ""
    note: str = ""

    @property
    def shown(self) -> str:
        return shown(self.kind, self.value)

    @property
    def change(self) -> str:
        return change_of(self.kind, self.value, self.before)


@dataclass(frozen=True)
class Document:
    title: str
    subject: str  # what it is of: the name of a project or organization
    period: str
    badges: tuple[str, ...]
    headline: str
    also: tuple[str, ...]
    facts: tuple[Fact, ...]
    tables: tuple[Table, ...]
    notes: tuple[tuple[str, str], ...]  # term and meaning
    link: str
    is_empty: bool


def shown(kind: Kind, value: Value) -> str:
    """A value in the reader's notation; a dash where there is none."""
    if value is None:
        return "–"
    if kind == "count":
        return formats.count(int(value))  # type: ignore[arg-type]
    if kind == "ratio":
        return percent(float(value))  # type: ignore[arg-type]
    if kind == "dollars":
        return formats.dollars(Decimal(value))  # type: ignore[arg-type]
    if kind == "ms":
        return formats.duration(round(float(value) * NS_OF_MS))  # type: ignore[arg-type]
    if kind == "change":
        return signed_percent(float(value))  # type: ignore[arg-type]
    if kind == "moment":
        return date_format(value, "Y-m-d H:i")  # type: ignore[arg-type]
    return str(value)


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float | Decimal) else 0.0


def percent(ratio: float) -> str:
    """12.3 %; nothing that happened is shown as 0 %, nothing that did not as 100 %."""
    value = 100 * ratio
    if 0 < value < 0.05:
        return f"< {number_format(Decimal('0.1'))} %"
    if 99.95 <= value < 100:
        return f"> {number_format(Decimal('99.9'))} %"
    return f"{number_format(round(value, 1), 0 if value in (0, 100) else 1)} %"  # which by itself cuts


def signed_percent(change: float) -> str:
    rounded = round(100 * change)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else "±"
    return f"{sign}{formats.count(abs(rounded))} %"


def ratio_of(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def change_ratio(now: Any, before: Any) -> float | None:
    """(now − before) ÷ before; None when there was nothing before."""
    return float((now - before) / before) if before and now is not None else None


def change_of(kind: Kind, now: Value, before: Value) -> str:
    """Against the period before: +20 %, of ratios in points; "" when there is nothing to compare."""
    if now is None or before is None:
        return ""
    if kind == "ratio":
        points = round(100 * (float(now) - float(before)), 1)  # type: ignore[arg-type]
        sign = "+" if points > 0 else "−" if points < 0 else "±"
        return _("%(points)s points") % {"points": f"{sign}{number_format(abs(points), 1)}"}
    change = change_ratio(now, before)
    if change is None:
        return _("new") if now else "±0 %"
    return signed_percent(change)


def name_of(text: str, blank: str = "–") -> str:
    """What a client called something, short and in one line."""
    return formats.cut(one_line(text), LONGEST_NAME) or blank


def days(first: str, last: str) -> str:
    """One day, or from one to another, in the reader's notation."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    if begin == end:
        return date_format(begin, "DATE_FORMAT")
    return f"{date_format(begin, 'DATE_FORMAT')} – {date_format(end, 'DATE_FORMAT')}"
