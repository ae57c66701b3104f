"""The first page of a project."""

from django.http import HttpRequest

from projects.models import Project

from .form_page import Answer, form_page
from .links import Links
from .overview import overview
from .overview_cards import cards
from .period import PeriodForm


@form_page("traces/overview.html", PeriodForm)
def overview_page(request: HttpRequest, project: Project, form: PeriodForm) -> Answer:
    """Context: `form`, `period`, `overview`, `cards`; `newest` trace when there is none in the range; 400 with the
    field named when the address does not fit.
    """
    period = form.period(project.pk)
    links = Links(project.pk, period, form.address())
    shown = overview(period, links)
    return {
        "is_empty": not shown.figures.now.sums.traces,
        "period": period,
        "overview": shown,
        "cards": cards(shown.figures, links),
        "failed_address": links.traces(status="error"),
    }
