"""The trace list's filter: what its address may hold, and what is wrong when it does not fit."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import parse_duration
from projects.models import ApiKey
from traces.reading.ranges import CUSTOM, DEFAULT_RANGE, RANGES
from traces.store.queries.filters import TraceFilter
from traces.store.queries.scopes import until_now
from traces.store.queries.trace_list import Cursor

from .range_form import LONGEST_FILTER, AddressForm, RangeForm

LONGEST_TEXT = 200  # letters that are searched for
STATUSES = [("", _("Any status")), ("ok", _("OK")), ("error", _("Error"))]
OUTCOMES = [
    ("", _("Any guardrail")),
    ("blocked", _("Blocked")),
    ("failed", _("Guardrail failed")),
    ("masked", _("Masked")),
    ("flagged", _("Flagged")),
    ("allowed", _("Allowed")),
    ("unknown", _("Outcome unknown")),
]
NOT_AN_OUTCOME = {"invalid_choice": _("%(value)s is not one of allowed, masked, flagged, blocked, failed, unknown.")}
ERRORS = [("", _("With or without errors")), ("true", _("With errors")), ("false", _("Without errors"))]


class DurationField(forms.CharField):
    """A number with its unit, in nanoseconds."""

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        try:
            return parse_duration(text) if text else None
        except ValueError:
            raise forms.ValidationError(
                _("Write a number with its unit (ms, s, m, h), such as 1.5s."), code="invalid"
            ) from None


class DollarsField(forms.DecimalField):
    """US dollars that are not negative, as exact as costs are kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=24, decimal_places=12, min_value=0, **kwargs)


class ExactField(forms.CharField):
    """The very text that a client sent, blanks at its ends included: `"a "` and `"a"` are two sessions."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=LONGEST_FILTER, strip=False, **kwargs)


class CursorField(forms.CharField):
    def clean(self, value: Any) -> Cursor | None:
        text = super().clean(value)
        try:
            return Cursor.parse(text) if text else None
        except ValueError:
            raise forms.ValidationError(
                _("This address does not name a page: start at the newest."), code="invalid"
            ) from None


@dataclass(frozen=True)
class TraceListQuery:
    """A checked filter, ready to be asked."""

    scope: Scope
    wanted: TraceFilter
    cursor: Cursor | None
    is_default_range: bool


class TraceListForm(RangeForm):
    """GET parameters of the trace list; none means the last seven days."""

    paging = "cursor"
    MORE = (
        "agent",
        "user",
        "session",
        "service",
        "tag",
        "guardrail",
        "has_errors",
        "min_duration",
        "max_duration",
        "min_cost",
        "max_cost",
    )

    q = forms.CharField(required=False, label=_("Search"), max_length=LONGEST_TEXT)
    status = forms.ChoiceField(
        required=False,
        label=_("Status"),
        choices=STATUSES,
        error_messages={"invalid_choice": _("%(value)s is not one of ok, error.")},
    )
    model = ExactField(label=_("Model"))
    llm = forms.BooleanField(required=False, label=_("Only with LLM calls"))
    agent = ExactField(label=_("Agent"))
    user = ExactField(label=_("User"))
    session = ExactField(label=_("Session"))
    service = ExactField(label=_("Service"))
    tag = ExactField(label=_("Tag"))
    guardrail = forms.ChoiceField(
        required=False,
        label=_("Guardrail"),
        choices=OUTCOMES,
        error_messages=NOT_AN_OUTCOME,
    )
    has_errors = forms.ChoiceField(
        required=False,
        label=_("Errors"),
        choices=ERRORS,
        error_messages={"invalid_choice": _("%(value)s is not one of true, false.")},
    )
    min_duration = DurationField(required=False, label=_("Duration from"), max_length=40)
    max_duration = DurationField(required=False, label=_("Duration up to"), max_length=40)
    min_cost = DollarsField(required=False, label=_("Cost from, in dollars"))
    max_cost = DollarsField(required=False, label=_("Cost up to, in dollars"))
    cursor = CursorField(required=False, label=_("Page"), max_length=100)

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for low, high in (("min_duration", "max_duration"), ("min_cost", "max_cost")):
            if None not in (values.get(low), values.get(high)) and values[low] > values[high]:
                self.add_error(high, _("This must not be less than the lower bound."))
        return values

    def more_filters(self) -> int:
        """How many of the filters behind "More filters" are set."""
        return sum(bool(self.data.get(name)) for name in self.MORE)

    def export_address(self, query: TraceListQuery) -> str:
        """The query string for the API's export of all that this page lists."""
        names = ("q", "status", "model", "llm", *self.MORE)
        kept = {name: self.data[name] for name in names if self.data.get(name)}
        return urlencode({"start": query.scope.start.isoformat(), "end": query.scope.end.isoformat(), **kept})

    def without_more(self) -> str:
        """The address with none of these."""
        return self.address(**dict.fromkeys(self.MORE, ""))

    def query(self, project_id: UUID) -> TraceListQuery:
        """What a valid form asks for; a range that goes on until now ends a little later, for clocks that are ahead."""
        values = self.cleaned_data
        now = timezone.now()
        if values["range"] == CUSTOM:
            start, end = values["start"], values["end"] or until_now(now)
        else:
            start, end = now - RANGES[values["range"]][0], until_now(now)
        return TraceListQuery(
            scope=Scope(project_id, start, end),
            wanted=TraceFilter(
                text=values["q"].strip(),
                status=values["status"],
                model=values["model"],
                llm_only=values["llm"],
                agent=values["agent"],
                user=values["user"],
                session=values["session"],
                service=values["service"],
                tag=values["tag"],
                guardrail=values["guardrail"],
                has_errors={"true": True, "false": False}.get(values["has_errors"]),
                min_duration_ns=values["min_duration"],
                max_duration_ns=values["max_duration"],
                min_cost=values["min_cost"],
                max_cost=values["max_cost"],
            ),
            cursor=values["cursor"],
            is_default_range=values["range"] == DEFAULT_RANGE,
        )


class IngestForm(AddressForm):
    """GET parameters of the ingest page; none means the last 24 hours of all keys."""

    HOURS = {"24h": 24, "7d": 7 * 24}

    range = forms.ChoiceField(
        required=False,
        label=_("Time range"),
        choices=[(key, RANGES[key][1]) for key in HOURS],
        error_messages={"invalid_choice": _("%(value)s is not one of 24h, 7d.")},
    )
    key = forms.ModelChoiceField(
        ApiKey.objects.none(),
        required=False,
        label=_("Key"),
        empty_label=_("All keys"),
        error_messages={"invalid_choice": _("This project has no such key.")},
    )
    page = forms.IntegerField(required=False, label=_("Page"), min_value=1, max_value=1_000_000)

    def __init__(self, data: QueryDict, *, keys: QuerySet[ApiKey]) -> None:
        super().__init__(data)
        self.fields["key"].queryset = keys  # type: ignore[attr-defined]

    def hours(self) -> int:
        """How many hours a valid form asks for; the running one counts."""
        return self.HOURS[self.cleaned_data["range"] or "24h"]
