"""Which schedules, reports and deliveries somebody reaches, and which of them are due.

A schedule is of one project, or of all projects of an organization. Whoever sees what it is of sees the schedule and
its reports; owners and admins change it.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from django.db.models import Exists, Model, OuterRef, Prefetch, Q, QuerySet

from guardrails.delivery.models import MessageRows
from projects.credential_cache import Credential
from projects.models import Membership, Organization, Project
from projects.querysets import Actor

if TYPE_CHECKING:
    from .models import Delivery, Recipient, Report, ReportSchedule  # noqa: F401 - named in annotations below

Row = TypeVar("Row", bound=Model)


def _of_active(way: str) -> Q:
    """Of a project that is not deleted, or of an organization; `way` leads from a row to its schedule."""
    return Q(**{f"{way}project": None}) | Q(**{f"{way}project__deleted_at": None})


class _ScheduledQuerySet(QuerySet[Row]):
    way = ""

    def visible_to(self, actor: Actor) -> Self:
        """Of the projects and organizations that `actor` sees; a key sees what is of its project alone."""
        return self._within(Project.objects.visible_to(actor), Organization.objects.visible_to(actor), actor)

    def administered_by(self, actor: Actor) -> Self:
        """Of the projects and organizations that `actor` may change."""
        projects, organizations = Project.objects.administered_by(actor), Organization.objects.administered_by(actor)
        return self._within(projects, organizations, actor)

    def shown_in(self, project: Project) -> Self:
        """Those that are on the pages of a project: its own, and those of its organization as a whole."""
        whole = Q(**{f"{self.way}project": None, f"{self.way}organization": project.organization_id})
        return self.filter(Q(**{f"{self.way}project": project.pk}) | whole)

    def of_active(self) -> Self:
        """Without those of deleted projects."""
        return self.filter(_of_active(self.way))

    def _within(self, projects: Any, organizations: Any, actor: Actor) -> Self:
        seen = Q(**{f"{self.way}project__in": projects})
        if not isinstance(actor, Credential):
            seen |= Q(**{f"{self.way}project": None, f"{self.way}organization__in": organizations})
        return self.filter(seen)


class ScheduleQuerySet(_ScheduledQuerySet["ReportSchedule"]):
    def due(self, now: datetime) -> Self:
        return self.of_active().filter(due_at__lte=now, paused_at=None)

    def with_reached(self) -> Self:
        """With the recipients that get the reports, as `reached`, in one query for all."""
        from .models import Recipient

        return self.prefetch_related(Prefetch("recipients", Recipient.objects.reached(), to_attr="reached"))


class RecipientQuerySet(_ScheduledQuerySet["Recipient"]):
    way = "schedule__"

    def reached(self) -> Self:
        """Those that get the report: confirmed, not unsubscribed, and a person only while a member of the
        organization, with an account that is active.
        """
        member = Membership.objects.filter(organization=OuterRef("schedule__organization"), user=OuterRef("user"))
        person = Q(user=None) | Q(Exists(member), user__is_active=True)
        return self.filter(person, unsubscribed_at=None).exclude(confirmed_at=None)


class ReportQuerySet(_ScheduledQuerySet["Report"]):
    way = "schedule__"

    def frozen(self) -> Self:
        return self.exclude(frozen_at=None)

    def to_freeze(self, now: datetime) -> Self:
        """Those whose figures are still to be counted, unless an earlier one of their schedule comes first."""
        from .models import Report

        before = Report.objects.filter(
            schedule=OuterRef("schedule"), frozen_at=None, period_start__lt=OuterRef("period_start")
        )
        return self.of_active().filter(~Exists(before), frozen_at=None, try_at__lte=now).order_by("period_start")


class DeliveryQuerySet(MessageRows["Delivery"], _ScheduledQuerySet["Delivery"]):
    way = "report__schedule__"

    def of_report(self, report_id: UUID) -> Self:
        return self.filter(report=report_id)
