"""A report of a project's traces for people, as PDF: totals, models, the newest traces."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from agentops_portal.clickhouse.gate import Scope
from projects.models import Project
from traces.store.queries.filters import TraceFilter
from traces.store.queries.trace_list import totals, trace_page
from traces.store.queries.usage import usage_by

NEWEST = 200  # traces that are listed one by one; the other formats have all of them
MOST_CALLED = 50  # models
_FONTS = settings.BASE_DIR / "node_modules/@fontsource/nanum-gothic/files"


class PdfUnavailable(Exception):
    """The libraries that draw a PDF are not on this machine; str() says how to get them."""


def report_pdf(project: Project, scope: Scope, wanted: TraceFilter) -> bytes:
    """In the reader's language and time zone. Raises PdfUnavailable and ClickHouseError."""
    printer = _printer()  # before the store is asked
    models = list(usage_by(scope, "model", 2 * MOST_CALLED).items()) if not wanted else []
    context = {
        "project": project,
        "fonts": {weight: _font(weight).as_uri() for weight in (400, 700)},
        "start": timezone.localtime(scope.start),
        "last": timezone.localtime(scope.end - timedelta(microseconds=1)),
        "now": timezone.localtime(),
        "totals": totals(scope, wanted),
        "models": [(name, usage) for name, usage in models if name and usage.calls][:MOST_CALLED],
        "traces": trace_page(scope, wanted, None, NEWEST).traces,
    }
    html = render_to_string("traces/export_pdf.html", context)
    pdf: bytes = printer.HTML(string=html, url_fetcher=_fonts_only()).write_pdf()
    return pdf


def _font(weight: int) -> Path:
    """A file of our own with Hangul and Latin letters, for a server may have no font that knows Korean. Not the WOFF2,
    which takes seconds to unpack.
    """
    return _FONTS / f"nanum-gothic-korean-{weight}-normal.woff"


def _printer() -> Any:
    """WeasyPrint, whose import fails where Pango is missing: https://doc.courtbouillon.org/weasyprint/stable/"""
    try:
        import weasyprint
    except OSError as error:
        raise PdfUnavailable(
            "This portal cannot draw PDF files, for the library Pango is not installed where it runs (Debian, Ubuntu: "
            "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0). CSV and JSON work without it."
        ) from error
    return weasyprint


@cache
def _fonts_only() -> Any:
    """Opens the two fonts and nothing else: names of traces are anybody's text."""
    from weasyprint.urls import URLFetcher

    allowed = {_font(400).as_uri(), _font(700).as_uri()}

    class FontFetcher(URLFetcher):
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
            if url not in allowed:
                raise ValueError(f"A report opens no address: {url}")
            return super().fetch(url, headers)

    return FontFetcher()
