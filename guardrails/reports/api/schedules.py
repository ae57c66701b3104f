"""/api/v1/projects/{id}/report-schedules: what is reported again and again, and to whom."""

from datetime import UTC
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import NewestFirstParameters, newest_first, page_of
from agentops_portal.api.parameters import Parameters
from agentops_portal.api.serializers import NameField, PortalModelSerializer
from agentops_portal.fields import validate_timezone
from guardrails import tasks
from guardrails.database_clock import database_now
from projects.access import administered_project, person, visible_project
from projects.api.access import MayReadPeopleChange
from projects.api.actor import actor_of
from projects.api.idempotency import PARAMETER, idempotent
from projects.api.v1.access import check_administrator, faults_of
from projects.models import Project

from .. import services
from ..access import administered_schedule, visible_schedule
from ..models import Channel, Format, Frequency, ReportSchedule, Section, Weekday, all_sections, first_format

TAG = ["Reports"]
ADMINISTRATORS = "For owners and admins of the organization."


class ScheduleSerializer(PortalModelSerializer):
    covers = serializers.SerializerMethodField(help_text="project, or organization: all of its projects.")
    sections = serializers.ListField(child=serializers.ChoiceField(Section.choices))
    formats = serializers.ListField(child=serializers.ChoiceField(Format.choices))
    weekday = serializers.ChoiceField(Weekday.choices, help_text="1 is Monday, as ISO 8601 counts.")
    recipients = serializers.SerializerMethodField(
        help_text="How many get the report: confirmed, and not unsubscribed."
    )
    due_at = serializers.DateTimeField(default_timezone=UTC, help_text="When the next report is made.")

    class Meta:
        model = ReportSchedule
        fields = (
            *(
                "id",
                "covers",
                "name",
                "frequency",
                "weekday",
                "day",
                "hour",
                "timezone",
                "language",
                "sections",
                "formats",
            ),
            *("sends_empty", "catch_up", "grace_minutes", "recipients", "due_at", "paused_at", "created_at"),
        )

    def get_covers(self, schedule: ReportSchedule) -> str:
        return "project" if schedule.project_id else "organization"

    def get_recipients(self, schedule: ReportSchedule) -> int:
        found = getattr(schedule, "reached", None)
        return schedule.recipients.reached().count() if found is None else len(found)


class Choices(serializers.ListField):
    """Some of the choices, each once however often it is named, in the order in which they are named."""

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(child=serializers.ChoiceField(choices), max_length=10, **options)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class ScheduleChanges(Parameters):
    name = NameField(max_length=120, required=False)
    frequency = serializers.ChoiceField(Frequency.choices, required=False)
    weekday = serializers.ChoiceField(Weekday.choices, required=False, help_text="1 is Monday, as ISO 8601 counts.")
    day = serializers.IntegerField(
        min_value=1, max_value=31, required=False, help_text="Of the month; its last if it has fewer."
    )
    hour = serializers.IntegerField(min_value=0, max_value=23, required=False)
    timezone = serializers.CharField(
        max_length=64, required=False, validators=[validate_timezone], help_text="Such as Asia/Seoul."
    )
    language = serializers.ChoiceField(settings.LANGUAGES, required=False)
    sections = Choices(Section.choices, required=False)
    formats = Choices(Format.choices, required=False)
    sends_empty = serializers.BooleanField(required=False, help_text="Whether also when nothing happened.")
    catch_up = serializers.IntegerField(
        min_value=1, max_value=31, required=False, help_text="Missed reports that are made afterwards, at most."
    )
    grace_minutes = serializers.IntegerField(
        min_value=0, max_value=720, required=False, help_text="How long a period waits for late spans."
    )
    emails = serializers.ListField(
        child=serializers.EmailField(max_length=254),
        required=False,
        max_length=services.MOST_RECIPIENTS,
        help_text="All recipients by e-mail. Who is no member is asked first. Slack and webhooks stay as they are.",
    )


class NewSchedule(ScheduleChanges):
    covers = serializers.ChoiceField(
        ["project", "organization"], default="project", help_text="organization: all of its projects."
    )
    name = NameField(max_length=120)
    timezone = serializers.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    sections = Choices(Section.choices, default=all_sections)
    formats = Choices(Format.choices, default=first_format)


def _answer(request: Request, project: Project, schedule: ReportSchedule, status: int = 200) -> Response:
    found = visible_schedule(actor_of(request), project, schedule.pk)
    return Response(ScheduleSerializer(found).data, status=status)


