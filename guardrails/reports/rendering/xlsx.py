"""The report as a spreadsheet: a sheet for each section, numbers as numbers, text as text."""

import io
from datetime import datetime
from typing import Any, Final

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from .document import Document, Kind, Table, Value

FORMATS: Final[dict[Kind, str]] = {
    "count": "#,##0",
    "ratio": "0.0%",
    "change": "+0%;-0%;0%",
    "dollars": "$#,##0.00####",
    "ms": '#,##0.0" ms"',
    "moment": "yyyy-mm-dd hh:mm",
}
FORBIDDEN: Final = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))  # in the name of a sheet
LONGEST_SHEET: Final = 31


def xlsx_of(document: Document, made_at: str) -> bytes:
    out = io.BytesIO()
    # Text is text: "=1+1", a link or a number that a client sent as a name stays what it is.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": document.title, "created": datetime.fromisoformat(made_at).replace(tzinfo=None)})
        styles = {kind: book.add_format({"num_format": text}) for kind, text in FORMATS.items()}
        styles["title"] = book.add_format({"bold": True, "font_size": 14})  # type: ignore[index]
        styles["head"] = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})  # type: ignore[index]
        names: set[str] = set()
        _overview(book.add_worksheet(_sheet(document.title, names)), document, styles)
        for table in document.tables:
            _table(book.add_worksheet(_sheet(table.title, names)), table, styles)
    return out.getvalue()


def _overview(sheet: Worksheet, document: Document, styles: dict[Any, Any]) -> None:
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 2, 16)
    sheet.set_column(3, 3, 40)
    sheet.write_string(0, 0, document.title, styles["title"])
    for line, text in enumerate((document.subject, document.period, document.headline, *document.also), 1):
        sheet.write_string(line, 0, text)
    line = 5 + len(document.also)
    for fact in document.facts:
        sheet.write_string(line, 0, fact.label)
        _write(sheet, line, 1, fact.kind, fact.value, styles)
        _write(sheet, line, 2, fact.kind, fact.before, styles)
        sheet.write_string(line, 3, fact.note)
        line += 1
    for term, meaning in document.notes:
        line += 1
        sheet.write_string(line, 0, term)
        sheet.write_string(line, 1, meaning)


def _table(sheet: Worksheet, table: Table, styles: dict[Any, Any]) -> None:
    for place, column in enumerate(table.columns):
        sheet.write_string(0, place, column.label, styles["head"])
        sheet.set_column(place, place, 34 if column.kind == "text" and not place else 14)
    for line, row in enumerate(table.rows, 1):
        for place, (column, value) in enumerate(zip(table.columns, row.cells, strict=True)):
            _write(sheet, line, place, column.kind, value, styles)
    if not table.rows:
        sheet.write_string(1, 0, table.empty)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(1, len(table.rows)), len(table.columns) - 1)


def _write(sheet: Worksheet, line: int, place: int, kind: Kind, value: Value, styles: dict[Any, Any]) -> None:
    if value is None:
        return
    if kind == "text" or isinstance(value, str):
        sheet.write_string(line, place, str(value))
    elif isinstance(value, datetime):
        sheet.write_datetime(line, place, value.replace(tzinfo=None), styles[kind])
    else:
        sheet.write_number(line, place, float(value), styles[kind])


def _sheet(title: str, names: set[str]) -> str:
    """A name that Excel takes: short, unlike the others in any case, without certain signs."""
    base = _cut(" ".join(title.translate(FORBIDDEN).split()), LONGEST_SHEET) or "Sheet"
    name, number = base, 1
    while name.casefold() in names:
        number += 1
        name = f"{_cut(base, LONGEST_SHEET - 4)} {number}"
    names.add(name.casefold())
    return name


def _cut(text: str, longest: int) -> str:
    """Excel counts as UTF-16 does: an emoji is two."""
    return text.encode("utf-16-le")[: 2 * longest].decode("utf-16-le", "ignore").strip()
