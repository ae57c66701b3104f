"""Schedules and reports as an actor finds them on the pages of a project: NotThere (404) for whatever it does not see,
NotAllowed (403) where a role is too low.
"""

from uuid import UUID

from django.utils.translation import gettext as _

from agentops_portal.refusals import NotAllowed, NotThere
from projects.models import Project
from projects.querysets import Actor

from .models import Report, ReportSchedule


def visible_schedule(actor: Actor, project: Project, schedule_id: UUID) -> ReportSchedule:
    rows = ReportSchedule.objects.visible_to(actor).shown_in(project).select_related("project", "organization")
    schedule = rows.filter(pk=schedule_id).first()
    if schedule is None:
        raise NotThere(_("There is no such report schedule."))
    return schedule


def administered_schedule(actor: Actor, project: Project, schedule_id: UUID) -> ReportSchedule:
    schedule = visible_schedule(actor, project, schedule_id)
    if not may_change(actor, schedule):
        raise NotAllowed(_("Only owners and admins of the organization may do this."))
    return schedule


def visible_report(actor: Actor, project: Project, report_id: UUID) -> Report:
    rows = Report.objects.visible_to(actor).shown_in(project)
    report = rows.select_related("schedule__project", "schedule__organization").filter(pk=report_id).first()
    if report is None:
        raise NotThere(_("There is no such report."))
    return report


def administered_report(actor: Actor, project: Project, report_id: UUID) -> Report:
    report = visible_report(actor, project, report_id)
    if not may_change(actor, report.schedule):
        raise NotAllowed(_("Only owners and admins of the organization may do this."))
    return report


def may_change(actor: Actor, schedule: ReportSchedule) -> bool:
    return ReportSchedule.objects.administered_by(actor).filter(pk=schedule.pk).exists()
