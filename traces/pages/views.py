"""The trace pages: list, one trace, one span, what was received. Which project a user sees: projects.access."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.clickhouse.together import together
from projects.access import may_administer
from projects.models import Project
from projects.opened import open_project
from traces.converters import stored_trace_id
from traces.ingest.receipts.summary import first_hour, summary
from traces.ingest.uploads import usage_today
from traces.models import IngestReceipt
from traces.store.queries import trace_detail as detail_queries
from traces.store.queries import trace_list as list_queries
from traces.store.queries.span_detail import span_detail as query_span

from .form_page import Answer, form_page
from .forms import IngestForm, TraceListForm
from .span_page import as_json, span_response
from .store_errors import shows_store_errors
from .trace_page import trace_context


@form_page("traces/trace_list.html", TraceListForm)
def trace_list(request: HttpRequest, project: Project, form: TraceListForm) -> Answer:
    """Context: `form`, `page`, `totals`, `models`; 400 with the field named when the address does not fit."""
    query = form.query(project.pk)
    page, totals, models = together(
        lambda: list_queries.trace_page(query.scope, query.wanted, query.cursor),
        lambda: list_queries.totals(query.scope, query.wanted),
        lambda: list_queries.models(query.scope),
    )
    if query.wanted.model and query.wanted.model not in models:
        models.append(query.wanted.model)
    return {
        "is_empty": not page.traces and not query.cursor,
        "query": query,
        "page": page,
        "totals": totals,
        "models": models,
        "export_address": form.export_address(query),
        "older_address": form.address(cursor=str(page.next_cursor)) if page.next_cursor else "",
    }


@require_GET
@login_required
@shows_store_errors
def trace_arrived(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """`{"arrived": bool}`: whether the project has a trace; the page of first steps asks every few seconds."""
    project = open_project(request, project_id)
    return JsonResponse({"arrived": list_queries.newest_trace(project.pk) is not None})


@require_GET
@login_required
@shows_store_errors
def trace_detail(request: HttpRequest, project_id: UUID, trace_id: str) -> HttpResponse:
    """Context: `project`, `may_administer`, `trace_address` and what `trace_context` gives."""
    project = open_project(request, project_id)
    request.open_project = project  # type: ignore[attr-defined]
    context = {
        "project": project,
        "may_administer": may_administer(request.user, project),
        "trace_address": reverse("trace-detail", kwargs={"project_id": project.pk, "trace_id": trace_id}),
        **trace_context(_trace_scope(project, trace_id), trace_id, request.GET.get("span", "")),
    }
    return render(request, "traces/trace_detail.html", context)


@require_GET
@login_required
@shows_store_errors
def span_detail(request: HttpRequest, project_id: UUID, trace_id: str, span_id: str) -> HttpResponse:
    """A page of its own, a fragment for the trace page's script, or with `?format=json` the span as it is stored."""
    project = open_project(request, project_id)
    request.open_project = project  # type: ignore[attr-defined]
    scope = _trace_scope(project, trace_id)
    span = query_span(scope, trace_id, span_id)
    if span is None:
        raise Http404(_("There is no such span in this trace."))
    if request.GET.get("format") == "json":
        return HttpResponse(as_json(span), content_type="application/json")
    address = reverse("trace-detail", kwargs={"project_id": project.pk, "trace_id": trace_id})
    context = {"project": project, "trace_address": address}
    response = span_response(request, "traces/span_detail.html", scope, span, context)
    response["Vary"] = "X-Fragment, Cookie"
    return response


def _trace_scope(project: Project, trace_id: str) -> Scope:
    scope = detail_queries.trace_scope(project.pk, trace_id)
    if scope is None:
        raise Http404(_("There is no such trace in this project."))
    return scope


@require_GET
@login_required
@shows_store_errors
def session_redirect(request: HttpRequest) -> HttpResponse:
    """`/sessions?trace_id=…`, which the agentops SDK prints: to the trace's page in the project that has it."""
    try:
        trace_id = stored_trace_id(request.GET.get("trace_id", ""))
    except ValueError:
        raise Http404(_("This link names no trace.")) from None
    visible = Project.objects.visible_to(request.user).values_list("pk", flat=True)
    scope = detail_queries.trace_scope_among(list(visible), trace_id)
    if scope is None:
        raise Http404(_("There is no such trace in your projects."))
    return redirect("trace-detail", project_id=scope.project_id, trace_id=trace_id)


INGEST_ROWS = 200


@require_GET
@login_required
def ingest(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """What each key sent in each hour. Asks PostgreSQL only: it also tells why nothing arrives without ClickHouse.

    Context: `form`, `summary` of the last 24 hours, `uploads` of today, `keys` of the project, `page` of receipts; 400
    with the field named when the address does not fit.
    """
    project = open_project(request, project_id)
    form = IngestForm(request.GET, keys=project.keys.order_by("name", "created_at"))
    now = timezone.now()
    context: dict[str, object] = {
        "project": project,
        "form": form,
        "summary": summary(project.pk, first_hour(now, 24)),
        "uploads": usage_today(project),
    }
    if not form.is_valid():
        return render(request, "traces/ingest.html", context, status=400)
    receipts = IngestReceipt.objects.visible_to(request.user).of_project(project.pk)
    receipts = receipts.between(first_hour(now, form.hours()))
    if form.cleaned_data["key"]:
        receipts = receipts.filter(key=form.cleaned_data["key"])
    context["page"] = Paginator(receipts, INGEST_ROWS).get_page(form.cleaned_data["page"])
    return render(request, "traces/ingest.html", context)
