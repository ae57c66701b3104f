"""/api/projects: projects as the agent portal's clients know them. They are the same that /api/v1/projects has."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as InvalidModel
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

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
from projects.access import administered, owned, person, visible_organization
from projects.api.access import MayReadPeopleChange
from projects.api.actor import actor_of
from projects.descriptions import FIELDS, describe_project, with_last_change
from projects.models import Organization, Project
from projects.services import create_project, delete_project, update_project

from .parameters import TAG

MAX_LISTED = 1_000


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
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        tags=[TAG],
        summary="The projects that you see",
        parameters=[ProjectListParameters],
        responses={200: MonitoringProjectListSerializer, **errors()},
    )
    def get(self, request: Request) -> Response:
        asked = ProjectListParameters.of_query(request)
        visible = Project.objects.visible_to(actor_of(request))
        user_id = _uuid(asked.get("user_id", ""))
        if user_id is not None:
            visible = visible.of_member(user_id)
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
        actor = person(actor_of(request))
        with transaction.atomic():
            project = _checked(create_project, organization=organization, name=asked.pop("name"), actor=actor)
            if values := _values(asked):
                _checked(describe_project, project=project, actor=actor, **values)
        return _answer(request, project)


class MonitoringProjectView(ContractView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(tags=[TAG], summary="One project", responses={200: MonitoringProjectSerializer, **errors(404)})
    def get(self, request: Request, project_id: str) -> Response:
        return _answer(request, _project(request, project_id))

    @extend_schema(
        tags=[TAG],
        summary="Change a project",
        description="For owners and admins of the organization.",
        request=ProjectChanges,
        responses={200: MonitoringProjectSerializer, **errors(404)},
    )
    def put(self, request: Request, project_id: str) -> Response:
        project = administered(actor_of(request), _project(request, project_id))
        asked = ProjectChanges.of_body(request)
        actor = person(actor_of(request))
        with transaction.atomic():
            if "name" in asked:
                _checked(update_project, project=project, name=asked["name"], actor=actor)
            if values := _values(asked):
                _checked(describe_project, project=project, actor=actor, **values)
        return _answer(request, project)

    @extend_schema(
        tags=[TAG],
        summary="Delete a project",
        description="For owners of the organization. Its keys stop within 30 seconds.",
        responses={200: DeletedProjectSerializer, **errors(404)},
    )
    def delete(self, request: Request, project_id: str) -> Response:
        actor = person(actor_of(request))
        project = owned(actor, _project(request, project_id))
        delete_project(project=project, actor=actor)
        return Response({"status": "deleted", "project_id": str(project.pk)})


def _project(request: Request, project_id: str) -> Project:
    return contract_project(request, project_id, f"Project not found: {project_id}")


def _organization(request: Request, org_id: str | None) -> Organization:
    actor = actor_of(request)
    if org_id is not None:
        return administered(actor, visible_organization(actor, org_id, missing="Organization not found"))
    found = list(Organization.objects.administered_by(actor)[:2])
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


def _answer(request: Request, project: Project) -> Response:
    row = with_last_change(Project.objects.visible_to(actor_of(request)).filter(pk=project.pk)).get()
    return Response(MonitoringProjectSerializer(row).data)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
