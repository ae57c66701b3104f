"""The forms of rules and limits."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from projects.forms import Styled
from projects.models import Project

from ..finding.entities import Entity
from ..models import Limit, Rule, Shared, personal
from ..services import LIMIT_FIELDS, RULE_FIELDS
from ..trying import LONGEST_TEXT


class _SharedForm(Styled, forms.ModelForm):
    """Of a new row is asked whether it is of the project alone."""

    of = forms.ChoiceField(label=_("of"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row: Shared = self.instance
        if row._state.adding:
            row.organization, row.project = project.organization, project
            self.fields["of"].choices = [  # type: ignore[attr-defined]
                ("project", _("this project")),
                ("organization", _("all projects of %(name)s") % {"name": project.organization.name}),
            ]
            self.fields["of"].initial = "project"
        else:
            del self.fields["of"]

    @property
    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self._meta.fields or ()}

    def is_of_project(self) -> bool:
        return bool(self.cleaned_data.get("of") != "organization")


class RuleForm(_SharedForm):
    """`text` is no part of the rule: it is tried on it."""

    entities = forms.MultipleChoiceField(
        label=_("kinds"), choices=Entity, initial=personal, required=False, widget=forms.CheckboxSelectMultiple
    )
    text = forms.CharField(
        label=_("a text to try it on"),
        required=False,
        max_length=LONGEST_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("It is not kept."),
    )

    class Meta:
        model = Rule
        fields = RULE_FIELDS
        widgets = {"pattern": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})}

    def clean(self) -> dict[str, Any]:
        """The country in capitals, as people may not write it."""
        cleaned = super().clean() or self.cleaned_data
        if "country" in cleaned:
            cleaned["country"] = cleaned["country"].upper()
        return cleaned


class LimitForm(_SharedForm):
    class Meta:
        model = Limit
        fields = LIMIT_FIELDS
