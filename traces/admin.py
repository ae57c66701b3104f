"""What the receiver writes down, to read. Spans have pages of their own."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from projects.admin.base import ReadOnlyAdmin

from .models import IngestReceipt


@admin.register(IngestReceipt)
class IngestReceiptAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator  # a row for each key and hour: counting them would read them
    list_display = (
        "hour",
        "key",
        "project",
        "accepted_spans",
        "duplicate_requests",
        "rejected_spans",
        "refused_count",
        "bytes",
        "last_error_at",
        "last_accepted_at",
    )
    list_select_related = ("key__project",)
    list_filter = (
        ("key__project", AutocompleteSelectFilter),
        ("key", AutocompleteSelectFilter),
        ("hour", RangeDateTimeFilter),
    )
    ordering = ("-hour", "-id")

    @display(description=_("project"))
    def project(self, receipt: IngestReceipt) -> str:
        return str(receipt.key.project)

    @display(description=_("refused requests"))
    def refused_count(self, receipt: IngestReceipt) -> int:
        return receipt.refused_requests
