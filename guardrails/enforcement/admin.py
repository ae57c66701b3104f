"""Rules and limits for staff to change, what is used of limits and what was decided to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import display

from projects.admin.base import AuditedModelAdmin, ReadOnlyAdmin
from projects.models import User

from .models import Decision, Limit, LimitUse, Rule, Shared


class _SharedAdmin(AuditedModelAdmin):
    list_select_related = ("organization", "project")
    search_fields = ("name", "organization__name", "project__name")
    autocomplete_fields = ("organization", "project")

    def save_model(self, request: HttpRequest, obj: Shared, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user if isinstance(request.user, User) else None
        super().save_model(request, obj, form, change)


@admin.register(Rule)
class RuleAdmin(_SharedAdmin):
    list_display = ("name", "organization", "project", "way", "action", "phase", "position", "shadow", "enabled")
    list_filter = (
        ("organization", AutocompleteSelectFilter),
        ("project", AutocompleteSelectFilter),
        ("action", ChoicesCheckboxFilter),
        ("way", ChoicesCheckboxFilter),
    )


@admin.register(Limit)
class LimitAdmin(_SharedAdmin):
    list_display = ("name", "organization", "project", "measure", "amount", "window", "per", "shadow", "enabled")
    list_filter = (
        ("organization", AutocompleteSelectFilter),
        ("project", AutocompleteSelectFilter),
        ("measure", ChoicesCheckboxFilter),
    )


@admin.register(LimitUse)
class LimitUseAdmin(ReadOnlyAdmin):
    list_display = ("limit", "value", "window_start", "used", "reserved", "asked_at")
    list_select_related = ("limit",)
    list_filter = (("limit", AutocompleteSelectFilter), ("window_start", RangeDateTimeFilter))
    search_fields = ("value", "limit__name")


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("at", "project", "source", "phase", "action", "shadow_action", "reason", "model", "took")
    list_select_related = ("project",)
    list_filter = (
        ("project", AutocompleteSelectFilter),
        ("action", ChoicesCheckboxFilter),
        ("at", RangeDateTimeFilter),
    )
    search_fields = ("trace_id", "call_id")
    show_full_result_count = False

    @display(description=_("took"))
    def took(self, decision: Decision) -> str:
        return f"{decision.took_ms:.1f} ms"
