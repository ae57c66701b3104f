"""The first page of a project."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from projects.opened import open_project
from traces.store.queries.trace_list import newest_trace

from .first_steps import show_first_steps
from .links import Links
from .overview import overview
from .overview_cards import cards
from .period import PeriodForm
from .store_errors import shows_store_errors


@require_GET
@login_required
@shows_store_errors
def overview_page(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: `form`, `period`, `overview`, `cards`; `newest` trace when there is none in the range; 400 with the
    field named when the address does not fit.
    """
    project = open_project(request, project_id)
    request.open_project = project  # type: ignore[attr-defined]
    form = PeriodForm(request.GET)
    context: dict[str, object] = {"project": project, "form": form}
    if not form.is_valid():
        return render(request, "traces/overview.html", context, status=400)
    period = form.period(project.pk)
    links = Links(project.pk, period, form.address())
    shown = overview(period, links)
    if not shown.figures.now.sums.traces:
        context["newest"] = newest_trace(project.pk)
        if context["newest"] is None:
            return show_first_steps(request, project)
    context |= {
        "period": period,
        "overview": shown,
        "cards": cards(shown.figures, links),
        "failed_address": links.traces(status="error"),
    }
    return render(request, "traces/overview.html", context)
