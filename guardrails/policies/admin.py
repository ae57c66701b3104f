"""Policies for staff."""

from typing import Any

from django import forms
from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter

from guardrails.reports.models import Weekday
from projects.admin.base import AuditedModelAdmin

from .models import Policy, every_day
from .services import FIELDS


class PolicyAdminForm(forms.ModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        coerce=int, choices=Weekday, initial=every_day, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Policy
        fields = ("organization", "project", *FIELDS)


@admin.register(Policy)
class PolicyAdmin(AuditedModelAdmin):
    """Contacts are chosen on the policy's own page, which shows the secrets of webhooks once."""

    form = PolicyAdminForm
    list_display = ("name", "organization", "project", "kind", "window", "threshold", "severity", "is_enabled")
    list_select_related = ("organization", "project")
    list_filter = (
        ("organization", AutocompleteSelectFilter),
        ("project", AutocompleteSelectFilter),
        ("kind", ChoicesCheckboxFilter),
        ("severity", ChoicesCheckboxFilter),
        "is_enabled",
    )
    search_fields = ("name", "organization__name", "project__name")
    autocomplete_fields = ("organization", "project", "owner")
    readonly_fields: Any = ("muted_until", "problem")
