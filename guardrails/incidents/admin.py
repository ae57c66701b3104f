"""Incidents and what was told of them, for staff to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import display

from projects.admin.base import ReadOnlyAdmin

from .models import Incident, IncidentEvent, Notification


class EventInline(TabularInline):
    model = IncidentEvent
    fields = readonly_fields = ("at", "kind", "value", "threshold", "actor", "note")
    extra = 0
    can_delete = False
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = (
        "opened_at",
        "policy",
        "project",
        "subject",
        "state",
        "severity",
        "worst",
        "threshold",
        "resolved_at",
    )
    list_select_related = ("policy", "project")
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("severity", ChoicesCheckboxFilter),
        ("project", AutocompleteSelectFilter),
        ("opened_at", RangeDateTimeFilter),
    )
    search_fields = ("policy__name", "subject")
    inlines = (EventInline,)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "channel", "shown_address", "state", "attempt_count", "sent_at")
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("channel", ChoicesCheckboxFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("address",)
    exclude = ("address", "told_until", "leased_until", "failures")

    @display(description=_("address"))
    def shown_address(self, notification: Notification) -> str:
        return notification.shown

    @display(description=_("attempts"))
    def attempt_count(self, notification: Notification) -> int:
        return len(notification.attempts)
