"""What the addresses of sessions and users may hold."""

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from traces.store.queries.people_table import ORDERS, Order, PersonCursor

from .forms import LONGEST_TEXT
from .period import PeriodForm
from .range_form import AddressForm

LABELS: dict[Order, Promise] = {
    "traces": _("Requests"),
    "errors": _("Failed"),
    "calls": _("LLM calls"),
    "tokens": _("Tokens"),
    "cost": _("Cost"),
    "blocked": _("Blocked"),
    "latency": _("Request p95"),
    "first": _("First seen"),
    "last": _("Last seen"),
}


class PersonCursorField(forms.CharField):
    def clean(self, value: Any) -> PersonCursor | None:
        text = super().clean(value)
        try:
            return PersonCursor.parse(text) if text else None
        except ValueError:
            raise forms.ValidationError(
                _("This address does not name a page: start at the newest."), code="invalid"
            ) from None


class PeopleForm(PeriodForm):
    """GET parameters of a list; none means the last seven days, the last seen first."""

    paging = "cursor"

    q = forms.CharField(required=False, label=_("Search"), max_length=LONGEST_TEXT)
    sort = forms.ChoiceField(
        required=False,
        label=_("Sorted by"),
        choices=[(order, LABELS[order]) for order in ORDERS],
        error_messages={
            "invalid_choice": _(
                "%(value)s is not one of last, first, traces, errors, calls, tokens, cost, blocked, latency."
            )
        },
    )
    cursor = PersonCursorField(required=False, label=_("Page"), max_length=100)

    @property
    def order(self) -> Order:
        return self.cleaned_data.get("sort") or "last"

    @property
    def columns(self) -> list[tuple[Promise, str, bool]]:
        """Label, address of the list sorted by it, and whether it is."""
        return [(label, self.address(sort=order), order == self.order) for order, label in LABELS.items()]

    @property
    def kept_for_search(self) -> list[tuple[str, str]]:
        return self.kept("q")

    @property
    def without_search(self) -> str:
        return self.address(q="")


class TurnsForm(AddressForm):
    """GET parameters of a session: which of its pages."""

    page = forms.IntegerField(required=False, label=_("Page"), min_value=1, max_value=100_000)
