"""The form of a schedule: what, when and for whom."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from agentops_portal.fields import timezone_names
from guardrails.delivery.fields import EmailsField, HooksField, SlackField
from projects.forms import Styled
from projects.models import Project, User

from ..models import Channel, Format, Recipient, ReportSchedule, Section, all_sections, first_format
from ..services import FIELDS


class ScheduleForm(Styled, forms.ModelForm):
    """`values` are those of the schedule; `members` and `emails` its recipients."""

    of = forms.ChoiceField(label=_("of"), widget=forms.RadioSelect)
    hour = forms.TypedChoiceField(
        label=_("hour"), coerce=int, choices=[(hour, f"{hour:02d}:00") for hour in range(24)], initial=8
    )
    timezone = forms.ChoiceField(label=_("time zone"))
    sections = forms.MultipleChoiceField(
        label=_("sections"), choices=Section, initial=all_sections, required=False, widget=forms.CheckboxSelectMultiple
    )
    formats = forms.MultipleChoiceField(
        label=_("attachments"),
        choices=Format,
        initial=first_format,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    members = forms.MultipleChoiceField(label=_("members"), required=False, widget=forms.CheckboxSelectMultiple)
    emails = EmailsField(
        label=_("other e-mail addresses"),
        help_text=_("One a line. Each is asked first whether it wants the reports."),
    )

    kept = forms.MultipleChoiceField(label=_("Slack and webhooks"), required=False, widget=forms.CheckboxSelectMultiple)
    slack = SlackField(label=_("Slack webhook"), help_text=_("The address of an incoming webhook, one a line."))
    webhooks = HooksField(
        label=_("other webhooks"),
        help_text=_("One https address a line. Messages are signed as Standard Webhooks says."),
    )

    class Meta:
        model = ReportSchedule
        fields = [*FIELDS]

    def __init__(
        self, *args: Any, project: Project, people: Iterable[User], hooks: Iterable[Recipient] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.project = project
        self.hooks = {str(hook.pk): hook for hook in hooks}
        self.people = {str(person.pk): person for person in people}
        choices: dict[str, list[tuple[str, Any]]] = {
            "of": [
                ("project", _("this project")),
                ("organization", _("all projects of %(name)s") % {"name": project.organization.name}),
            ],
            "timezone": [(name, name) for name in sorted(timezone_names())],
            "members": [(key, str(person)) for key, person in self.people.items()],
            "language": list(settings.LANGUAGES),
            "kept": [(key, f"{hook.get_channel_display()}: {hook.shown}") for key, hook in self.hooks.items()],
        }
        for name, values in choices.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]
        if self.instance.pk and not self.instance._state.adding:
            del self.fields["of"]

    @property
    def values(self) -> dict[str, Any]:
        """Of the schedule."""
        return {name: self.cleaned_data[name] for name in FIELDS}

    def chosen_members(self) -> list[User]:
        return [self.people[key] for key in self.cleaned_data["members"]]

    def addresses(self) -> dict[str, list[str]]:
        kept = [self.hooks[key] for key in self.cleaned_data["kept"]]
        found = {
            Channel.EMAIL: self.cleaned_data["emails"],
            Channel.SLACK: self.cleaned_data["slack"],
            Channel.WEBHOOK: self.cleaned_data["webhooks"],
        }
        return {
            channel: addresses + [hook.address for hook in kept if hook.channel == channel]
            for channel, addresses in found.items()
        }

    def is_of_project(self) -> bool:
        return bool(self.cleaned_data.get("of") != "organization")


def recipients_shown(schedule: ReportSchedule) -> dict[str, Any]:
    """What the form starts with."""
    recipients = list(schedule.recipients.all())
    users: list[UUID] = [each.user_id for each in recipients if each.user_id]
    others = [each.address for each in recipients if not each.user_id and each.channel == Channel.EMAIL]
    kept = [str(each.pk) for each in recipients if each.channel != Channel.EMAIL]
    return {"members": [str(user) for user in users], "emails": "\n".join(others), "kept": kept}
