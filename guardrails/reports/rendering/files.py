"""The forms of a report, all of one Document: e-mail as HTML and text, PDF, spreadsheet, CSV and JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.text import slugify

from guardrails.delivery.inlining import inlined
from traces.reading.csv_text import BYTE_ORDER_MARK, csv_line
from traces.reading.pdf import font_files, pdf_of

from ..models import Format
from .document import Document
from .hooks import slack_message, webhook_message
from .text import text_of
from .words import document_of
from .xlsx import xlsx_of

HTML: Final = "html"
TEXT: Final = "text"
SLACK: Final = "slack"
WEBHOOK: Final = "webhook"
# Gmail cuts an e-mail after 102 kB of HTML, and with it what stands at its foot.
MAX_HTML: Final = 100_000
ROWS: Final = (20, 10, 5, 2)  # of a table in the e-mail: as many as fit
TYPES: Final[dict[str, str]] = {
    Format.PDF: "application/pdf",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.CSV: "text/csv",
    Format.JSON: "application/json",
}


@dataclass(frozen=True)
class File:
    kind: str  # HTML, TEXT, SLACK, WEBHOOK or one of Format
    name: str
    content: bytes


def files_of(figures: Mapping[str, Any], link: str, kinds: Iterable[str], language: str) -> list[File]:
    """In a language and in the time zone of the report. Raises PdfUnavailable."""
    name = f"{slugify(figures['name']) or 'report'}-{figures['period']['first']}"
    with translation.override(language), timezone.override(ZoneInfo(figures["period"]["timezone"])):
        document = document_of(figures, link)
        return [File(kind, f"{name}.{kind}", _content(kind, document, figures)) for kind in kinds]


def _content(kind: str, document: Document, figures: Mapping[str, Any]) -> bytes:
    if kind == HTML:
        return mail_html(document).encode()
    if kind == SLACK:
        return slack_message(document)
    if kind == WEBHOOK:
        return webhook_message(document, figures)
    if kind == TEXT:
        return text_of(document).encode()
    if kind == Format.PDF:
        page = render_to_string("guardrails/report_pdf.html", {"document": document, "fonts": font_files()})
        return pdf_of(page, pdf_tags=True)
    if kind == Format.XLSX:
        return xlsx_of(document, figures["frozen_at"])
    if kind == Format.CSV:
        return csv_of(document).encode()
    return orjson.dumps(figures, option=orjson.OPT_INDENT_2)


def mail_html(document: Document) -> str:
    """With its style in every element, for mail programs drop what stands elsewhere; what they know of dark mode stands
    in the head. Long tables are cut until it is shown whole.
    """
    for most in ROWS:
        shown = {"document": document, "most": most}
        page = render_to_string("guardrails/mail/report.html", shown)
        html = inlined(page)
        if len(html.encode()) <= MAX_HTML:
            break
    return html


def csv_of(document: Document) -> str:
    """One table below the other, a blank line between, each under its title; values as they are, without units."""
    lines = [BYTE_ORDER_MARK, csv_line([document.title, document.subject, document.period])]
    lines.append(csv_line([document.headline]))
    lines += [csv_line([fact.label, fact.value, fact.before]) for fact in document.facts]
    for table in document.tables:
        lines += ["\r\n", csv_line([table.title]), csv_line(column.label for column in table.columns)]
        lines += [csv_line(row.cells) for row in table.rows]
    lines += ["\r\n", *(csv_line(note) for note in document.notes)]
    return "".join(lines)
