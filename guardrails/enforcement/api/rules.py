"""/api/v1/projects/{id}/guardrails/rules, …/limits: what is looked for, and how much may be used."""

from typing import Any, ClassVar, Generic
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import NewestFirstParameters, newest_first, page_of
from agentops_portal.api.parameters import Parameters
from agentops_portal.api.serializers import NameField, PortalModelSerializer
from projects.access import administered_project, person, visible_project
from projects.api.access import MayReadPeopleChange
from projects.api.actor import actor_of
from projects.api.idempotency import PARAMETER, idempotent
from projects.api.v1.access import check_administrator, faults_of

from .. import services
from ..access import administered_row, visible_row
from ..finding.entities import Entity
from ..models import LONGEST_PATTERN, Action, Limit, Measure, Per, Phase, Rule, Way, Window
from ..services import LIMIT_FIELDS, RULE_FIELDS, Kept

TAG = ["Guardrails"]
ADMINISTRATORS = "For owners and admins of the organization. It acts within two seconds."


class _Covers(PortalModelSerializer):
    covers = serializers.SerializerMethodField(help_text="project, or organization: all of its projects.")

    def get_covers(self, row: Any) -> str:
        return "project" if row.project_id else "organization"


class RuleSerializer(_Covers):
    entities = serializers.ListField(child=serializers.ChoiceField(Entity.choices))

    class Meta:
        model = Rule
        fields = ("id", "covers", *RULE_FIELDS, "created_at", "updated_at")


class LimitSerializer(_Covers):
    class Meta:
        model = Limit
        fields = ("id", "covers", *LIMIT_FIELDS, "created_at", "updated_at")


class RuleChanges(Parameters):
    name = NameField(max_length=120, required=False)
    way = serializers.ChoiceField(Way.choices, required=False)
    entities = serializers.ListField(
        child=serializers.ChoiceField(Entity.choices), required=False, max_length=len(Entity.values)
    )
    pattern = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=LONGEST_PATTERN,
        help_text="One word or phrase a line; or one regular expression as RE2 takes it.",
    )
    mark = serializers.CharField(required=False, allow_blank=True, max_length=32)
    country = serializers.CharField(required=False, max_length=2)
    action = serializers.ChoiceField(Action.choices, required=False)
    phase = serializers.ChoiceField(Phase.choices, required=False)
    position = serializers.IntegerField(min_value=0, max_value=32_767, required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)
    shadow = serializers.BooleanField(required=False)
    enabled = serializers.BooleanField(required=False)


COVERS: Any = {"choices": ["project", "organization"], "default": "project"}


class NewRule(RuleChanges):
    covers = serializers.ChoiceField(**COVERS, help_text="organization: all of its projects.")
    name = NameField(max_length=120)


class LimitChanges(Parameters):
    name = NameField(max_length=120, required=False)
    measure = serializers.ChoiceField(Measure.choices, required=False)
    amount = serializers.DecimalField(18, 6, min_value=0, required=False)
    window = serializers.ChoiceField(Window.choices, required=False, help_text="Cut in UTC.")
    per = serializers.ChoiceField(Per.choices, required=False)
    reserve = serializers.DecimalField(12, 6, min_value=0, required=False, help_text="US dollars for a call in flight.")
    fails_open = serializers.BooleanField(required=False)
    shadow = serializers.BooleanField(required=False)
    enabled = serializers.BooleanField(required=False)


class NewLimit(LimitChanges):
    covers = serializers.ChoiceField(**COVERS, help_text="organization: all of its projects.")
    name = NameField(max_length=120)
    amount = serializers.DecimalField(18, 6, min_value=0)


