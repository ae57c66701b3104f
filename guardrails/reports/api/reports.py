"""/api/v1/projects/{id}/reports: what was reported, with its figures and files as they were sent."""

from datetime import UTC
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import KeyCursor, PageParameters, newest_first, page_of
from agentops_portal.api.parameters import CursorField, Parameters
from agentops_portal.api.serializers import PortalModelSerializer
from projects.access import visible_project
from projects.api.access import MayRead
from projects.api.actor import actor_of

from ..access import visible_report
from ..models import DeliveryState, Report, ReportSchedule
from ..rendering.files import TYPES

TAG = ["Reports"]


class ReportListParameters(PageParameters):
    schedule = serializers.UUIDField(required=False, help_text="The id of a report schedule.")
    cursor = CursorField(KeyCursor.parser(str, str))


class ReportSerializer(PortalModelSerializer):
    schedule = serializers.UUIDField(source="schedule_id")
    name = serializers.CharField(source="schedule.name")
    revision = serializers.IntegerField(help_text="Above 1: a corrected version.")
    frozen_at = serializers.DateTimeField(
        allow_null=True, default_timezone=UTC, help_text="When its figures were counted; null until they are."
    )
    deliveries = serializers.SerializerMethodField(help_text="How many there are of each state.")

    class Meta:
        model = Report
        fields = (
            *("id", "schedule", "name", "period_start", "period_end", "timezone", "revision", "is_late", "due_at"),
            *("created_at", "frozen_at", "deliveries"),
        )

    def get_deliveries(self, report: Report) -> dict[str, int]:
        states = [each.state for each in report.deliveries.all()]
        return {state: states.count(state) for state in DeliveryState.values if state in states}


class WholeReportSerializer(ReportSerializer):
    files = serializers.SerializerMethodField(help_text="Kinds of files that there are.")
    figures = serializers.DictField(
        allow_null=True,
        help_text="All that the report says, see docs/reports.md; null until they are counted.",
    )

    class Meta(ReportSerializer.Meta):
        fields = (*ReportSerializer.Meta.fields, "files", "figures")  # type: ignore[assignment]

    def get_files(self, report: Report) -> list[str]:
        return [kind for kind in report.files.order_by("pk").values_list("kind", flat=True) if kind in TYPES]


@method_decorator(never_cache, name="dispatch")
class ReportsView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="reports_list",
        summary="The reports of a project",
        description="And those of its organization, unless a key asks. The newest period first, without figures.",
        tags=TAG,
        parameters=[ReportListParameters],
        responses=page_of(ReportSerializer),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = ReportListParameters.of(request)
        rows = Report.objects.visible_to(actor_of(request)).shown_in(project)
        if "schedule" in wanted:
            seen = ReportSchedule.objects.visible_to(actor_of(request)).filter(pk=wanted["schedule"])
            rows = rows.filter(schedule__in=seen)
        rows = rows.defer("figures").select_related("schedule").prefetch_related("deliveries")
        return newest_first(request, rows, wanted, time="period_start", serializer=ReportSerializer)


@method_decorator(never_cache, name="dispatch")
class ReportView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(operation_id="reports_retrieve", summary="One report", tags=TAG, responses=WholeReportSerializer)
    def get(self, request: Request, project_id: UUID, report_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        Parameters.of(request)
        return Response(WholeReportSerializer(visible_report(actor_of(request), project, report_id)).data)


@method_decorator(never_cache, name="dispatch")
class ReportFileView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="reports_file",
        summary="One file of a report",
        description=f"As it was sent, of a kind that the report has: {', '.join(TYPES)}.",
        tags=TAG,
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, project_id: UUID, report_id: UUID, kind: str) -> HttpResponse:
        report = visible_report(actor_of(request), visible_project(actor_of(request), project_id), report_id)
        Parameters.of(request)
        file = report.files.filter(kind=kind).first() if kind in TYPES else None
        if file is None:
            raise NotFound("This report has no such file.")
        headers: dict[str, Any] = {"Content-Disposition": content_disposition_header(True, file.name) or ""}
        return HttpResponse(bytes(file.content), content_type=TYPES[kind], headers=headers)
