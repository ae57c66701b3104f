"""Sign-in, the account, the list of projects and their keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.timezone import get_current_timezone_name, now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from agentops_portal.clickhouse.gate import ClickHouseError

from .access import administered, may_administer, person
from .activity import DAYS, ProjectActivity, activity_of
from .forms import AccountForm, KeyForm, LoginForm, PasswordForm
from .limits import limits_posts
from .models import ApiKey, KeyScope, Project, Role
from .opened import last_project, open_project
from .services import create_api_key, revoke_api_key
from .snippets import mcp_snippet, snippets


@method_decorator(limits_posts, name="dispatch")
class LoginView(auth_views.LoginView):
    """Context: `form` (username, password), `next`, `may_send` (e-mails). Too many failures: 429 with Retry-After."""

    template_name = "projects/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "may_send": settings.EMAIL_IS_CONFIGURED}

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if isinstance(form, LoginForm) and form.retry_after is not None:
            response.status_code = 429
            response["Retry-After"] = str(int(form.retry_after.total_seconds()))
        return response


def admin_login(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """The admin's sign-in is the portal's, with its throttle. Signed in without being staff is 403, not a loop."""
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionDenied(_("The administration is for staff. Ask an administrator to make you one."))
    return auth_views.redirect_to_login(request.GET.get("next", "/admin/"))


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the overview of the project looked at last; without any project to the list, which says what to do."""
    project = last_project(request)
    return redirect("overview", project_id=project.pk) if project else redirect("project-list")


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Name, language and time zone. Context: `form` (AccountForm) and `password_form` (posted to account-password)."""
    user = person(request.user)
    form = AccountForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("account")
    return render(request, "projects/account.html", {"form": form, "password_form": PasswordForm(user)})


@sensitive_post_parameters()
@limits_posts
@require_POST
@login_required
def account_password(request: HttpRequest) -> HttpResponse:
    """A new password; the session stays, the account's other sessions end. Context as in `account`."""
    user = person(request.user)
    form = PasswordForm(user, request.POST)
    if form.is_valid():
        form.save()
        update_session_auth_hash(request, user)
        messages.success(request, _("The new password is in force. Other browsers have been signed out."))
        return redirect("account")
    context = {"form": AccountForm(instance=user), "password_form": form}
    return render(request, "projects/account.html", context, status=422)


@require_GET
@login_required
def project_list(request: HttpRequest) -> HttpResponse:
    """Context: `rows` (ProjectRow), and `problem` when the store of traces does not answer: the list is there still."""
    visible = Project.objects.visible_to(request.user).select_related("organization")
    projects = list(
        visible.with_role_of(request.user).with_live_keys(now()).order_by("organization__name", "name", "id")
    )
    context: dict[str, object] = {"days": DAYS}
    activity: Mapping[UUID, ProjectActivity] = {}
    try:
        activity = activity_of([each.pk for each in projects], ZoneInfo(get_current_timezone_name()))
    except ClickHouseError as error:
        context["problem"] = str(error)
    context["rows"] = [
        ProjectRow(each, Role(each.role).label if each.role else "", activity.get(each.pk, ProjectActivity()))
        for each in projects
    ]
    return render(request, "projects/project_list.html", context)


@dataclass(frozen=True)
class ProjectRow:
    """A line of the list of projects; `role` is what the user is in its organization, or ""."""

    project: Project
    role: str | Promise
    activity: ProjectActivity


@require_GET
@login_required
def key_list(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: `project`, `keys` (newest first), `may_administer`, and for administrators `form` (KeyForm)."""
    project = open_project(request, project_id)
    return _key_page(request, project, KeyForm())


@require_POST
@login_required
@never_cache
def key_create(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The one page that shows a secret, and the only copy of it: it is in no session, cookie, log or cache.

    Context: `project`, `key`, `secret`, `snippets` (title and text to copy).
    """
    project = administered(request.user, open_project(request, project_id))
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _key_page(request, project, form, status=422)
    issued = create_api_key(
        project=project,
        name=form.cleaned_data["name"],
        scopes=form.cleaned_data["scopes"],
        expires_at=form.expires_at(),
        actor=person(request.user),
    )
    shown = snippets(issued.secret)
    if KeyScope.READ in issued.key.scopes:
        shown.append(mcp_snippet(issued.secret))
    context = {"project": project, "key": issued.key, "secret": issued.secret, "snippets": shown}
    return render(request, "projects/key_created.html", context)


@require_POST
@login_required
def key_revoke(request: HttpRequest, project_id: UUID, key_id: UUID) -> HttpResponse:
    project = administered(request.user, open_project(request, project_id))
    key = get_object_or_404(project.keys, pk=key_id)
    revoke_api_key(key=key, actor=person(request.user))
    messages.success(request, _("The key %(key)s is revoked. It stops within 30 seconds.") % {"key": key})
    return redirect("key-list", project_id=project.pk)


def _key_page(request: HttpRequest, project: Project, form: KeyForm, status: int = 200) -> HttpResponse:
    context = {
        "project": project,
        "keys": ApiKey.objects.visible_to(request.user).of_project(project.pk).select_related("created_by"),
        "may_administer": may_administer(request.user, project),
        "form": form,
    }
    return render(request, "projects/key_list.html", context, status=status)
