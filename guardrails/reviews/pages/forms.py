"""What the pages of reviews read out of addresses and what is sent to them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from traces.pages.forms import OUTCOMES, ExactField
from traces.pages.period import PeriodForm
from traces.pages.range_form import AddressForm
from traces.store.queries.guardrail_sample import JUDGED

from ..models import LONGEST_NOTE, Verdict
from ..queue import DAYS

_JUDGED = [("", _("Any outcome")), *((value, label) for value, label in OUTCOMES if value in JUDGED)]


class ReviewFilter(PeriodForm):
    """GET parameters of the list; the range is that of the checks."""

    guardrail = ExactField(label=_("Guardrail"))
    verdict = forms.ChoiceField(required=False, label=_("Verdict"), choices=[("", _("Any verdict")), *Verdict.choices])
    outcome = forms.ChoiceField(required=False, label=_("Outcome"), choices=_JUDGED)
    conflict = forms.ChoiceField(
        required=False,
        label=_("Agreement"),
        choices=[("", _("All reviews")), ("yes", _("Only conflicts"))],
    )
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)

    @property
    def kept_for_filter(self) -> list[tuple[str, str]]:
        return self.kept("guardrail", "verdict", "outcome", "conflict")

    @property
    def wanted(self) -> dict[str, str]:
        values = self.cleaned_data
        return {name: values[name] for name in ("guardrail", "verdict", "outcome", "conflict") if values[name]}

    @property
    def without_filter(self) -> str:
        return self.address(guardrail="", verdict="", outcome="", conflict="")

    @property
    def only_conflicts(self) -> str:
        return self.address(verdict="", conflict="yes")

    @property
    def later_address(self) -> str:
        return self._page(1)

    @property
    def earlier_address(self) -> str:
        return self._page(-1)

    def _page(self, step: int) -> str:
        return self.address(page=str((self.cleaned_data["page"] or 1) + step))


class QueueForm(AddressForm):
    """GET parameters of the queue."""

    paging = "run"

    guardrail = ExactField(label=_("Guardrail"))
    outcome = forms.ChoiceField(required=False, label=_("Outcome"), choices=_JUDGED)
    days = forms.ChoiceField(required=False, label=_("Time range"), choices=[(str(days), days) for days in DAYS])
    run = forms.CharField(required=False, max_length=60)
    after = forms.CharField(required=False, max_length=60)

    def wanted(self) -> dict[str, Any]:
        values = self.cleaned_data
        return {"guardrail": values["guardrail"], "outcome": values["outcome"], "days": int(values["days"] or 7)}

    @property
    def day_choices(self) -> list[tuple[str, Any]]:
        labels = {1: _("Today"), 7: _("Last 7 days"), 30: _("Last 30 days")}
        return [("" if days == 7 else str(days), labels[days]) for days in DAYS]

    @property
    def kept_address(self) -> str:
        """The filter alone, whichever run is shown."""
        return self.address(after="")


class VerdictForm(forms.Form):
    verdict = forms.ChoiceField(
        choices=Verdict.choices, error_messages={"required": _("Choose right, wrong or unsure.")}
    )
    note = forms.CharField(
        required=False, max_length=LONGEST_NOTE, label=_("Note"), widget=forms.Textarea(attrs={"rows": 2})
    )
