"""Making and changing a schedule, with the report that it would send beside it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from agentops_portal.clickhouse.gate import ClickHouseError
from guardrails import tasks
from guardrails.database_clock import database_now
from projects.access import administered, person
from projects.models import Project, User
from projects.opened import open_project
from traces.pages.store_errors import wants_fragment

from .. import services
from ..access import administered_schedule
from ..contents import figures_of
from ..delivery.hooks import secrets_of
from ..models import Channel, Recipient, ReportSchedule
from ..rendering.words import document_of, subject_line
from .forms import ScheduleForm, recipients_shown


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def schedule_new(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: see `_page`."""
    project = administered(request.user, open_project(request, project_id))
    actor = person(request.user)
    initial = {
        "of": "project",
        "name": _("Weekly guardrail report"),
        "timezone": timezone.get_current_timezone_name(),
        "language": translation.get_language() or "en",
        "members": [str(actor.pk)],
    }
    form = ScheduleForm(
        request.POST if request.method == "POST" else None, project=project, people=_people(project), initial=initial
    )
    if request.method == "POST" and form.is_valid():
        try:
            schedule = services.create_schedule(
                organization=project.organization,
                project=project if form.is_of_project() else None,
                values=form.values,
                actor=actor,
                now=database_now(),
            )
            return _saved(request, project, schedule, form)
        except ValidationError as error:
            form.add_error(None, error)
    return _page(request, project, form, None)


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def schedule_edit(request: HttpRequest, project_id: UUID, schedule_id: UUID) -> HttpResponse:
    """Context: see `_page`."""
    project = open_project(request, project_id)
    schedule = administered_schedule(request.user, project, schedule_id)
    form = ScheduleForm(
        request.POST if request.method == "POST" else None,
        project=project,
        people=_people(project),
        hooks=schedule.recipients.exclude(channel=Channel.EMAIL),
        instance=ReportSchedule.objects.administered_by(request.user).get(pk=schedule.pk),
        initial=recipients_shown(schedule),
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.update_schedule(
                schedule=schedule, values=form.values, actor=person(request.user), now=database_now()
            )
            return _saved(request, project, schedule, form)
        except ValidationError as error:
            form.add_error(None, error)
    return _page(request, project, form, schedule)


@require_POST
@login_required
def schedule_preview(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The report that the form would send, of the last period that is over: as a part of the page or, without script,
    as a page. Context: `document`, `subject`, `problem`.
    """
    project = administered(request.user, open_project(request, project_id))
    form = ScheduleForm(request.POST, project=project, people=_people(project), initial={"of": "project"})
    context: dict[str, Any] = {"project": project, "problem": ""}
    if not form.is_valid():
        faults = [f"{form.fields[name].label}: {' '.join(map(str, each))}" for name, each in form.errors.items()]
        context["problem"] = _("The preview comes when the form is filled in: %(faults)s") % {
            "faults": " ".join(faults)
        }
    else:
        schedule = ReportSchedule(
            organization=project.organization, project=project if form.is_of_project() else None, **form.values
        )
        try:
            context |= _preview(schedule)
        except ClickHouseError as error:
            context["problem"] = str(error)
    name = "_preview" if wants_fragment(request) else "report_preview"
    return render(request, f"guardrails/{name}.html", context)


def _preview(schedule: ReportSchedule) -> dict[str, Any]:
    rhythm = schedule.rhythm
    period = rhythm.previous(rhythm.period_at(database_now()))
    figures = figures_of(schedule, period)
    with translation.override(schedule.language), timezone.override(schedule.zone):
        return {"document": document_of(figures, ""), "subject": subject_line(figures), "language": schedule.language}


def _saved(request: HttpRequest, project: Project, schedule: ReportSchedule, form: ScheduleForm) -> HttpResponse:
    """To the list; when webhooks came, first the page with their secrets, which no other page shows."""
    new = services.set_recipients(
        schedule=schedule,
        members=form.chosen_members(),
        addresses=form.addresses(),
        actor=person(request.user),
        now=database_now(),
    )
    for recipient in new:
        if recipient.confirmed_at is None:
            tasks.tell(tasks.ask_recipient, recipient.pk)
    if hooks := [(each, secrets_of(each)[0]) for each in new if each.channel == Channel.WEBHOOK]:
        return render(request, "guardrails/hook_secrets.html", {"project": project, "hooks": hooks})
    next_at = timezone.localtime(schedule.due_at, schedule.zone)
    messages.success(
        request,
        _("Saved. The next report comes on %(time)s (%(zone)s).")
        % {"time": f"{next_at:%Y-%m-%d %H:%M}", "zone": schedule.timezone},
    )
    return redirect("report-list", project_id=project.pk)


def _people(project: Project) -> list[User]:
    """Members with a confirmed address."""
    people = project.organization.members.exclude(email_confirmed_at=None)
    return list(people.exclude(is_active=False).order_by("email"))


def _page(request: HttpRequest, project: Project, form: ScheduleForm, schedule: ReportSchedule | None) -> HttpResponse:
    """Context: `project`, `form` (ScheduleForm), `schedule` (None: a new one), `silent` (who gets nothing, and why)."""
    silent: list[Recipient] = []
    if schedule is not None:
        silent = list(schedule.recipients.exclude(pk__in=schedule.recipients.reached().values("pk")))
    context = {"project": project, "form": form, "schedule": schedule, "silent": silent}
    status = 422 if form.errors else 200
    return render(request, "guardrails/schedule_form.html", context, status=status)
