"""Reviews, for staff to read."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import display

from agentops_portal.formats import cut
from projects.admin.base import ReadOnlyAdmin

from .models import Review


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "project", "shown_guardrail", "outcome", "phase", "verdict", "reviewer", "started_at")
    list_select_related = ("project", "reviewer")
    list_filter = (
        ("project", AutocompleteSelectFilter),
        ("verdict", ChoicesCheckboxFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("guardrail", "trace_id", "reviewer__email", "note")

    @display(description=_("guardrail"), ordering="guardrail")
    def shown_guardrail(self, review: Review) -> str:
        return cut(review.guardrail, 60)
