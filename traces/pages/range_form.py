"""Forms whose values stand in the address of their page, and the time range that most of them have."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agentops_portal.units import END_OF_TIME, EPOCH
from traces.reading.ranges import CUSTOM, DEFAULT_RANGE, RANGES

LONGEST_FILTER = 300  # letters of a name that a filter takes


class MomentField(forms.Field):
    """A time as `<input type="datetime-local">` sends it, in the reader's time zone, or ISO 8601 with an offset."""

    default_error_messages = {"invalid": _("Write a date and time such as 2026-11-23T09:30.")}

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            # A "+" that nobody escaped arrives as a blank.
            moment = parse_datetime(value.strip().replace(" ", "+") if "T" in value else value.strip())
        except ValueError:
            moment = None
        if moment is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        if timezone.is_naive(moment):
            moment = timezone.make_aware(moment)
        if not EPOCH <= moment < END_OF_TIME - timedelta(days=1):
            raise forms.ValidationError(_("Choose a time between 1970 and 2262."), code="invalid")
        return moment


class AddressForm(forms.Form):
    """A form whose values stand in the address of its page."""

    paging = "page"  # the parameter that another filter drops

    def address(self, **changes: str) -> str:
        """The query string of this page with some parameters changed ('' drops one), the place in the list excepted."""
        kept = {name: self.data.get(name, "") for name in self.fields if name != self.paging}
        return "?" + urlencode({name: value for name, value in {**kept, **changes}.items() if value})

    def problems(self) -> list[str]:
        """One sentence per fault, with the name of the field."""
        return [
            gettext("%(field)s: %(problem)s")
            % {"field": self.fields[name].label or name, "problem": " ".join(map(str, errors))}
            for name, errors in self.errors.items()
        ]


class RangeForm(AddressForm):
    """None of its parameters means the last seven days."""

    range = forms.ChoiceField(
        required=False,
        label=_("Time range"),
        choices=[*((key, label) for key, (_delta, label) in RANGES.items()), (CUSTOM, _("From … to …"))],
        error_messages={"invalid_choice": _("%(value)s is not one of 15m, 1h, 24h, 7d, 30d, custom.")},
    )
    start = MomentField(required=False, label=_("From"))
    end = MomentField(required=False, label=_("To"))

    def clean(self) -> dict[str, Any]:
        """`range` is then a preset or CUSTOM, in which `start` is given and lies before the end."""
        values = self.cleaned_data
        chosen = values.get("range") or (CUSTOM if values.get("start") or values.get("end") else DEFAULT_RANGE)
        values["range"] = chosen
        if chosen == CUSTOM and not self.errors:
            if values.get("start") is None:
                self.add_error("start", _("Say from when."))
            elif values["start"] >= (values.get("end") or timezone.now()):
                self.add_error("end" if values.get("end") else "start", _("The end must come after the start."))
        return values

    @property
    def start_value(self) -> str:
        return self._moment_value("start")

    @property
    def end_value(self) -> str:
        return self._moment_value("end")

    def _moment_value(self, name: str) -> str:
        """What the input of `name` shows: what was sent, in the reader's time zone, or what the preset means."""
        if name in self.errors:
            return str(self.data.get(name, ""))
        moment = self.cleaned_data.get(name)
        delta, _label = RANGES.get(self.cleaned_data.get("range", ""), RANGES[DEFAULT_RANGE])
        if moment is None and name == "start" and not self.data.get(name):
            moment = timezone.now() - delta
        if moment is None:
            return ""
        return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S")
