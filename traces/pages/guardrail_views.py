"""The guardrails of a project: what they did, and each of their runs."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from agentops_portal.api.paging import KeyCursor
from projects.opened import open_project
from traces.store.queries.guardrail_pages import RunFilter, key_of, run_page
from traces.store.queries.guardrails import guardrail_use
from traces.store.queries.trace_list import newest_trace

from .first_steps import show_first_steps
from .forms import NOT_AN_OUTCOME, OUTCOMES, ExactField
from .guardrail_cards import cards
from .guardrail_page import Guardrails, guardrails
from .links import Links
from .period import PeriodForm
from .store_errors import shows_store_errors
from .tables import CSV, csv_of

RUNS = 50  # on a page


class RunCursorField(forms.CharField):
    parse = staticmethod(KeyCursor.parser(int, str, str, str, int))

    def clean(self, value: Any) -> KeyCursor | None:
        text = super().clean(value)
        try:
            return self.parse(text) if text else None
        except ValueError:
            raise forms.ValidationError(
                _("This address does not name a page: start at the newest."), code="invalid"
            ) from None


class RunsForm(PeriodForm):
    paging = "cursor"

    guardrail = ExactField(label=_("Guardrail"))
    mode = ExactField(label=_("Mode"))
    outcome = forms.ChoiceField(
        required=False,
        label=_("Outcome"),
        choices=[("", _("Any outcome")), *OUTCOMES[1:]],
        error_messages=NOT_AN_OUTCOME,
    )
    cursor = RunCursorField(required=False, label=_("Page"), max_length=2_000)

    @property
    def wanted(self) -> RunFilter:
        values = self.cleaned_data
        return RunFilter(guardrail=values["guardrail"], mode=values["mode"], outcome=values["outcome"])

    @property
    def kept_for_filter(self) -> list[tuple[str, str]]:
        return self.kept("guardrail", "outcome")

    @property
    def without_mode(self) -> str:
        return self.address(mode="")

    @property
    def without_filter(self) -> str:
        return self.address(guardrail="", mode="", outcome="")

    @property
    def has_filter(self) -> bool:
        return self.wanted != RunFilter()


@require_GET
@login_required
@shows_store_errors
def guardrails_page(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: `form`, `period`, `guardrails`, `cards`; with `?csv=<id>` one of its tables as a file; 400 with the
    field named when the address does not fit.
    """
    project = open_project(request, project_id)
    request.open_project = project  # type: ignore[attr-defined]
    form = PeriodForm(request.GET)
    context: dict[str, object] = {"project": project, "form": form}
    if not form.is_valid():
        return render(request, "traces/guardrails.html", context, status=400)
    period = form.period(project.pk)
    links = Links(project.pk, period, form.address())
    found = guardrails(period, links)
    if CSV in request.GET:
        return csv_of([*found.charts, *found.tables], request.GET[CSV], project.name)
    if found.is_empty:
        context["newest"] = newest_trace(project.pk)
        if context["newest"] is None:
            return show_first_steps(request, project)
    context |= {
        "period": period,
        "guardrails": _with_downloads(found, form),
        "cards": cards(found.figures, found.before, links),
        "runs_address": links.runs(),
    }
    return render(request, "traces/guardrails.html", context)


def _with_downloads(found: Guardrails, form: PeriodForm) -> Guardrails:
    return replace(
        found,
        charts=[replace(chart, download=form.address(**{CSV: chart.id})) for chart in found.charts],
        tables=[replace(table, download=form.address(**{CSV: table.id})) for table in found.tables],
    )


@require_GET
@login_required
@shows_store_errors
def guardrail_runs_page(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: `form`, `period`, `runs`, `names` of the guardrails of the range, `older_address` of the next page; 400
    with the field named when the address does not fit.
    """
    project = open_project(request, project_id)
    request.open_project = project  # type: ignore[attr-defined]
    form = RunsForm(request.GET)
    context: dict[str, object] = {"project": project, "form": form}
    if not form.is_valid():
        return render(request, "traces/guardrail_runs.html", context, status=400)
    period = form.period(project.pk)
    cursor: KeyCursor | None = form.cleaned_data["cursor"]
    runs = run_page(period.scope, form.wanted, cursor.values if cursor else None, RUNS + 1)  # type: ignore[arg-type]
    names = list(dict.fromkeys(each.guardrail for each in guardrail_use(period.scope)))
    if form.wanted.guardrail and form.wanted.guardrail not in names:
        names.append(form.wanted.guardrail)
    shown = runs[:RUNS]
    context |= {
        "period": period,
        "runs": shown,
        "names": names,
        "older_address": form.address(cursor=str(KeyCursor(key_of(shown[-1])))) if len(runs) > RUNS else "",
    }
    return render(request, "traces/guardrail_runs.html", context)
