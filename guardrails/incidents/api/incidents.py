"""/api/v1/projects/{id}/incidents: what went beyond the limit of a policy, and what was done about it."""

from datetime import UTC
from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import KeyCursor, PageParameters, newest_first, page_of
from agentops_portal.api.parameters import CursorField, Parameters
from agentops_portal.api.serializers import PortalModelSerializer
from guardrails.database_clock import database_now
from guardrails.policies.kinds import Kind
from projects.access import person, visible_project
from projects.api.access import MayReadPeopleChange
from projects.api.actor import actor_of
from projects.api.idempotency import PARAMETER, idempotent

from .. import changes
from ..access import handled_incident, visible_incident
from ..links import traces_link
from ..models import Incident, IncidentEvent, IncidentState, Severity

TAG = ["Incidents"]
DEVELOPERS = "For owners, admins and developers of the organization."


class IncidentListParameters(PageParameters):
    state = serializers.ChoiceField(IncidentState.choices, required=False)
    severity = serializers.ChoiceField(Severity.choices, required=False)
    kind = serializers.ChoiceField(Kind.choices, required=False)
    policy = serializers.UUIDField(required=False, help_text="The id of a policy.")
    cursor = CursorField(KeyCursor.parser(str, str))


class IncidentNote(Parameters):
    note = serializers.CharField(max_length=changes.LONGEST_NOTE, required=False, default="", allow_blank=True)


class AmountField(serializers.DecimalField):
    def __init__(self) -> None:
        super().__init__(max_digits=30, decimal_places=6, normalize_output=True, allow_null=True)


class IncidentSerializer(PortalModelSerializer):
    policy = serializers.UUIDField(source="policy_id")
    name = serializers.CharField(source="policy.name")
    kind = serializers.CharField(source="policy.kind")
    subject = serializers.CharField(help_text="The model, user or guardrail; empty: the project.")
    value = AmountField()
    worst = AmountField()
    threshold = AmountField()
    opened_at = serializers.DateTimeField(default_timezone=UTC)
    seen_at = serializers.DateTimeField(default_timezone=UTC, help_text="Up to when the figure was counted.")
    acknowledged_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    acknowledged_by = serializers.EmailField(source="acknowledged_by.email", allow_null=True, default=None)
    resolved_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    traces_url = serializers.SerializerMethodField(help_text="The page of the traces behind it.")

    class Meta:
        model = Incident
        fields = (
            *("id", "policy", "name", "kind", "subject", "state", "severity", "value", "worst", "threshold"),
            *("opened_at", "seen_at", "acknowledged_at", "acknowledged_by", "resolved_at", "traces_url"),
        )

    def get_traces_url(self, incident: Incident) -> str:
        return traces_link(incident)


class IncidentEventSerializer(PortalModelSerializer):
    at = serializers.DateTimeField(default_timezone=UTC)
    value = AmountField()
    threshold = AmountField()
    actor = serializers.EmailField(source="actor.email", allow_null=True, default=None)

    class Meta:
        model = IncidentEvent
        fields = ("kind", "at", "value", "threshold", "actor", "note")


class WholeIncidentSerializer(IncidentSerializer):
    events = IncidentEventSerializer(many=True, help_text="The timeline, the oldest first.")

    class Meta(IncidentSerializer.Meta):
        fields = (*IncidentSerializer.Meta.fields, "events")  # type: ignore[assignment]


def check_developer(request: Request, project_id: UUID, incident_id: UUID) -> None:
    """Raises as `handled_incident`."""
    handled_incident(actor_of(request), visible_project(actor_of(request), project_id), incident_id)


@method_decorator(never_cache, name="dispatch")
class IncidentsView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="incidents_list",
        summary="The incidents of a project, the newest first",
        tags=TAG,
        parameters=[IncidentListParameters],
        responses=page_of(IncidentSerializer),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = IncidentListParameters.of(request)
        rows = Incident.objects.visible_to(actor_of(request)).of_project(project.pk)
        exact = {"state": "state", "severity": "severity", "kind": "policy__kind", "policy": "policy"}
        rows = rows.filter(**{field: wanted[name] for name, field in exact.items() if name in wanted})
        rows = rows.select_related("policy", "acknowledged_by")
        return newest_first(request, rows, wanted, time="opened_at", serializer=IncidentSerializer)


@method_decorator(never_cache, name="dispatch")
class IncidentView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="incidents_retrieve",
        summary="One incident with its timeline",
        tags=TAG,
        responses=WholeIncidentSerializer,
    )
    def get(self, request: Request, project_id: UUID, incident_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        Parameters.of(request)
        return _answer(visible_incident(actor_of(request), project, incident_id))


@method_decorator(never_cache, name="dispatch")
class IncidentAcknowledgeView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="incidents_acknowledge",
        summary="Say that somebody is at it",
        description=f"Doing it again changes nothing. {DEVELOPERS}",
        tags=TAG,
        parameters=[PARAMETER],
        request=IncidentNote,
        responses=WholeIncidentSerializer,
    )
    @idempotent(check_developer)
    def post(self, request: Request, project_id: UUID, incident_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        incident = handled_incident(actor_of(request), project, incident_id)
        note = IncidentNote.of_body(request)["note"]
        changes.acknowledge(incident, database_now(), actor=person(actor_of(request)), note=note)
        return _answer(visible_incident(actor_of(request), project, incident_id))


@method_decorator(never_cache, name="dispatch")
class IncidentResolveView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="incidents_resolve",
        summary="End an incident by hand",
        description=f"While the policy's cool-down lasts no other is opened. {DEVELOPERS}",
        tags=TAG,
        parameters=[PARAMETER],
        request=IncidentNote,
        responses=WholeIncidentSerializer,
    )
    @idempotent(check_developer)
    def post(self, request: Request, project_id: UUID, incident_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        incident = handled_incident(actor_of(request), project, incident_id)
        note = IncidentNote.of_body(request)["note"]
        changes.end(incident, database_now(), actor=person(actor_of(request)), note=note)
        return _answer(visible_incident(actor_of(request), project, incident_id))


def _answer(incident: Incident) -> Response:
    return Response(WholeIncidentSerializer(incident).data)
