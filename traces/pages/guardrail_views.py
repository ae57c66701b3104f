"""The guardrails of a project: what they did, and each of their runs."""

from dataclasses import replace
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from agentops_portal.api.paging import KeyCursor
from projects.models import Project
from traces.store.queries.guardrail_pages import RunFilter, key_of, run_page
from traces.store.queries.guardrails import guardrail_use

from .form_page import Answer, form_page
from .forms import NOT_AN_OUTCOME, OUTCOMES, ExactField
from .guardrail_cards import cards
from .guardrail_page import Guardrails, guardrails
from .links import Links
from .period import PeriodForm
from .tables import CSV, csv_of, with_downloads

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


@form_page("traces/guardrails.html", PeriodForm)
def guardrails_page(request: HttpRequest, project: Project, form: PeriodForm) -> Answer:
    """Context: `form`, `period`, `guardrails`, `cards`; with `?csv=<id>` one of its tables as a file; 400 with the
    field named when the address does not fit.
    """
    period = form.period(project.pk)
    links = Links(project.pk, period, form.address())
    found = guardrails(period, links)
    if CSV in request.GET:
        return csv_of([*found.charts, *found.tables], request.GET[CSV], project.name)
    return {
        "is_empty": found.is_empty,
        "period": period,
        "guardrails": _with_downloads(found, form),
        "cards": cards(found.figures, found.before, links),
        "runs_address": links.runs(),
    }


def _with_downloads(found: Guardrails, form: PeriodForm) -> Guardrails:
    return replace(
        found,
        charts=with_downloads(found.charts, form),
        tables=with_downloads(found.tables, form),
    )


@form_page("traces/guardrail_runs.html", RunsForm)
def guardrail_runs_page(request: HttpRequest, project: Project, form: RunsForm) -> Answer:
    """Context: `form`, `period`, `runs`, `names` of the guardrails of the range, `older_address` of the next page; 400
    with the field named when the address does not fit.
    """
    period = form.period(project.pk)
    cursor: KeyCursor | None = form.cleaned_data["cursor"]
    runs = run_page(period.scope, form.wanted, cursor.values if cursor else None, RUNS + 1)  # type: ignore[arg-type]
    names = list(dict.fromkeys(each.guardrail for each in guardrail_use(period.scope)))
    if form.wanted.guardrail and form.wanted.guardrail not in names:
        names.append(form.wanted.guardrail)
    shown = runs[:RUNS]
    return {
        "period": period,
        "runs": shown,
        "names": names,
        "older_address": form.address(cursor=str(KeyCursor(key_of(shown[-1])))) if len(runs) > RUNS else "",
    }
