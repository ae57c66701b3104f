"""Rules and limits of a project, and what they decided."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agentops_portal.clickhouse.gate import ClickHouseError
from projects.access import administered, may_administer, person
from projects.models import Project
from projects.opened import open_project

from .. import services
from ..access import administered_row
from ..limits import uses_of
from ..models import Action, Decision, Limit, Rule
from ..trying import try_text, try_traffic
from .forms import LimitForm, RuleForm, _SharedForm

PAGE = 50
MOST_PAGES = 200  # the API has all


@require_GET
@login_required
def rule_list(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: `project`, `rules`, `limits` of (limit, what is used of it by whom), `may_administer`, `changeable`
    (ids of the rows that the reader may change).
    """
    project = open_project(request, project_id)
    rules = Rule.objects.visible_to(request.user).shown_in(project)
    limits = Limit.objects.visible_to(request.user).shown_in(project)
    changeable = {
        *Rule.objects.administered_by(request.user).shown_in(project).values_list("pk", flat=True),
        *Limit.objects.administered_by(request.user).shown_in(project).values_list("pk", flat=True),
    }
    context = {
        "project": project,
        "rules": rules,
        "limits": [(limit, uses_of(limit, now())) for limit in limits],
        "changeable": changeable,
        "may_administer": may_administer(request.user, project),
    }
    return render(request, "guardrails/rule_list.html", context)


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def rule_new(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: see `_rule_page`."""
    project = administered(request.user, open_project(request, project_id))
    form = RuleForm(_posted(request), project=project, initial={"name": _("Personal data")})
    if request.method == "POST" and form.is_valid() and _created(request, project, form, Rule):
        return redirect("rule-list", project_id=project.pk)
    return _rule_page(request, project, form, None)


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def rule_edit(request: HttpRequest, project_id: UUID, row_id: UUID) -> HttpResponse:
    """Context: see `_rule_page`."""
    project = open_project(request, project_id)
    row = administered_row(Rule, request.user, project, row_id)
    form = RuleForm(_posted(request), project=project, instance=administered_row(Rule, request.user, project, row_id))
    if request.method == "POST" and form.is_valid() and _changed(request, row, form):
        return redirect("rule-list", project_id=project.pk)
    return _rule_page(request, project, form, row)


@require_POST
@login_required
@never_cache
def rule_try(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The rule of the form, saved or not, on its text and on stored calls. Context: `tried`, `traffic` and `problem`,
    besides what `_rule_page` has.
    """
    project = administered(request.user, open_project(request, project_id))
    row = _saved_rule(request, project)
    form = RuleForm(request.POST, project=project, instance=row)
    context: dict[str, Any] = {}
    if form.is_valid():
        text = form.cleaned_data["text"]
        context["tried"] = try_text(form.instance, text) if text else None
        try:
            context["traffic"] = try_traffic(form.instance, project.pk)
        except ClickHouseError as error:
            context["problem"] = str(error)
    return _rule_page(request, project, form, _saved_rule(request, project), **context)


@require_POST
@login_required
def rule_delete(request: HttpRequest, project_id: UUID, row_id: UUID) -> HttpResponse:
    project = open_project(request, project_id)
    services.delete_row(row=administered_row(Rule, request.user, project, row_id), actor=person(request.user))
    messages.success(request, _("Removed."))
    return redirect("rule-list", project_id=project.pk)


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def limit_new(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: `project`, `form`, `limit` (None)."""
    project = administered(request.user, open_project(request, project_id))
    form = LimitForm(_posted(request), project=project, initial={"name": _("Daily budget")})
    if request.method == "POST" and form.is_valid() and _created(request, project, form, Limit):
        return redirect("rule-list", project_id=project.pk)
    return _limit_page(request, project, form, None)


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def limit_edit(request: HttpRequest, project_id: UUID, row_id: UUID) -> HttpResponse:
    """Context: as of `limit_new`, with the limit."""
    project = open_project(request, project_id)
    row = administered_row(Limit, request.user, project, row_id)
    form = LimitForm(_posted(request), project=project, instance=administered_row(Limit, request.user, project, row_id))
    if request.method == "POST" and form.is_valid() and _changed(request, row, form):
        return redirect("rule-list", project_id=project.pk)
    return _limit_page(request, project, form, row)


@require_POST
@login_required
def limit_delete(request: HttpRequest, project_id: UUID, row_id: UUID) -> HttpResponse:
    project = open_project(request, project_id)
    services.delete_row(row=administered_row(Limit, request.user, project, row_id), actor=person(request.user))
    messages.success(request, _("Removed."))
    return redirect("rule-list", project_id=project.pk)


@require_GET
@login_required
def decision_list(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: `project`, `decisions` of a page, the newest first, `newer` and `older` (numbers of the pages beside it,
    None without one), `action` (the chosen one), `actions`.
    """
    project = open_project(request, project_id)
    rows = Decision.objects.visible_to(request.user).of_project(project.pk)
    action = request.GET.get("action", "")
    if action in Action.values:
        rows = rows.filter(action=action)
    number = request.GET.get("page", "")
    page = min(max(1, int(number)), MOST_PAGES) if number.isdecimal() and len(number) < 5 else 1
    found = list(rows[(page - 1) * PAGE : page * PAGE + 1])  # they are not counted: there may be millions
    context = {
        "project": project,
        "decisions": found[:PAGE],
        "newer": page - 1 if page > 1 else None,
        "older": page + 1 if len(found) > PAGE and page < MOST_PAGES else None,
        "action": action,
        "actions": Action.choices,
    }
    return render(request, "guardrails/decision_list.html", context)


def _saved_rule(request: HttpRequest, project: Project) -> Rule | None:
    """The rule whose page the form is on; None on that of a new one."""
    try:
        row_id = UUID(request.POST.get("saved", ""))
    except ValueError:
        return None
    return administered_row(Rule, request.user, project, row_id)


def _posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _created(request: HttpRequest, project: Project, form: _SharedForm, kind: Any) -> bool:
    owner = project if form.is_of_project() else None
    try:
        services.create_row(
            kind, organization=project.organization, project=owner, values=form.values, actor=person(request.user)
        )
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, _("Saved. It acts within two seconds."))
    return True


def _changed(request: HttpRequest, row: Any, form: _SharedForm) -> bool:
    try:
        services.update_row(row=row, values=form.values, actor=person(request.user))
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, _("Saved. It acts within two seconds."))
    return True


def _rule_page(request: HttpRequest, project: Project, form: RuleForm, rule: Rule | None, **more: Any) -> HttpResponse:
    """Context: `project`, `form`, `rule` (None: a new one), and what was tried."""
    status = 422 if request.method == "POST" and form.errors else 200
    context = {"project": project, "form": form, "rule": rule, **more}
    return render(request, "guardrails/rule_form.html", context, status=status)


def _limit_page(request: HttpRequest, project: Project, form: LimitForm, limit: Limit | None) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    context = {"project": project, "form": form, "limit": limit}
    return render(request, "guardrails/limit_form.html", context, status=status)
