"""Users, groups, organizations and who belongs to them."""

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from ..models import Invitation, Membership, Organization, User
from .base import AuditedModelAdmin


class AccountCreationForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("email", "full_name")


class MembershipInline(TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user", "organization")
    fields = ("user", "organization", "role")
    tab = True


class InvitationInline(TabularInline):
    model = Invitation
    extra = 0
    autocomplete_fields = ("inviter",)
    fields = ("email", "role", "inviter")
    tab = True


@admin.register(User)
class UserAdmin(AuditedModelAdmin, DjangoUserAdmin):
    form = forms.ModelForm  # Django's own form would show parts of the password's hash
    add_form = AccountCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "full_name", "is_active", "is_staff", "is_superuser", "last_login", "date_joined")
    list_filter = (
        "is_active",
        "is_staff",
        "is_superuser",
        ("memberships__organization", AutocompleteSelectFilter),
        ("last_login", RangeDateTimeFilter),
    )
    search_fields = ("email", "full_name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ("groups", "user_permissions")
    inlines = (MembershipInline,)
    actions_detail = ("set_password",)
    fieldsets = (
        (None, {"fields": ("email", "full_name", "supabase_id")}),
        (_("Preferences"), {"fields": ("language", "timezone")}),
        (
            _("Permissions"),
            {
                "fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions"),
                "description": _(
                    "Permissions and groups count in this administration only: projects are opened by memberships."
                ),
            },
        ),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "full_name", "usable_password", "password1", "password2")}),)

    @action(description=_("Set a password"), icon="password", permissions=["set_password"])
    def set_password(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:auth_user_password_change", args=[object_id]))

    # By method, not by permission name: Unfold's check asks the database for names, and checks must run without one.
    def has_set_password_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("projects.change_user")


@admin.register(Organization)
class OrganizationAdmin(AuditedModelAdmin):
    list_display = ("name", "member_count", "project_count", "created_at")
    list_filter = (("created_at", RangeDateTimeFilter),)
    search_fields = ("name", "memberships__user__email", "id")
    readonly_fields = ("id", "created_at")
    fields = ("name", "id", "created_at")
    inlines = (MembershipInline, InvitationInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        found: QuerySet[Organization] = super().get_queryset(request)
        return found.annotate(
            members_total=Count("memberships", distinct=True), projects_total=Count("projects", distinct=True)
        )

    @display(description=_("members"), ordering="members_total")
    def member_count(self, organization: Organization) -> int:
        return int(getattr(organization, "members_total", 0))

    @display(description=_("projects"), ordering="projects_total")
    def project_count(self, organization: Organization) -> int:
        return int(getattr(organization, "projects_total", 0))


@admin.register(Membership)
class MembershipAdmin(AuditedModelAdmin):
    list_display = ("user", "organization", "role", "created_at")
    list_select_related = ("user", "organization")
    list_filter = (("role", ChoicesCheckboxFilter), ("organization", AutocompleteSelectFilter))
    search_fields = ("user__email", "user__full_name", "organization__name")
    autocomplete_fields = ("user", "organization")


@admin.register(Invitation)
class InvitationAdmin(AuditedModelAdmin):
    list_display = ("email", "organization", "role", "inviter", "created_at", "sent_at", "mail_problem")
    readonly_fields = ("sent_at", "mail_problem")
    list_select_related = ("organization", "inviter")
    list_filter = (("role", ChoicesCheckboxFilter), ("organization", AutocompleteSelectFilter))
    search_fields = ("email", "organization__name")
    autocomplete_fields = ("organization", "inviter")


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(ModelAdmin, DjangoGroupAdmin):
    """Kept for staff who may do part of the administration only, such as look at the audit events."""
