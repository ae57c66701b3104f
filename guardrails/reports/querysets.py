"""Schedules, reports and deliveries: which of them are due, and whose they are."""

from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q

from guardrails.delivery.models import MessageRows
from guardrails.rows import SharedRows
from projects.models import Membership

if TYPE_CHECKING:
    from .models import Delivery, Recipient, Report, ReportSchedule  # noqa: F401 - named in annotations below


class ScheduleQuerySet(SharedRows["ReportSchedule"]):
    def due(self, now: datetime) -> Self:
        return self.of_active().filter(due_at__lte=now, paused_at=None)

    def with_reached(self) -> Self:
        """With the recipients that get the reports, as `reached`, in one query for all."""
        from .models import Recipient

        return self.prefetch_related(Prefetch("recipients", Recipient.objects.reached(), to_attr="reached"))


class RecipientQuerySet(SharedRows["Recipient"]):
    way = "schedule__"

    def reached(self) -> Self:
        """Those that get the report: confirmed, not unsubscribed, and a person only while a member of the
        organization, with an account that is active.
        """
        member = Membership.objects.filter(organization=OuterRef("schedule__organization"), user=OuterRef("user"))
        person = Q(user=None) | Q(Exists(member), user__is_active=True)
        return self.filter(person, unsubscribed_at=None).exclude(confirmed_at=None)


class ReportQuerySet(SharedRows["Report"]):
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


class DeliveryQuerySet(SharedRows["Delivery"], MessageRows["Delivery"]):  # type: ignore[override]
    way = "report__schedule__"

    def of_report(self, report_id: UUID) -> Self:
        return self.filter(report=report_id)
