"""API keys: made here with the secret on the answer page and nowhere else, revoked here, never deleted."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from ..models import ApiKey, KeyScope, KeyStatus, User
from ..services import IssuedKey, create_api_key, revoke_api_key
from ..snippets import snippets
from .base import AuditedModelAdmin


class KeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=_("permissions"),
        choices=KeyScope,
        initial=KeyScope.values,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = ("project", "name", "scopes", "expires_at")

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if "expires_at" in self.changed_data and expires_at is not None and expires_at <= now():
            raise ValidationError(_("This time has passed: choose a later one, or revoke the key."))
        return expires_at


class StatusFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(KeyStatus.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        match self.value():
            case KeyStatus.ACTIVE:
                return queryset.filter(Q(expires_at=None) | Q(expires_at__gt=now()), revoked_at=None)
            case KeyStatus.EXPIRED:
                return queryset.filter(expires_at__lte=now(), revoked_at=None)
            case KeyStatus.REVOKED:
                return queryset.exclude(revoked_at=None)
        return queryset


@admin.register(ApiKey)
class ApiKeyAdmin(AuditedModelAdmin):
    audited = ("changed",)
    form = KeyForm
    list_display = ("name", "prefix", "project", "organization", "may", "state", "last_used_at", "expires_at")
    list_select_related = ("project__organization", "created_by")
    list_filter = (
        StatusFilter,
        ("project", AutocompleteSelectFilter),
        ("project__organization", AutocompleteSelectFilter),
        ("last_used_at", RangeDateTimeFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("name", "prefix", "project__name", "project__organization__name", "created_by__email")
    autocomplete_fields = ("project",)
    fields: tuple[str, ...] = (
        "project",
        "name",
        "prefix",
        "scopes",
        "expires_at",
        "status_text",
        "last_used_at",
        "created_by",
        "created_at",
        "revoked_at",
    )
    readonly_fields: tuple[str, ...] = (
        "prefix",
        "status_text",
        "last_used_at",
        "created_by",
        "created_at",
        "revoked_at",
    )
    actions = ("revoke_selected",)
    actions_submit_line = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return self.fields if obj else ("project", "name", "scopes", "expires_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return ("project", *self.readonly_fields) if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False  # a revoked key stays, so that the audit trail keeps its name

    def has_revoke_permission(self, request: HttpRequest, object_id: str | UUID | None = None) -> bool:
        if not self.has_change_permission(request):
            return False
        return object_id is None or ApiKey.objects.filter(pk=object_id, revoked_at=None).exists()

    @display(description=_("organization"), ordering="project__organization__name")
    def organization(self, key: ApiKey) -> str:
        return str(key.project.organization)

    @display(description=_("permissions"))
    def may(self, key: ApiKey) -> str:
        return ", ".join(key.scope_labels)

    @display(
        description=_("status"),
        label={KeyStatus.ACTIVE: "success", KeyStatus.EXPIRED: "warning", KeyStatus.REVOKED: "danger"},
    )
    def state(self, key: ApiKey) -> tuple[str, Any]:
        status = key.status()
        return status.value, status.label

    @display(description=_("status"))
    def status_text(self, key: ApiKey) -> str:
        return str(key.status().label)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        buttons = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, {**(extra_context or {}), **buttons})

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        issued = create_api_key(
            project=obj.project, name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at, actor=_user(request)
        )
        obj.__dict__.update(issued.key.__dict__)  # what Django goes on with is the saved row
        request.issued_key = issued  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The secret goes into this answer: a redirect would have to put it into a session or cookie on the way."""
        issued: IssuedKey = request.issued_key  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "title": _("New key"),
            "subtitle": issued.key.name,
            "opts": self.model._meta,
            "key": issued.key,
            "secret": issued.secret,
            "snippets": snippets(issued.secret),
        }
        response = TemplateResponse(request, "admin/projects/apikey/created.html", context)
        add_never_cache_headers(response)
        return response

    @admin.action(description=_("Revoke the selected keys"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = list(queryset.filter(revoked_at=None).select_related("project__organization"))
        for key in keys:
            revoke_api_key(key=key, actor=_user(request))
        messages.success(
            request,
            ngettext(
                "%d key is revoked. It stops within 30 seconds.",
                "%d keys are revoked. They stop within 30 seconds.",
                len(keys),
            )
            % len(keys),
        )

    @action(description=_("Revoke"), permissions=["revoke"], icon="block")
    def revoke(self, request: HttpRequest, obj: ApiKey) -> None:
        revoke_api_key(key=obj, actor=_user(request))
        messages.success(request, _("The key %(key)s is revoked. It stops within 30 seconds.") % {"key": obj})


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
