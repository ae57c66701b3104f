"""What the receiver writes down, to read. Of what ClickHouse holds: traces/store/admin.py."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from projects.admin.base import ReadOnlyAdmin
from projects.models import User
from traces.reading.sharing import revoke_share_link

from .models import Agent, Erasure, IngestReceipt, RetentionRun, ShareLink, Upload
from .store import admin as _store  # noqa: F401 - registers its own
from .store.prices import admin as _prices  # noqa: F401


@admin.register(IngestReceipt)
class IngestReceiptAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator  # a row for each key and hour: counting them would read them
    list_display = (
        "hour",
        "key",
        "project",
        "accepted_spans",
        "repeated_spans",
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


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnlyAdmin):
    """Links to traces: to see what is open to the outside, and to end it."""

    list_display = ("trace_id", "project", "created_by", "created_by_key", "created_at", "expires_at", "revoked_at")
    list_select_related = ("project", "created_by", "created_by_key")
    list_filter = (
        ("project", AutocompleteSelectFilter),
        ("expires_at", RangeDateTimeFilter),
        ("revoked_at", RangeDateTimeFilter),
    )
    search_fields = ("trace_id", "project__name", "created_by__email")
    exclude = ("digest",)
    actions = ("revoke_selected",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("traces.change_sharelink")

    @admin.action(description=_("Revoke the selected links"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ShareLink]) -> None:
        links = list(queryset.filter(revoked_at=None).select_related("project__organization"))
        actor = request.user if isinstance(request.user, User) else None
        for link in links:
            revoke_share_link(link=link, actor=actor)
        done = ngettext("%d link is revoked.", "%d links are revoked.", len(links)) % len(links)
        messages.success(request, done)


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "project", "trace_id", "size")
    list_select_related = ("project",)
    list_filter = (("project", AutocompleteSelectFilter), "kind", ("created_at", RangeDateTimeFilter))
    search_fields = ("trace_id", "project__name")
    exclude = ("compressed", "digest")
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        return super().get_queryset(request).defer("compressed")


@admin.register(Agent)
class AgentAdmin(ReadOnlyAdmin):
    """Agents as they registered themselves."""

    list_display = ("name", "type", "project", "status", "monitoring_enabled", "created_at", "last_used_at")
    list_select_related = ("project",)
    list_filter = (("project", AutocompleteSelectFilter), "type", "status")
    search_fields = ("name", "external_id", "project__name")


@admin.register(RetentionRun)
class RetentionRunAdmin(ReadOnlyAdmin):
    """What was removed because its project keeps it no longer, night by night."""

    list_display = ("started_at", "finished_at", "row_count", "error")
    list_filter = (("started_at", RangeDateTimeFilter),)

    @display(description=_("removed rows"))
    def row_count(self, run: RetentionRun) -> int:
        return run.removed_rows


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    """What people had deleted, and the recount."""

    list_display = ("requested_at", "project", "kind", "value", "requested_by", "finished_at", "traces", "rows_left")
    list_select_related = ("project", "requested_by")
    list_filter = (("project", AutocompleteSelectFilter), "kind", ("requested_at", RangeDateTimeFilter))
    search_fields = ("value", "project__name", "requested_by__email")

    @display(description=_("rows left"))
    def rows_left(self, erasure: Erasure) -> int | None:
        return erasure.left_rows if erasure.finished_at else None
