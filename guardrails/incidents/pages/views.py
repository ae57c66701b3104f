"""Incidents of a project: the list, one with its timeline and figure, acknowledge and resolve."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from agentops_portal.clickhouse.gate import ClickHouseError
from guardrails.database_clock import database_now
from guardrails.policies.access import visible_policy
from guardrails.policies.charts import figure_chart
from guardrails.policies.kinds import LENGTHS, Kind
from guardrails.policies.simulation import figure_over_time
from guardrails.policies.words import rule
from projects.access import may_administer, may_develop, person
from projects.opened import open_project
from traces.pages.range_form import AddressForm

from .. import changes
from ..access import handled_incident, visible_incident
from ..links import traces_address
from ..models import Incident, IncidentState, Severity
from ..words import note_text

ROWS = 50
LONGEST_CHART = timedelta(days=7)
AROUND = timedelta(hours=2)  # before and after an incident, at least


class IncidentFilter(AddressForm):
    """GET parameters of the list; none means all."""

    state = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Status"),
        choices=[
            ("", gettext_lazy("Any status")),
            ("going_on", gettext_lazy("Not resolved")),
            *IncidentState.choices,
        ],
    )
    severity = forms.ChoiceField(
        required=False, label=gettext_lazy("Severity"), choices=[("", gettext_lazy("Any severity")), *Severity.choices]
    )
    kind = forms.ChoiceField(
        required=False, label=gettext_lazy("Figure"), choices=[("", gettext_lazy("Any figure")), *Kind.choices]
    )
    policy = forms.UUIDField(required=False, label=gettext_lazy("Policy"), widget=forms.HiddenInput)
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)


class NoteForm(forms.Form):
    note = forms.CharField(required=False, max_length=changes.LONGEST_NOTE)


@require_GET
@login_required
def incident_list(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: `project`, `form`, `page` of incidents (the newest first), `has_any`, `may_administer`; 400 when the
    address does not fit.
    """
    project = open_project(request, project_id)
    form = IncidentFilter(request.GET)
    seen = Incident.objects.visible_to(request.user).of_project(project.pk)
    rows = seen.select_related("policy", "acknowledged_by")
    is_valid = form.is_valid()
    if is_valid:
        wanted = form.cleaned_data
        rows = rows.going_on() if wanted["state"] == "going_on" else rows
        exact = {"state": wanted["state"] if wanted["state"] != "going_on" else "", "severity": wanted["severity"]}
        exact |= {"policy__kind": wanted["kind"], "policy": wanted["policy"]}
        rows = rows.filter(**{name: value for name, value in exact.items() if value})
    page = Paginator(rows, ROWS).get_page(form.cleaned_data.get("page") or 1)
    context = {
        "project": project,
        "form": form,
        "page": page,
        "has_any": seen.exists(),
        "may_administer": may_administer(request.user, project),
    }
    return render(request, "guardrails/incident_list.html", context, status=200 if is_valid else 400)


@require_GET
@login_required
def incident_detail(request: HttpRequest, project_id: UUID, incident_id: UUID) -> HttpResponse:
    """Context: `project`, `incident`, `rule` of its policy, `timeline` of (event, note), `traces` (an address), `chart`
    (None, with `problem`, when ClickHouse does not answer), `may_handle`.
    """
    project = open_project(request, project_id)
    incident = visible_incident(request.user, project, incident_id)
    visible_policy(request.user, project, incident.policy_id)
    events = incident.events.select_related("actor").order_by("-at", "-id")
    context: dict[str, Any] = {
        "project": project,
        "incident": incident,
        "rule": rule(incident.policy),
        "timeline": [(each, note_text(each.note) if each.note else "") for each in events],
        "traces": traces_address(incident),
        "chart": None,
        "problem": "",
        "may_handle": may_develop(request.user, project),
        "may_administer": may_administer(request.user, project),
    }
    end = min(database_now(), (incident.resolved_at or timezone.now()) + AROUND)
    start = max(incident.opened_at - max(AROUND, 2 * _length(incident)), end - LONGEST_CHART)
    try:
        values = figure_over_time(incident.policy, project, incident.subject, start, end)
        context["chart"] = figure_chart(incident.policy, {incident.subject: values}, start, end)
    except ClickHouseError as error:
        context["problem"] = str(error)
    return render(request, "guardrails/incident_detail.html", context)


@require_POST
@login_required
def incident_act(request: HttpRequest, project_id: UUID, incident_id: UUID, act: str) -> HttpResponse:
    """`act`: acknowledge or resolve, with a `note`."""
    project = open_project(request, project_id)
    incident = handled_incident(request.user, project, incident_id)
    form = NoteForm(request.POST)
    note = form.cleaned_data["note"] if form.is_valid() else request.POST.get("note", "")
    actor, now = person(request.user), database_now()
    if act == "acknowledge":
        done = changes.acknowledge(incident, now, actor=actor, note=note)
        said = _("Acknowledged.") if done else _("Somebody was faster: look at the timeline.")
    else:
        done = changes.end(incident, now, actor=actor, note=note)
        said = _("Resolved. While the cool-down lasts no other is opened.") if done else _("It is over already.")
    (messages.success if done else messages.info)(request, said)
    return redirect("incident-detail", project_id=project_id, incident_id=incident_id)


def _length(incident: Incident) -> timedelta:
    return LENGTHS.get(incident.policy.window, timedelta())
