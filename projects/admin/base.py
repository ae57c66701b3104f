"""What all admin pages of this app share: each change leaves an audit event as well as an entry in Django's log."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from ..models import AuditEvent, Organization, Project, User
from ..services import record

NOUNS = {"apikey": "key", "membership": "member", "reportschedule": "report_schedule"}  # in the audit


class AuditedModelAdmin(ModelAdmin):
    """`audited` says which of created, changed and deleted are recorded here, not by a function of services.py."""

    audited: tuple[str, ...] = ("created", "changed", "deleted")
    list_filter_submit = True
    warn_unsaved_form = True
    show_full_result_count = False

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._audit(request, "created", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        if message:  # saved as it was
            self._audit(request, "changed", obj, changes=message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Model]) -> Any:
        for obj in queryset:
            self._audit(request, "deleted", obj)
        return super().log_deletions(request, queryset)

    def _audit(self, request: HttpRequest, verb: str, obj: Model, **details: Any) -> AuditEvent | None:
        if verb not in self.audited:
            return None
        model = str(obj._meta.model_name)
        noun = NOUNS.get(model, model)
        return record(
            f"{noun}.{verb}",
            actor=request.user if isinstance(request.user, User) else None,
            organization=obj if isinstance(obj, Organization) else getattr(obj, "organization", None),
            project=obj if isinstance(obj, Project) else getattr(obj, "project", None),
            target=str(obj),
            **details,
        )


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the system writes: nobody adds, changes or removes one here."""

    list_filter_submit = True
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
