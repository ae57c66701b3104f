"""Projects, and the way to a new key."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import action, display

from ..models import ApiKey, Project, User
from ..services import delete_project, restore_project
from .base import AuditedModelAdmin


class KeyInline(TabularInline):
    """The keys of a project, to look at: they are made and revoked on pages of their own."""

    model = ApiKey
    fields = readonly_fields = ("name", "prefix", "state", "last_used_at", "expires_at", "created_at")
    extra = 0
    can_delete = False
    show_change_link = True
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("status"))
    def state(self, key: ApiKey) -> str:
        return str(key.status().label)


class DeletedFilter(admin.SimpleListFilter):
    """Deleted projects are out of sight unless asked for."""

    title = _("status")
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Deleted")), ("all", _("All"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Project]) -> QuerySet[Project]:
        if self.value() == "all":
            return queryset
        return queryset.exclude(deleted_at=None) if self.value() == "yes" else queryset.filter(deleted_at=None)

    def choices(self, changelist: Any) -> Any:
        for choice, label in zip(super().choices(changelist), [_("Active"), _("Deleted"), _("All")], strict=True):
            yield {**choice, "display": label}


@admin.register(Project)
class ProjectAdmin(AuditedModelAdmin):
    audited = ("created", "changed")
    list_display = ("name", "organization", "environment", "key_count", "retention_days", "created_at", "state")
    list_select_related = ("organization",)
    list_filter = (
        DeletedFilter,
        ("environment", ChoicesCheckboxFilter),
        ("organization", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("name", "id", "organization__name")
    autocomplete_fields = ("organization",)
    readonly_fields = ("id", "created_at", "deleted_at")
    fields = (
        "name",
        "organization",
        "environment",
        "retention_days",
        ("max_requests_per_minute", "max_spans_per_minute"),
        "id",
        "created_at",
        "deleted_at",
    )
    inlines = (KeyInline,)
    actions = ("restore_selected",)
    actions_detail = ("new_key", "open_traces")
    actions_row = ("new_key", "open_traces")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        found: QuerySet[Project] = super().get_queryset(request)
        return found.with_live_keys(now())  # type: ignore[attr-defined]

    @display(description=_("working keys"), ordering="live_keys")
    def key_count(self, project: Project) -> int:
        return project.live_keys

    @display(description=_("status"), label={"active": "success", "deleted": "danger"})
    def state(self, project: Project) -> tuple[str, Any]:
        return ("active", _("Active")) if project.is_active else ("deleted", _("Deleted"))

    @action(description=_("New key"), icon="key", permissions=["new_key"])
    def new_key(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(f"{reverse('admin:projects_apikey_add')}?{urlencode({'project': object_id})}")

    @action(description=_("Open in the portal"), icon="monitoring")
    def open_traces(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("trace-list", kwargs={"project_id": object_id}))

    # Deleting marks the row (services.delete_project): spans carry its id until they have been removed, too.

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[Any], list[Any]]:
        """The projects and the keys that stop with them, as lines and as counts by kind; nothing is in the way."""
        projects = [str(project) for project in objs]
        keys = [str(key) for key in ApiKey.objects.usable(now()).filter(project__in=objs)]
        counts = {Project._meta.verbose_name_plural: len(projects), ApiKey._meta.verbose_name_plural: len(keys)}
        return [*projects, keys], counts, set(), []

    # By method, not by permission name: Unfold's check asks the database for names, and checks must run without one.
    def has_new_key_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("projects.add_apikey")

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return (obj is None or obj.is_active) and super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Project) -> None:
        delete_project(project=obj, actor=request.user if isinstance(request.user, User) else None)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        for project in queryset.active():  # type: ignore[attr-defined]
            self.delete_model(request, project)

    @admin.action(description=_("Restore the selected deleted projects"), permissions=["change"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        for project in queryset.exclude(deleted_at=None):
            restore_project(project=project, actor=request.user if isinstance(request.user, User) else None)
