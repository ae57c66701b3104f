"""Schedules, reports and deliveries for staff: schedules to change, what happened to read, and to send again."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from guardrails.database_clock import database_now
from projects.admin.base import AuditedModelAdmin, ReadOnlyAdmin
from projects.models import User

from . import tasks
from .enforcement import admin as enforcement_admin  # noqa: F401 - it registers its models
from .incidents import admin as incidents_admin  # noqa: F401 - registers
from .policies import admin as policies_admin  # noqa: F401 - registers
from .reports.models import Delivery, Format, Recipient, Report, ReportSchedule, Section, all_sections, first_format
from .reports.services import TIMING, resend, restart
from .reviews import admin as reviews_admin  # noqa: F401 - registers


class ScheduleForm(forms.ModelForm):
    sections = forms.MultipleChoiceField(
        label=_("sections"),
        choices=Section,
        initial=all_sections,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    formats = forms.MultipleChoiceField(
        label=_("attachments"),
        choices=Format,
        initial=first_format,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ReportSchedule
        fields = (
            *("organization", "project", "name", "frequency", "weekday", "day", "hour", "timezone", "language"),
            *("sections", "formats", "sends_empty", "catch_up", "grace_minutes"),
        )


class RecipientInline(TabularInline):
    """To look at: recipients are chosen on the schedule's own page, which asks those who are no members."""

    model = Recipient
    fields = readonly_fields = ("channel", "shown_address", "confirmed_at", "unsubscribed_at")
    extra = 0
    can_delete = False
    tab = True

    @display(description=_("address"))
    def shown_address(self, recipient: Recipient) -> str:
        return recipient.shown

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ReportSchedule)
class ReportScheduleAdmin(AuditedModelAdmin):
    form = ScheduleForm
    list_display = ("name", "organization", "project", "frequency", "timezone", "due_at", "paused_at")
    list_select_related = ("organization", "project")
    list_filter = (
        ("organization", AutocompleteSelectFilter),
        ("project", AutocompleteSelectFilter),
        ("frequency", ChoicesCheckboxFilter),
        ("due_at", RangeDateTimeFilter),
    )
    search_fields = ("name", "organization__name", "project__name")
    autocomplete_fields = ("organization", "project")
    inlines = (RecipientInline,)

    def save_model(self, request: HttpRequest, obj: ReportSchedule, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user if isinstance(request.user, User) else None
        if not change or any(name in form.changed_data for name in TIMING):
            restart(obj, database_now())
        super().save_model(request, obj, form, change)


class DeliveryInline(TabularInline):
    model = Delivery
    fields = readonly_fields = ("channel", "shown_address", "state", "sent_at")
    extra = 0
    can_delete = False
    tab = True

    @display(description=_("address"))
    def shown_address(self, delivery: Delivery) -> str:
        return delivery.shown

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ("schedule", "period_start", "period_end", "revision", "is_late", "frozen_at", "problem")
    list_select_related = ("schedule",)
    list_filter = (("schedule", AutocompleteSelectFilter), ("period_start", RangeDateTimeFilter))
    search_fields = ("schedule__name", "problem")
    inlines = (DeliveryInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        return super().get_queryset(request).defer("figures")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "report_name", "channel", "shown_address", "state", "attempt_count", "sent_at")
    list_select_related = ("report__schedule",)
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("channel", ChoicesCheckboxFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("address", "report__schedule__name")
    exclude = ("address", "told_until", "leased_until", "failures")
    actions = ("resend_selected",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).defer("report__figures")

    @display(description=_("report"))
    def report_name(self, delivery: Delivery) -> str:
        return str(delivery.report)

    @display(description=_("address"))
    def shown_address(self, delivery: Delivery) -> str:
        return delivery.shown

    @display(description=_("attempts"))
    def attempt_count(self, delivery: Delivery) -> int:
        return len(delivery.attempts)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("guardrails.change_delivery")

    @admin.action(description=_("Send the selected ones again"), permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        actor = request.user if isinstance(request.user, User) else None
        rows = queryset.select_related("report__schedule__organization", "report__schedule__project")
        begun = [row for row in rows if resend(delivery=row, actor=actor, now=database_now())]
        for row in begun:
            tasks.tell(tasks.deliver_report, row.pk)
        done = ngettext("%d delivery is sent again.", "%d deliveries are sent again.", len(begun)) % len(begun)
        messages.success(request, done)
