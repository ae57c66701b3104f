"""The page Data: how long a project's data is kept, how far back it goes, what was removed, what is to be deleted."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from agentops_portal.clickhouse.gate import ClickHouseError
from projects.access import administered, may_administer, person
from projects.models import Project
from projects.opened import open_project
from traces.lifecycle.erasure import services
from traces.lifecycle.erasure.records import Erasure, ErasureKind
from traces.lifecycle.erasure.start import start
from traces.lifecycle.retention.records import status_of
from traces.store.queries.retention import oldest_span
from traces.store.queries.trace_detail import trace_scope

from .erasure_form import ErasureForm
from .store_errors import shows_store_errors

SHOWN = 50  # deletions on the page; the API has all


@require_GET
@login_required
def data(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: see `_page`."""
    return _page(request, open_project(request, project_id), ErasureForm())


@require_POST
@login_required
def erase(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Have the traces of a user or a session deleted; the page lists the receipts."""
    project = administered(request.user, open_project(request, project_id))
    form = ErasureForm(request.POST)
    if not form.is_valid():
        return _page(request, project, form, status=422)
    erasure = services.request_erasure(
        project=project,
        kind=ErasureKind(form.cleaned_data["kind"]),
        value=form.cleaned_data["value"],
        actor=person(request.user),
    )
    start(erasure)
    messages.success(request, _("The deletion has begun. Its receipt stands below."))
    return redirect("data", project_id=project.pk)


@require_POST
@login_required
@shows_store_errors
def erase_trace(request: HttpRequest, project_id: UUID, trace_id: str) -> HttpResponse:
    """Delete one trace now, then to the list."""
    project = administered(request.user, open_project(request, project_id))
    request.open_project = project  # type: ignore[attr-defined]
    if trace_scope(project.pk, trace_id) is None:
        raise Http404(_("There is no such trace in this project."))
    services.erase_trace(project=project, trace_id=trace_id, actor=person(request.user))
    messages.success(request, _("The trace %(trace)s is deleted.") % {"trace": trace_id})
    return redirect("trace-list", project_id=project.pk)


def _page(request: HttpRequest, project: Project, form: ErasureForm, status: int = 200) -> HttpResponse:
    """`project`, `retention` (records.Status), `oldest_ns`, `problem` when ClickHouse does not say; for administrators
    `form` and `erasures`.

    The page tells of failed runs, so it must not need ClickHouse.
    """
    context: dict[str, object] = {
        "project": project,
        "retention": status_of(project, timezone.now()),
        "may_administer": may_administer(request.user, project),
        "form": form,
        "erasures": Erasure.objects.visible_to(request.user).of_project(project.pk)[:SHOWN],
    }
    try:
        context["oldest_ns"] = oldest_span(project.pk)
    except ClickHouseError as error:
        context["problem"] = str(error)
    return render(request, "traces/data.html", context, status=status)