class _Rows(APIView, Generic[Kept]):
    permission_classes = (MayReadPeopleChange,)
    kind: ClassVar[Any]
    serializer: ClassVar[Any]
    new: ClassVar[Any]

    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = NewestFirstParameters.of(request)
        rows = self.kind.objects.visible_to(actor_of(request)).shown_in(project)
        return newest_first(request, rows, wanted, time="created_at", serializer=self.serializer)

    @idempotent(check_administrator)
    def post(self, request: Request, project_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        wanted = self.new.of_body(request)
        owner = project if wanted.pop("covers") == "project" else None
        actor = person(actor_of(request))
        try:
            row = services.create_row(
                self.kind, organization=project.organization, project=owner, values=wanted, actor=actor
            )
        except ValidationError as error:
            raise faults_of(error) from None
        return Response(self.serializer(row).data, status=201)


class _Row(APIView, Generic[Kept]):
    permission_classes = (MayReadPeopleChange,)
    kind: ClassVar[Any]
    serializer: ClassVar[Any]
    changes: ClassVar[Any]

    def get(self, request: Request, project_id: UUID, row_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        Parameters.of(request)
        return Response(self.serializer(visible_row(self.kind, actor_of(request), project, row_id)).data)

    @idempotent(check_administrator)
    def patch(self, request: Request, project_id: UUID, row_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        row = administered_row(self.kind, actor_of(request), project, row_id)
        try:
            services.update_row(row=row, values=self.changes.of_body(request), actor=person(actor_of(request)))
        except ValidationError as error:
            raise faults_of(error) from None
        return Response(self.serializer(row).data)

    @idempotent(check_administrator)
    def delete(self, request: Request, project_id: UUID, row_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        services.delete_row(
            row=administered_row(self.kind, actor_of(request), project, row_id), actor=person(actor_of(request))
        )
        return Response(status=204)


def _told(noun: str, serializer: Any, new: Any) -> Any:
    rows = f"guardrail_{noun}s"
    listed = extend_schema(
        operation_id=f"{rows}_list",
        summary=f"The {noun}s of a project",
        description="And those of its organization, unless a key asks. The newest first.",
        tags=TAG,
        parameters=[NewestFirstParameters],
        responses=page_of(serializer),
    )
    made = extend_schema(
        operation_id=f"{rows}_create",
        summary=f"A new {noun}",
        description=ADMINISTRATORS,
        tags=TAG,
        parameters=[PARAMETER],
        request=new,
        responses={201: serializer},
    )
    return extend_schema_view(get=listed, post=made)


def _told_of_one(noun: str, serializer: Any, changes: Any) -> Any:
    rows = f"guardrail_{noun}s"
    shown = extend_schema(operation_id=f"{rows}_retrieve", summary=f"One {noun}", tags=TAG, responses=serializer)
    changed = extend_schema(
        operation_id=f"{rows}_update",
        summary=f"Change a {noun}",
        description=f"What is left out stays. {ADMINISTRATORS}",
        tags=TAG,
        parameters=[PARAMETER],
        request=changes,
        responses=serializer,
    )
    gone = extend_schema(
        operation_id=f"{rows}_delete",
        summary=f"Remove a {noun}",
        description=ADMINISTRATORS,
        tags=TAG,
        parameters=[PARAMETER],
        responses={204: None},
    )
    return extend_schema_view(get=shown, patch=changed, delete=gone)


@_told("rule", RuleSerializer, NewRule)
@method_decorator(never_cache, name="dispatch")
class RulesView(_Rows[Rule]):
    kind, serializer, new = Rule, RuleSerializer, NewRule


@_told_of_one("rule", RuleSerializer, RuleChanges)
@method_decorator(never_cache, name="dispatch")
class RuleView(_Row[Rule]):
    kind, serializer, changes = Rule, RuleSerializer, RuleChanges


@_told("limit", LimitSerializer, NewLimit)
@method_decorator(never_cache, name="dispatch")
class LimitsView(_Rows[Limit]):
    kind, serializer, new = Limit, LimitSerializer, NewLimit


@_told_of_one("limit", LimitSerializer, LimitChanges)
@method_decorator(never_cache, name="dispatch")
class LimitView(_Row[Limit]):
    kind, serializer, changes = Limit, LimitSerializer, LimitChanges
