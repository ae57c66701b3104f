"""A report of a project's traces for people, as PDF: totals, models, the newest traces."""

from datetime import timedelta

from django.template.loader import render_to_string
from django.utils import timezone

from agentops_portal.clickhouse.gate import Scope
from projects.models import Project
from traces.store.queries.filters import TraceFilter
from traces.store.queries.trace_list import totals, trace_page
from traces.store.queries.usage import usage_by

from .pdf import check_printer, font_files, pdf_of

NEWEST = 200  # traces that are listed one by one; the other formats have all of them
MOST_CALLED = 50  # models


def report_pdf(project: Project, scope: Scope, wanted: TraceFilter) -> bytes:
    """In the reader's language and time zone. Raises PdfUnavailable and ClickHouseError."""
    check_printer()
    models = list(usage_by(scope, "model", 2 * MOST_CALLED).items()) if not wanted else []
    context = {
        "project": project,
        "fonts": font_files(),
        "start": timezone.localtime(scope.start),
        "last": timezone.localtime(scope.end - timedelta(microseconds=1)),
        "now": timezone.localtime(),
        "totals": totals(scope, wanted),
        "models": [(name, usage) for name, usage in models if name and usage.calls][:MOST_CALLED],
        "traces": trace_page(scope, wanted, None, NEWEST).traces,
    }
    return pdf_of(render_to_string("traces/export_pdf.html", context))
