"""Reports of a project: the list, one report, its files."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from guardrails import tasks
from guardrails.database_clock import database_now
from guardrails.delivery.outbox import attempt_words
from projects.access import may_administer, person
from projects.opened import open_project

from .. import services
from ..access import administered_report, administered_schedule, may_change, visible_report
from ..freezing import link_to
from ..models import DeliveryState, Report, ReportSchedule
from ..rendering.files import TYPES
from ..rendering.words import document_of

SHOWN = 60  # reports in the list; the API has all
TROUBLED = (DeliveryState.DEAD, DeliveryState.PERHAPS, DeliveryState.FAILED)


@require_GET
@login_required
def report_list(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Context: `project`, `rows` of (schedule, whether the reader may change it), `reports` (the newest first),
    `may_administer`, `may_send` (e-mails).
    """
    project = open_project(request, project_id)
    seen = ReportSchedule.objects.visible_to(request.user).shown_in(project)
    schedules = seen.select_related("project", "organization").prefetch_related("recipients")
    changeable = set(ReportSchedule.objects.administered_by(request.user).shown_in(project))
    reports = Report.objects.visible_to(request.user).shown_in(project).select_related("schedule")
    context = {
        "project": project,
        "rows": [(each, each in changeable) for each in schedules],
        "reports": reports.defer("figures").prefetch_related("deliveries")[:SHOWN],
        "troubled": TROUBLED,
        "may_administer": may_administer(request.user, project),
        "may_send": settings.EMAIL_IS_CONFIGURED,
    }
    return render(request, "guardrails/report_list.html", context)


@require_GET
@login_required
def report_detail(request: HttpRequest, project_id: UUID, report_id: UUID) -> HttpResponse:
    """Context: `project`, `report`, `document` in the reader's language and the schedule's time zone (None until its
    figures are counted), `files`, and for administrators `deliveries`, of (delivery, attempts).
    """
    project = open_project(request, project_id)
    report = visible_report(request.user, project, report_id)
    changes = may_change(request.user, report.schedule)
    context: dict[str, Any] = {
        "project": project,
        "report": report,
        "may_change": changes,
        "files": report.files.filter(kind__in=TYPES).defer("content").order_by("pk"),
        "document": None,
        "deliveries": [],
    }
    if changes:
        rows = report.deliveries.order_by("channel", "address")
        context["deliveries"] = [(each, attempt_words(each)) for each in rows]
    if report.figures is not None:
        with timezone.override(ZoneInfo(report.timezone)):
            context["document"] = document_of(report.figures, link_to(report))
    return render(request, "guardrails/report_detail.html", context)


@require_GET
@login_required
def report_file(request: HttpRequest, project_id: UUID, report_id: UUID, kind: str) -> HttpResponse:
    """One of the files, as it was sent."""
    report = visible_report(request.user, open_project(request, project_id), report_id)
    file = report.files.filter(kind=kind).first() if kind in TYPES else None
    if file is None:
        raise Http404(_("This report has no such file."))
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return HttpResponse(bytes(file.content), content_type=TYPES[kind], headers=headers)


@require_POST
@login_required
def report_correct(request: HttpRequest, project_id: UUID, report_id: UUID) -> HttpResponse:
    report = administered_report(request.user, open_project(request, project_id), report_id)
    made = services.correct(report=report, actor=person(request.user), now=database_now())
    tasks.tell(tasks.make_report, made.pk)
    messages.success(request, _("A corrected version is being made. It goes to all recipients."))
    return redirect("report-detail", project_id=project_id, report_id=made.pk)


@require_POST
@login_required
def delivery_resend(request: HttpRequest, project_id: UUID, report_id: UUID, delivery_id: UUID) -> HttpResponse:
    report = administered_report(request.user, open_project(request, project_id), report_id)
    delivery = get_object_or_404(report.deliveries.select_related("report__schedule"), pk=delivery_id)
    if services.resend(delivery=delivery, actor=person(request.user), now=database_now()):
        tasks.tell(tasks.deliver_report, delivery.pk)
        messages.success(request, _("It is sent to %(address)s again.") % {"address": delivery.shown})
    else:
        messages.info(request, _("It is being sent already."))
    return redirect("report-detail", project_id=project_id, report_id=report_id)


@require_POST
@login_required
def schedule_act(request: HttpRequest, project_id: UUID, schedule_id: UUID, act: str) -> HttpResponse:
    """`act`: pause, resume, send, test or delete."""
    project = open_project(request, project_id)
    schedule = administered_schedule(request.user, project, schedule_id)
    actor, now = person(request.user), database_now()
    if act == "pause":
        services.pause(schedule=schedule, actor=actor, now=now)
        messages.success(request, _("“%(name)s” is paused.") % {"name": schedule})
    elif act == "resume":
        services.resume(schedule=schedule, actor=actor, now=now)
        messages.success(request, _("“%(name)s” goes on with the running period.") % {"name": schedule})
    elif act == "test" and not settings.EMAIL_IS_CONFIGURED:
        messages.error(request, _("This portal sends no e-mail until EMAIL_URL is set."))
    elif act == "test":
        tasks.tell(tasks.send_test_report, schedule.pk, str(actor.pk))
        messages.success(request, _("A test is on its way to %(address)s.") % {"address": actor.email})
    elif act == "delete":
        services.delete_schedule(schedule=schedule, actor=actor)
        messages.success(request, _("“%(name)s” and its reports are removed.") % {"name": schedule})
    else:
        return _send_now(request, schedule, project_id)
    return redirect("report-list", project_id=project_id)


def _send_now(request: HttpRequest, schedule: ReportSchedule, project_id: UUID) -> HttpResponse:
    try:
        report = services.send_now(schedule=schedule, actor=person(request.user), now=database_now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("report-list", project_id=project_id)
    tasks.tell(tasks.make_report, report.pk)
    messages.success(request, _("The report is being made and goes to its recipients."))
    return redirect("report-detail", project_id=project_id, report_id=report.pk)
