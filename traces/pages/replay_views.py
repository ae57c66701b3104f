"""A trace or session, stepped through as it happened."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from projects.models import Project
from traces.store.figures import TraceFigures
from traces.store.queries.filters import TraceFilter
from traces.store.queries.person_keys import person_by_key
from traces.store.queries.scopes import whole_time
from traces.store.queries.summaries import figures_of
from traces.store.queries.trace_table import trace_table
from traces.store.queries.turns import moments

from .form_page import Answer, form_page
from .range_form import AddressForm
from .replay_page import KINDS, replay_of

TRACES = 50  # of a session
MOMENTS = 500


class ReplayForm(AddressForm):
    """`at`: milliseconds since the start; the moment that is shown first."""

    at = forms.FloatField(required=False, label=gettext_lazy("Moment"), min_value=0, max_value=1e15)


@form_page("traces/replay.html", ReplayForm)
def trace_replay(request: HttpRequest, project: Project, form: ReplayForm, trace_id: str) -> Answer:
    """Context: as `_context`."""
    found = figures_of(project.pk, [trace_id])
    if trace_id not in found:
        raise Http404(_("There is no such trace in this project."))
    trace = found[trace_id]
    back = reverse("trace-detail", kwargs={"project_id": project.pk, "trace_id": trace_id})
    return {"heading": trace.name or trace_id, "back": back, **_context(project, form, [trace])}


@form_page("traces/replay.html", ReplayForm)
def session_replay(request: HttpRequest, project: Project, form: ReplayForm, key: str) -> Answer:
    """Context: as `_context`, of the first TRACES traces of the session, and how many more there are."""
    found = person_by_key(project.pk, "session", key)
    wanted = TraceFilter(session=found.id) if found else None
    traces = (
        trace_table(found.scope, wanted, order="start", descending=False, limit=TRACES + 1, offset=0)
        if found and wanted
        else []
    )
    if found is None or not traces:
        raise Http404(_("There is no such session in this project."))
    back = reverse("session-detail", kwargs={"project_id": project.pk, "key": key})
    context = _context(project, form, traces[:TRACES])
    return {**context, "heading": found.id, "back": back, "has_more_traces": len(traces) > TRACES, "is_session": True}


def _context(project: Project, form: ReplayForm, traces: Sequence[TraceFigures]) -> dict[str, Any]:
    """`replay`, the `kinds` of its moments, the number of `hidden_spans`."""
    spans = moments(whole_time(project.pk), traces, MOMENTS)
    if not spans:
        raise Http404(_("The spans of this trace are gone."))
    replay = replay_of(traces, spans, form.cleaned_data["at"] or 0)
    shown = {each.kind for each in replay.moments}
    return {
        "replay": replay,
        "kinds": [(kind, *KINDS[kind]) for kind in KINDS if kind in shown],
        "hidden_spans": max(sum(each.span_count for each in traces) - len(spans), 0),
    }
