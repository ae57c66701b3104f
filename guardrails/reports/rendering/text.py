"""The report as plain text: what a mail program without HTML shows, and what is read aloud."""

import unicodedata

from django.utils.translation import gettext as _

from .document import Document, Table

WIDEST = 40  # columns of a terminal that the first cell of a row takes


def text_of(document: Document) -> str:
    """Lines that need no fixed width: a figure behind its name, one row a line."""
    parts = [f"{document.title}\n{document.subject}\n{document.period}", *document.badges]
    parts.append("\n".join([document.headline, *document.also]))
    if document.facts:
        parts.append("\n".join(_fact(fact.label, fact.shown, fact.change, fact.note) for fact in document.facts))
    parts += [_table(table) for table in document.tables]
    parts.append("\n".join(f"{term}: {meaning}" for term, meaning in document.notes))
    parts.append(_("On the web: %(link)s") % {"link": document.link})
    return "\n\n".join(parts) + "\n"


def _fact(label: str, value: str, change: str, note: str) -> str:
    more = ", ".join(each for each in (change, note) if each)
    return f"{label}: {value}" + (f" ({more})" if more else "")


def _table(table: Table) -> str:
    title = f"{table.title}\n{'-' * _width(table.title)}"
    if not table.rows:
        return f"{title}\n{table.empty}"
    lines = []
    for _row, cells in table.lines():
        figures = [f"{cell.column.label} {cell.text}" for cell in cells[1:]]
        lines.append(f"{cells[0].text}: {', '.join(figures)}")
    return "\n".join([title, *lines, *([table.note] if table.note else [])])


def _width(text: str) -> int:
    """Columns of a terminal: Hangul takes two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
