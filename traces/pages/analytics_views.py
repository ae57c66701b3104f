"""What a project used, over time and by name."""

from dataclasses import replace
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from projects.opened import open_project
from traces.store.queries.trace_list import newest_trace

from .analytics import Analytics, analytics
from .first_steps import show_first_steps
from .links import Links
from .period import PeriodForm
from .store_errors import shows_store_errors
from .tables import CSV, csv_of

BY = [
    ("", gettext_lazy("Everything")),
    ("model", gettext_lazy("Model")),
    ("provider", gettext_lazy("Provider")),
    ("service", gettext_lazy("Service")),
    ("agent", gettext_lazy("Agent")),
    ("user", gettext_lazy("User")),
]


class AnalyticsForm(PeriodForm):
    by = forms.ChoiceField(
        required=False,
        label=gettext_lazy("By"),
        choices=BY,
        error_messages={
            "invalid_choice": gettext_lazy("%(value)s is not one of model, provider, service, agent, user.")
        },
    )

    @property
    def dimensions(self) -> list[tuple[str, str, bool]]:
        """Name, address and whether it is the chosen one."""
        chosen = self.data.get("by", "")
        return [(str(label), self.address(by=value), value == chosen) for value, label in BY]


@require_GET
@login_required
@shows_store_errors
def analytics_page(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: `form`, `period`, `analytics`; with `?csv=<id>` one of its tables as a file; 400 with the field named
    when the address does not fit.
    """
    project = open_project(request, project_id)
    request.open_project = project  # type: ignore[attr-defined]
    form = AnalyticsForm(request.GET)
    context: dict[str, object] = {"project": project, "form": form}
    if not form.is_valid():
        return render(request, "traces/analytics.html", context, status=400)
    period = form.period(project.pk)
    found = analytics(period, form.cleaned_data["by"], Links(project.pk, period, form.address()))
    if CSV in request.GET:
        return csv_of([*found.charts, *found.tables], request.GET[CSV], project.name)
    if not any(not chart.is_empty for chart in found.charts) and not any(table.rows for table in found.tables):
        context["newest"] = newest_trace(project.pk)
        if context["newest"] is None:
            return show_first_steps(request, project)
    context |= {"period": period, "analytics": _with_downloads(found, form)}
    return render(request, "traces/analytics.html", context)


def _with_downloads(found: Analytics, form: AnalyticsForm) -> Analytics:
    return Analytics(
        [replace(chart, download=form.address(**{CSV: chart.id})) for chart in found.charts],
        [replace(table, download=form.address(**{CSV: table.id})) for table in found.tables],
    )
