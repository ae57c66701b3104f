"""Tables of dashboards: one row for each name, as texts for the page and as plain values for a spreadsheet."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from django.http import Http404, HttpResponse
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from agentops_portal import formats
from traces.reading.csv_text import BYTE_ORDER_MARK, csv_line
from traces.store.figures import Cost

from .charts import SHOWS, Chart, Number, Unit
from .range_form import AddressForm

# What a plain number of a spreadsheet is counted in.
UNITS: dict[Unit, str] = {"count": "", "dollars": " (USD)", "duration": " (ns)", "share": " (0–1)"}


Value = Number | Cost | str | None  # a text stands as it is


@dataclass(frozen=True)
class Column:
    label: str
    unit: Unit
    tone: Literal["", "bad"] = ""  # of values that are not 0


@dataclass(frozen=True)
class Row:
    """`values`: one for each column; None where nothing was measured."""

    name: str
    values: Sequence[Value]
    address: str = ""  # of what stands behind it
    detail: str = ""  # beside the name


@dataclass(frozen=True)
class Cell:
    text: str
    is_quiet: bool
    is_bad: bool


@dataclass(frozen=True)
class Table:
    id: str
    title: str | Promise
    help: str | Promise
    named: str  # what its rows are
    columns: Sequence[Column]
    rows: Sequence[Row]
    download: str = ""
    detailed: str = ""  # what `detail` of a row is
    note: str = ""  # below it

    @property
    def shown(self) -> list[tuple[Row, list[Cell]]]:
        return [(row, [_cell(*each) for each in zip(self.columns, row.values, strict=True)]) for row in self.rows]


def _cell(column: Column, value: Value) -> Cell:
    if isinstance(value, Cost):
        return Cell(_cost(value), is_quiet=not value.known, is_bad=False)
    if isinstance(value, str):
        return Cell(value, is_quiet=not value, is_bad=False)
    text = "–" if value is None else SHOWS[column.unit](value)
    return Cell(text, is_quiet=not value, is_bad=bool(value) and column.tone == "bad")


def _cost(cost: Cost) -> str:
    """As traces/_cost.html has it: what is known, and whether there is more."""
    if cost.known is None:
        return pgettext("cost", "unknown") if cost.unknown_calls else "–"
    return f"{formats.dollars(cost.known)}{' + ?' if cost.is_partial else ''}"


CSV = "csv"  # the parameter that asks a dashboard for one of its tables as a file, by its id


Shown = TypeVar("Shown", Table, Chart)


def with_downloads(shown: Iterable[Shown], form: AddressForm) -> list[Shown]:
    """Each with the address of its file: that of the page, and which of its tables."""
    return [replace(each, download=form.address(**{CSV: each.id})) for each in shown]


def csv_of(sources: Iterable[Table | Chart], wanted: str, name: str) -> HttpResponse:
    """The one whose id is wanted. Raises Http404."""
    for source in sources:
        if source.id == wanted:
            return csv_response(source, name)
    raise Http404(_("There is no such table."))


def csv_response(source: Table | Chart, name: str) -> HttpResponse:
    """What the table shows, for a spreadsheet; `name`: of the project, for the name of the file."""
    lines = _table_lines(source) if isinstance(source, Table) else _chart_lines(source)
    return csv_file(lines, source.id, name)


def csv_file(lines: Iterable[Sequence[object]], id_: str, name: str) -> HttpResponse:
    """The lines as a file for a spreadsheet, named after the project and what it is."""
    response = HttpResponse(BYTE_ORDER_MARK + "".join(map(csv_line, lines)), content_type="text/csv; charset=utf-8")
    file = f"{slugify(name) or 'project'}-{id_}.csv"
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


def _table_lines(table: Table) -> Iterator[list[object]]:
    detail = [table.detailed] if table.detailed else []
    yield [table.named, *detail, *(f"{column.label}{UNITS[column.unit]}" for column in table.columns)]
    for row in table.rows:
        values = (value.known if isinstance(value, Cost) else value for value in row.values)
        yield [row.name, *([row.detail] if table.detailed else []), *values]


def _chart_lines(chart: Chart) -> Iterator[list[object]]:
    yield [_("Time"), *(f"{line.name}{UNITS[chart.unit]}" for line in chart.lines)]
    for index, start in enumerate(chart.starts):
        yield [start.isoformat(), *(line.values[index] for line in chart.lines)]
