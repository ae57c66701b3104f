"""/api/projects: projects as the agent portal's clients know them. They are the same that /api/v1/projects has."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as InvalidModel
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.serializers import NameField, UtcDateTimeField
from compat.contract import (
    ContractError,
    ContractParameters,
    ContractValidationError,
    ContractView,
    contract_project,
    fault,
)
from compat.contract_schema import errors
from compat.monitoring.registry.shapes import StoredJSONField
from projects.api.access import IsPerson, MayRead
from projects.credentials import Credential
from projects.descriptions import FIELDS, describe_project, with_last_change
from projects.models import Organization, Project, Role
from projects.services import create_project, delete_project, update_project

from .parameters import TAG

MAX_LISTED = 1_000


class MayReadPeopleWrite(BasePermission):
    """Reading: a user, or a key with the scope read. Changing: people."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        wanted: BasePermission = MayRead() if request.method in SAFE_METHODS else IsPerson()
        self.message = wanted.message  # type: ignore[attr-defined]
        return wanted.has_permission(request, view)


class ProjectListParameters(ContractParameters):
    user_id = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="Only projects of which this user is a member, among those you see. An id of no user is ignored.",
    )


class ProjectChanges(ContractParameters):
    """What is left out stays."""

    name = NameField(max_length=200, required=False)
    description = serializers.CharField(max_length=10_000, required=False, allow_null=True, allow_blank=True)
    default_model = serializers.CharField(max_length=200, required=False, allow_null=True, allow_blank=True)
    settings = StoredJSONField(required=False, allow_null=True)


class NewMonitoringProject(ProjectChanges):
    name = NameField(max_length=200)
    org_id = serializers.CharField(
        required=False, help_text="The organization. Needed only by those who administer several."
    )


class MonitoringProjectSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.SerializerMethodField()
    default_model = serializers.SerializerMethodField()
    settings = serializers.DictField(help_text="As the client sent it; the portal reads none of it.")
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField(source="changed_at")

    def get_description(self, project: Project) -> str | None:
        return project.description or None

    def get_default_model(self, project: Project) -> str | None:
        return project.default_model or None


class MonitoringProjectListSerializer(serializers.Serializer[Any]):
    projects = MonitoringProjectSerializer(many=True, help_text=f"In alphabetical order; at most {MAX_LISTED:,}.")
    total = serializers.IntegerField()


class DeletedProjectSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["deleted"])
    project_id = serializers.UUIDField()


class MonitoringProjectsView(ContractView):
    permission_classes = (MayReadPeopleWrite,)

    @extend_schema(
        tags=[TAG],
        summary="The projects that you see",
        parameters=[ProjectListParameters],
        responses={200: MonitoringProjectListSerializer, **errors()},
    )
    def get(self, request: Request) -> Response:
        asked = ProjectListParameters.of_query(request)
        if isinstance(request.auth, Credential):
            visible = Project.objects.active().filter(pk=request.auth.project_id)
        else:
            visible = Project.objects.visible_to(request.user)
        user_id = _uuid(asked.get("user_id", ""))
        if user_id is not None:
            members = Organization.objects.filter(memberships__user=user_id)
            visible = visible.filter(organization__in=members)
        rows = with_last_change(visible.order_by("name", "id"))[:MAX_LISTED]
        return Response(MonitoringProjectListSerializer({"projects": rows, "total": visible.count()}).data)

    @extend_schema(
        tags=[TAG],
        summary="A new project",
        description="For owners and admins of the organization. It has no key yet.",
        request=NewMonitoringProject,
        responses={200: MonitoringProjectSerializer, **errors(404)},
    )
    def post(self, request: Request) -> Response:
        asked = NewMonitoringProject.of_body(request)
        organization = _organization(request, asked.pop("org_id", None))
        actor: Any = request.user
        with transaction.atomic():
            project = _checked(create_project, organization=organization, name=asked.pop("name"), actor=actor)
            if values := _values(asked):
                _checked(describe_project, project=project, actor=actor, **values)
        return _answer(project)


class MonitoringProjectView(ContractView):
    permission_classes = (MayReadPeopleWrite,)

    @extend_schema(tags=[TAG], summary="One project", responses={200: MonitoringProjectSerializer, **errors(404)})
    def get(self, request: Request, project_id: str) -> Response:
        return _answer(_project(request, project_id))

    @extend_schema(
        tags=[TAG],
        summary="Change a project",
        description="For owners and admins of the organization.",
        request=ProjectChanges,
        responses={200: MonitoringProjectSerializer, **errors(404)},
    )
    def put(self, request: Request, project_id: str) -> Response:
        project = _project(request, project_id)
        if not Project.objects.administered_by(request.user).filter(pk=project.pk).exists():
            raise ContractError(403, "Only owners and admins of the organization may do this.")
        asked = ProjectChanges.of_body(request)
        actor: Any = request.user
        with transaction.atomic():
            if "name" in asked:
                _checked(update_project, project=project, name=asked["name"], actor=actor)
            if values := _values(asked):
                _checked(describe_project, project=project, actor=actor, **values)
        return _answer(project)

    @extend_schema(
        tags=[TAG],
        summary="Delete a project",
        description="For owners of the organization. Its keys stop within 30 seconds.",
        responses={200: DeletedProjectSerializer, **errors(404)},
    )
    def delete(self, request: Request, project_id: str) -> Response:
        project = _project(request, project_id)
        user: Any = request.user
        if not user.is_superuser and not project.organization.memberships.filter(user=user, role=Role.OWNER).exists():
            raise ContractError(403, "Only owners of the organization may do this.")
        delete_project(project=project, actor=user)
        return Response({"status": "deleted", "project_id": str(project.pk)})


def _project(request: Request, project_id: str) -> Project:
    return contract_project(request, project_id, f"Project not found: {project_id}")


def _organization(request: Request, org_id: str | None) -> Organization:
    administered = Organization.objects.administered_by(request.user)
    if org_id is not None:
        known = _uuid(org_id)
        if known is None or not Organization.objects.visible_to(request.user).filter(pk=known).exists():
            raise ContractError(404, "Organization not found")
        organization = administered.filter(pk=known).first()
        if organization is None:
            raise ContractError(403, "Only owners and admins of the organization may do this.")
        return organization
    found = list(administered[:2])
    if not found:
        raise ContractError(403, "Only owners and admins of an organization may make projects.")
    if len(found) > 1:
        raise ContractValidationError([fault(["body", "org_id"], "Field required: you administer several.")])
    return found[0]


def _values(asked: dict[str, Any]) -> dict[str, Any]:
    """Those of the description that are given; null empties one."""
    empty = {"description": "", "default_model": "", "settings": {}}
    return {name: empty[name] if asked[name] is None else asked[name] for name in FIELDS if name in asked}


def _checked(service: Any, **arguments: Any) -> Any:
    try:
        return service(**arguments)
    except InvalidModel as error:
        faults = [fault(["body", name], " ".join(texts)) for name, texts in error.message_dict.items()]
        raise ContractValidationError(faults) from None


def _answer(project: Project) -> Response:
    row = with_last_change(Project.objects.filter(pk=project.pk)).get()
    return Response(MonitoringProjectSerializer(row).data)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
