"""What the page of one trace shows, to members and to whoever has a link to it."""

from django.http import Http404
from django.utils.translation import gettext as _

from agentops_portal.clickhouse.gate import Scope
from traces.reading.waterfall import default_span, is_deep, ticks, waterfall
from traces.store.calls.finding import MOST_SPANS
from traces.store.queries.trace_detail import spans as query_spans
from traces.store.queries.trace_detail import trace_figures


def trace_context(scope: Scope, trace_id: str, asked_span: str) -> dict[str, object]:
    """`figures`, `tags`, `rows` and `ticks` of the waterfall, `selected` span id, number of `hidden_spans`;
    `most_judged`, the spans up to which a trace is looked through for calls that several spans tell, where this one
    has more.

    scope: of the trace; asked_span: the id that the address names, or "". Raises Http404 when the spans are gone.
    """
    figures = trace_figures(scope, trace_id)
    if figures is None:
        raise Http404(_("The spans of this trace are gone."))
    spans = query_spans(scope, trace_id)
    rows = waterfall(figures, spans)
    return {
        "figures": figures,
        "tags": list(figures.tags),
        "rows": rows,
        "is_deep": is_deep(rows),
        "icons": sorted({row.icon for row in rows}),
        "ticks": ticks(figures.duration_ns),
        "selected": asked_span.lower() or default_span(figures, spans),
        "hidden_spans": figures.span_count - len(spans),
        "most_judged": MOST_SPANS if figures.span_count > MOST_SPANS else None,
    }
