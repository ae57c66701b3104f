"""The form of a policy: which figure, how far it may go, when, and who is told."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agentops_portal.fields import timezone_names
from guardrails.delivery.fields import HooksField, SlackField
from guardrails.incidents.models import Channel, Contact
from guardrails.reports.models import Weekday
from projects.forms import Styled
from projects.models import Project, User

from ..kinds import CALENDAR, KINDS, LENGTHS, Kind, Window
from ..models import Policy, every_day
from ..services import FIELDS
from ..simulation import DAYS
from ..words import in_percent

_AMOUNTS = ("threshold", "warn_at", "resolve_at")


class PolicyForm(Styled, forms.ModelForm):
    """`values` are those of the policy; shares are typed in percent."""

    of = forms.ChoiceField(label=_("of"), widget=forms.RadioSelect)
    window = forms.ChoiceField(label=_("counted over"), required=False)
    period = forms.ChoiceField(label=_("counted over"), required=False)
    weekdays = forms.TypedMultipleChoiceField(
        label=_("days"), coerce=int, choices=Weekday, initial=every_day, widget=forms.CheckboxSelectMultiple
    )
    from_hour = forms.TypedChoiceField(
        label=_("from hour"), coerce=int, choices=[(hour, f"{hour:02d}:00") for hour in range(24)], initial=0
    )
    until_hour = forms.TypedChoiceField(
        label=_("until hour"), coerce=int, choices=[(hour, f"{hour:02d}:00") for hour in range(1, 25)], initial=24
    )
    timezone = forms.ChoiceField(label=_("time zone"))
    members = forms.MultipleChoiceField(label=_("members"), required=False, widget=forms.CheckboxSelectMultiple)
    kept = forms.MultipleChoiceField(
        label=_("Slack, Teams and webhooks"), required=False, widget=forms.CheckboxSelectMultiple
    )
    slack = SlackField(label=_("Slack webhook"), help_text=_("The address of an incoming webhook, one a line."))
    teams = HooksField(label=_("Teams workflow"), help_text=_("The address of a workflow that posts to a channel."))
    webhooks = HooksField(
        label=_("other webhooks"),
        help_text=_("One https address a line. Messages are signed as Standard Webhooks says."),
    )
    days = forms.TypedChoiceField(
        label=_("try on the last"), coerce=int, required=False, choices=[(each, str(each)) for each in DAYS]
    )

    class Meta:
        model = Policy
        fields = [*FIELDS]

    def __init__(
        self, *args: Any, project: Project, people: Iterable[User], hooks: Iterable[Contact] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(person.pk): person for person in people}
        self.hooks = {str(hook.pk): hook for hook in hooks}
        choices: dict[str, list[tuple[Any, Any]]] = {
            "of": [
                ("project", _("this project")),
                ("organization", _("each project of %(name)s") % {"name": project.organization.name}),
            ],
            "window": [(each, Window(each).label) for each in LENGTHS],
            "period": [(each, Window(each).label) for each in CALENDAR],
            "timezone": [(name, name) for name in sorted(timezone_names())],
            "members": [(key, str(person)) for key, person in self.people.items()],
            "kept": [(key, f"{hook.get_channel_display()}: {hook.shown}") for key, hook in self.hooks.items()],
        }
        for name, values in choices.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]
        members = project.organization.members
        self.fields["owner"].queryset = members.filter(is_active=True)  # type: ignore[attr-defined]
        self.fields["warn_at"].help_text = _("In US dollars; below the limit.")
        self.fields["threshold"].help_text = ""
        is_saved = self.instance.pk and not self.instance._state.adding
        if is_saved:
            del self.fields["of"]
            for name in _AMOUNTS:
                self.initial[name] = in_percent(self.instance.kind, getattr(self.instance, name))

    def clean(self) -> dict[str, Any]:
        """Takes what does not belong to the chosen figure for empty: it is not shown."""
        values = super().clean() or self.cleaned_data
        kind = values.get("kind")
        if kind is None or kind not in KINDS:
            return values
        budget = kind == Kind.COST_BUDGET
        values["window"] = values.get("period") if budget else values.get("window")
        if not values["window"]:
            self.add_error("period" if budget else "window", _("Choose how long it is counted."))
        if not budget:
            values |= {"dimension": "project", "warn_at": None}
        if kind in (Kind.NO_DATA, Kind.GUARDRAIL_SILENT):
            values |= {"threshold": Decimal(1), "resolve_at": None}
            self.errors.pop("threshold", None)
        if KINDS[kind].unit == "share":
            for name in _AMOUNTS:
                if values.get(name) is not None:
                    values[name] = values[name] / 100
        return values

    @property
    def values(self) -> dict[str, Any]:
        """Of the policy."""
        return {name: self.cleaned_data[name] for name in FIELDS}

    def chosen_members(self) -> list[User]:
        return [self.people[key] for key in self.cleaned_data["members"]]

    def chosen_hooks(self) -> dict[str, list[str]]:
        kept = [self.hooks[key] for key in self.cleaned_data["kept"]]
        found = {
            Channel.SLACK: self.cleaned_data["slack"],
            Channel.TEAMS: self.cleaned_data["teams"],
            Channel.WEBHOOK: self.cleaned_data["webhooks"],
        }
        return {
            channel: addresses + [hook.address for hook in kept if hook.channel == channel]
            for channel, addresses in found.items()
        }

    def is_of_project(self) -> bool:
        return bool(self.cleaned_data.get("of") != "organization")

    def faults(self) -> str:
        """One line of what does not fit."""
        return " ".join(
            f"{self.fields[name].label}: {' '.join(map(str, each))}"
            if name in self.fields
            else " ".join(map(str, each))
            for name, each in self.errors.items()
        )


class MuteForm(forms.Form):
    hours = forms.TypedChoiceField(coerce=int, choices=[(each, str(each)) for each in (1, 4, 24, 168)])


def contacts_shown(policy: Policy) -> dict[str, Any]:
    """What the form starts with."""
    contacts = list(policy.contacts.all())
    return {
        "members": [str(each.user_id) for each in contacts if each.user_id],
        "kept": [str(each.pk) for each in contacts if not each.user_id],
        "period" if policy.window in CALENDAR else "window": policy.window,
        "weekdays": policy.weekdays,
        "days": 7,
    }
