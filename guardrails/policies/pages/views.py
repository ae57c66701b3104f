"""Policies of a project: the list, the form with what it would have done, mute and remove."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agentops_portal.clickhouse.gate import ClickHouseError
from guardrails.database_clock import database_now
from guardrails.incidents.messages import secrets_of
from guardrails.incidents.models import Channel, Incident
from projects.access import administered, may_administer, person
from projects.models import Project, User
from projects.opened import open_project
from traces.pages.store_errors import wants_fragment

from .. import services
from ..access import administered_policy
from ..charts import figure_chart
from ..kinds import KINDS
from ..models import Policy
from ..simulation import simulate
from ..words import hours, rule
from .forms import MuteForm, PolicyForm, contacts_shown

SHOWN_OPENINGS = 50


@require_GET
@login_required
def policy_list(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: `project`, `rows` of policies with what they say and how many incidents go on, `may_administer`,
    `may_send` (e-mails).
    """
    project = open_project(request, project_id)
    policies = Policy.objects.visible_to(request.user).shown_in(project).select_related("owner")
    changeable = set(Policy.objects.administered_by(request.user).shown_in(project).values_list("pk", flat=True))
    going_on: dict[UUID, int] = {}
    for policy_id in (
        Incident.objects.visible_to(request.user).of_project(project.pk).going_on().values_list("policy", flat=True)
    ):
        going_on[policy_id] = going_on.get(policy_id, 0) + 1
    now = timezone.now()
    rows = [
        {
            "policy": each,
            "rule": rule(each),
            "hours": hours(each),
            "going_on": going_on.get(each.pk, 0),
            "is_muted": each.is_muted(now),
            "may_change": each.pk in changeable,
            "contacts": each.contacts.all(),
        }
        for each in policies.prefetch_related("contacts")
    ]
    context = {
        "project": project,
        "rows": rows,
        "may_administer": may_administer(request.user, project),
        "may_send": settings.EMAIL_IS_CONFIGURED,
    }
    return render(request, "guardrails/policy_list.html", context)


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def policy_new(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: see `_page`."""
    project = administered(request.user, open_project(request, project_id))
    actor = person(request.user)
    initial = {
        "of": "project",
        "name": _("Too many errors"),
        "kind": "error_rate",
        "window": "1h",
        "period": "day",
        "threshold": 10,
        "min_volume": 10,
        "timezone": timezone.get_current_timezone_name(),
        "owner": actor.pk,
        "members": [str(actor.pk)],
        "days": 7,
    }
    form = _form(request, project, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            policy = services.create_policy(
                organization=project.organization,
                project=project if form.is_of_project() else None,
                values=form.values,
                actor=actor,
                now=database_now(),
            )
            return _saved(request, project, policy, form)
        except ValidationError as error:
            form.add_error(None, error)
    return _page(request, project, form, None)


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def policy_edit(request: HttpRequest, project_id: UUID, policy_id: UUID) -> HttpResponse:
    """Context: see `_page`."""
    project = open_project(request, project_id)
    policy = administered_policy(request.user, project, policy_id)
    edited = administered_policy(request.user, project, policy_id)  # which the form changes while it checks
    form = _form(request, project, instance=edited, initial=contacts_shown(policy))
    if request.method == "POST" and form.is_valid():
        try:
            services.update_policy(policy=policy, values=form.values, actor=person(request.user))
            return _saved(request, project, policy, form)
        except ValidationError as error:
            form.add_error(None, error)
    return _page(request, project, form, policy)


@require_POST
@login_required
def policy_simulate(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """What the policy of the form would have done: as a part of the page or, without script, as a page. Context:
    `simulated`, `openings` (the newest first), `chart`, `rule`, `days`; else `problem`.
    """
    project = administered(request.user, open_project(request, project_id))
    form = _form(request, project)
    context: dict[str, Any] = {"project": project, "problem": ""}
    if not form.is_valid():
        context["problem"] = form.faults()
    else:
        policy = Policy(organization=project.organization, project=project, **form.values)
        days = form.cleaned_data["days"] or 7
        try:
            simulated = simulate(policy, project, days, database_now())
            context |= {
                "simulated": simulated,
                "openings": [(each, policy.kind) for each in simulated.openings[::-1][:SHOWN_OPENINGS]],
                "chart": figure_chart(policy, simulated.series, simulated.start, simulated.end),
                "rule": rule(policy),
                "days": days,
            }
        except ClickHouseError as error:
            context["problem"] = str(error)
    name = "_simulation" if wants_fragment(request) else "policy_simulation"
    return render(request, f"guardrails/{name}.html", context)


@require_POST
@login_required
def policy_act(request: HttpRequest, project_id: UUID, policy_id: UUID, act: str) -> HttpResponse:
    """`act`: mute (for `hours`), unmute or delete."""
    project = open_project(request, project_id)
    policy = administered_policy(request.user, project, policy_id)
    actor = person(request.user)
    if act == "delete":
        services.delete_policy(policy=policy, actor=actor)
        messages.success(request, _("“%(name)s” and its incidents are removed.") % {"name": policy})
    elif act == "unmute":
        services.mute(policy=policy, until=None, actor=actor)
        messages.success(request, _("“%(name)s” tells of incidents again.") % {"name": policy})
    else:
        form = MuteForm(request.POST)
        until = database_now() + timedelta(hours=form.cleaned_data["hours"] if form.is_valid() else 1)
        services.mute(policy=policy, until=until, actor=actor)
        words = {"name": policy, "time": f"{timezone.localtime(until):%Y-%m-%d %H:%M}"}
        messages.success(request, _("“%(name)s” tells nobody until %(time)s.") % words)
    return redirect("policy-list", project_id=project_id)


def _form(request: HttpRequest, project: Project, **options: Any) -> PolicyForm:
    people = project.organization.members.exclude(email_confirmed_at=None).exclude(is_active=False)
    hooks = services.hooks_of(project)
    data = request.POST if request.method == "POST" else None
    return PolicyForm(data, project=project, people=people.order_by("email"), hooks=hooks, **options)


def _saved(request: HttpRequest, project: Project, policy: Policy, form: PolicyForm) -> HttpResponse:
    """To the list; when webhooks came, first the page with their secrets, which no other page shows."""
    members: list[User] = form.chosen_members()
    new = services.set_contacts(
        policy=policy,
        members=members,
        hooks=form.chosen_hooks(),
        actor=person(request.user),
        now=database_now(),
    )
    if hooks := [(each, secrets_of(each)[0]) for each in new if each.channel == Channel.WEBHOOK]:
        context = {"project": project, "hooks": hooks, "is_policy": True}
        return render(request, "guardrails/hook_secrets.html", context)
    messages.success(request, _("Saved. It is evaluated every minute from now on."))
    return redirect("policy-list", project_id=project.pk)


def _page(request: HttpRequest, project: Project, form: PolicyForm, policy: Policy | None) -> HttpResponse:
    """Context: `project`, `form` (PolicyForm), `policy` (None: a new one), `kinds` of (name, label, what it is)."""
    labels = dict(Policy._meta.get_field("kind").choices or [])
    kinds = [(name, labels[name], kind.help) for name, kind in KINDS.items()]
    context = {"project": project, "form": form, "policy": policy, "kinds": kinds}
    return render(request, "guardrails/policy_form.html", context, status=422 if form.errors else 200)