def _set_emails(request: Request, schedule: ReportSchedule, emails: list[str] | None) -> None:
    if emails is None:
        return
    kept: dict[str, list[str]] = {
        channel: list(schedule.recipients.filter(channel=channel).values_list("address", flat=True))
        for channel in (Channel.SLACK, Channel.WEBHOOK)
    }
    new = services.set_recipients(
        schedule=schedule,
        members=[],
        addresses={Channel.EMAIL: emails, **kept},
        actor=person(actor_of(request)),
        now=database_now(),
    )
    for recipient in new:
        if recipient.confirmed_at is None:
            tasks.tell(tasks.ask_recipient, recipient.pk)


@method_decorator(never_cache, name="dispatch")
class SchedulesView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="report_schedules_list",
        summary="The report schedules of a project",
        description="And those of its organization, unless a key asks. The newest first.",
        tags=TAG,
        parameters=[NewestFirstParameters],
        responses=page_of(ScheduleSerializer),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = NewestFirstParameters.of(request)
        rows = ReportSchedule.objects.visible_to(actor_of(request)).shown_in(project).with_reached()
        return newest_first(request, rows, wanted, time="created_at", serializer=ScheduleSerializer)

    @extend_schema(
        operation_id="report_schedules_create",
        summary="A new report schedule",
        description=f"Its first report is of the period that runs now. {ADMINISTRATORS}",
        tags=TAG,
        parameters=[PARAMETER],
        request=NewSchedule,
        responses={201: ScheduleSerializer},
    )
    @idempotent(check_administrator)
    def post(self, request: Request, project_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        wanted = NewSchedule.of_body(request)
        covers, emails = wanted.pop("covers"), wanted.pop("emails", None)
        try:
            schedule = services.create_schedule(
                organization=project.organization,
                project=project if covers == "project" else None,
                values=wanted,
                actor=person(actor_of(request)),
                now=database_now(),
            )
            _set_emails(request, schedule, emails)
        except ValidationError as error:
            raise faults_of(error) from None
        return _answer(request, project, schedule, 201)


@method_decorator(never_cache, name="dispatch")
class ScheduleView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="report_schedules_retrieve",
        summary="One report schedule",
        tags=TAG,
        responses=ScheduleSerializer,
    )
    def get(self, request: Request, project_id: UUID, schedule_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        Parameters.of(request)
        return Response(ScheduleSerializer(visible_schedule(actor_of(request), project, schedule_id)).data)

    @extend_schema(
        operation_id="report_schedules_update",
        summary="Change a report schedule",
        description=f"What is left out stays. Other times begin with the period that runs now. {ADMINISTRATORS}",
        tags=TAG,
        parameters=[PARAMETER],
        request=ScheduleChanges,
        responses=ScheduleSerializer,
    )
    @idempotent(check_administrator)
    def patch(self, request: Request, project_id: UUID, schedule_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        schedule = administered_schedule(actor_of(request), project, schedule_id)
        wanted = ScheduleChanges.of_body(request)
        emails = wanted.pop("emails", None)
        actor = person(actor_of(request))
        try:
            services.update_schedule(schedule=schedule, values=wanted, actor=actor, now=database_now())
            _set_emails(request, schedule, emails)
        except ValidationError as error:
            raise faults_of(error) from None
        return _answer(request, project, schedule)

    @extend_schema(
        operation_id="report_schedules_delete",
        summary="Remove a report schedule with its reports",
        description=ADMINISTRATORS,
        tags=TAG,
        parameters=[PARAMETER],
        responses={204: None},
    )
    @idempotent(check_administrator)
    def delete(self, request: Request, project_id: UUID, schedule_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        schedule = administered_schedule(actor_of(request), project, schedule_id)
        services.delete_schedule(schedule=schedule, actor=person(actor_of(request)))
        return Response(status=204)


@method_decorator(never_cache, name="dispatch")
class SchedulePauseView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="report_schedules_pause",
        summary="Make no reports until it is resumed",
        description=f"Pausing it again changes nothing. {ADMINISTRATORS}",
        tags=TAG,
        parameters=[PARAMETER],
        request=None,
        responses=ScheduleSerializer,
    )
    @idempotent(check_administrator)
    def post(self, request: Request, project_id: UUID, schedule_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        schedule = administered_schedule(actor_of(request), project, schedule_id)
        services.pause(schedule=schedule, actor=person(actor_of(request)), now=database_now())
        return _answer(request, project, schedule)


@method_decorator(never_cache, name="dispatch")
class ScheduleResumeView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="report_schedules_resume",
        summary="Go on with the period that runs now",
        description=ADMINISTRATORS,
        tags=TAG,
        parameters=[PARAMETER],
        request=None,
        responses=ScheduleSerializer,
    )
    @idempotent(check_administrator)
    def post(self, request: Request, project_id: UUID, schedule_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        schedule = administered_schedule(actor_of(request), project, schedule_id)
        services.resume(schedule=schedule, actor=person(actor_of(request)), now=database_now())
        return _answer(request, project, schedule)
