"""What the system writes down: audit events and failed sign-ins, to read."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, FieldTextFilter, RangeDateTimeFilter
from unfold.paginator import InfinitePaginator

from ..models import AuditEvent, LoginFailure
from .base import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator  # the table only grows, and counting it would read it
    list_display = ("at", "action", "target", "actor_email", "organization", "project")
    list_select_related = ("organization", "project")
    list_filter = (
        ("action", FieldTextFilter),
        ("organization", AutocompleteSelectFilter),
        ("project", AutocompleteSelectFilter),
        ("actor", AutocompleteSelectFilter),
        ("at", RangeDateTimeFilter),
    )
    search_fields = ("target", "actor_email", "action")


@admin.register(LoginFailure)
class LoginFailureAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator
    list_display = ("at", "email", "address")
    list_filter = (("at", RangeDateTimeFilter),)
    search_fields = ("email", "address")
