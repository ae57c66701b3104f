"""What a project used, over time and by name."""

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from projects.models import Project

from .analytics import Analytics, analytics
from .form_page import Answer, form_page
from .links import Links
from .period import PeriodForm
from .tables import CSV, csv_of, with_downloads

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


@form_page("traces/analytics.html", AnalyticsForm)
def analytics_page(request: HttpRequest, project: Project, form: AnalyticsForm) -> Answer:
    """Context: `form`, `period`, `analytics`; with `?csv=<id>` one of its tables as a file; 400 with the field named
    when the address does not fit.
    """
    period = form.period(project.pk)
    found = analytics(period, form.cleaned_data["by"], Links(project.pk, period, form.address()))
    if CSV in request.GET:
        return csv_of([*found.charts, *found.tables], request.GET[CSV], project.name)
    is_empty = all(chart.is_empty for chart in found.charts) and not any(table.rows for table in found.tables)
    return {"is_empty": is_empty, "period": period, "analytics": _with_downloads(found, form)}


def _with_downloads(found: Analytics, form: AnalyticsForm) -> Analytics:
    return Analytics(
        with_downloads(found.charts, form),
        with_downloads(found.tables, form),
    )
