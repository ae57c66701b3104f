"""/opsboard/projects: projects and the key that AgentOps' dashboard knows of each."""

from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.api.serializers import NameField
from compat.contract import ContractError, ContractParameters
from compat.contract_schema import StatusSerializer, errors
from projects.access import administered, owned
from projects.counts import ProjectCounts, counts_of
from projects.models import Environment, Project
from projects.services import (
    FIRST_KEY,
    create_api_key,
    create_project,
    delete_project,
    replace_newest_key,
    update_project,
)
from projects.tokens import PLAN

from .access import (
    OpsboardView,
    actor,
    administered_organization,
    member_organization,
    member_project,
)
from .bodies import ProjectListItemSerializer, ProjectSerializer, key_fields, project_body


class CreateBody(ContractParameters):
    name = NameField(max_length=200)
    org_id = serializers.CharField(max_length=100)
    environment = serializers.CharField(required=False, allow_null=True, help_text=", ".join(Environment.values))


class UpdateBody(ContractParameters):
    name = NameField(required=False, allow_null=True, max_length=200)
    environment = serializers.CharField(required=False, allow_null=True, help_text=", ".join(Environment.values))


class ProjectsView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_projects_list",
        summary="The projects of all of one's organizations",
        responses={200: ProjectListItemSerializer(many=True), **errors()},
    )
    def get(self, request: Request) -> Response:
        visible = Project.objects.visible_to(actor(request)).select_related("organization")
        projects = list(visible.with_role_of(actor(request)).with_key_prefix(now()).order_by("name", "id"))
        counts = counts_of([each.pk for each in projects])
        return Response([_item(each, counts.get(each.pk, ProjectCounts())) for each in projects])

    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_projects_create",
        summary="Make a project and its first key, as owner or admin",
        request=CreateBody,
        responses={200: ProjectSerializer, **errors(400, 404)},
    )
    def post(self, request: Request) -> Response:
        body = CreateBody.of_body(request)
        organization = administered_organization(request, body["org_id"])
        environment = _environment(body.get("environment")) or Environment.DEVELOPMENT
        person = actor(request)
        project = create_project(organization=organization, name=body["name"], environment=environment, actor=person)
        issued = create_api_key(project=project, name=FIRST_KEY, actor=person)
        organization.project_count += 1
        return Response(project_body(project, organization, issued.secret))


class ProjectView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_projects_detail",
        summary="A project",
        responses={200: ProjectSerializer, **errors(404)},
    )
    def get(self, request: Request, project_id: str) -> Response:
        return Response(_body(request, member_project(request, project_id)))


class ProjectUpdateView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_projects_update",
        summary="Rename a project or move it to another environment, as owner or admin",
        request=UpdateBody,
        responses={200: ProjectSerializer, **errors(400, 404)},
    )
    def post(self, request: Request, project_id: str) -> Response:
        project = member_project(request, project_id)
        administered(actor(request), project, "You don't have permission to update this project")
        body = UpdateBody.of_body(request)
        environment = _environment(body.get("environment"))
        update_project(project=project, name=body.get("name"), environment=environment, actor=actor(request))
        return Response(_body(request, project))


class RegenerateKeyView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_projects_regenerate_key",
        summary="A new secret for the key that `api_key_prefix` shows, as owner or admin",
        description="The old secret and its tokens stop within 30 seconds. Other keys of the project stay.",
        request=None,
        responses={200: ProjectSerializer, **errors(404)},
    )
    def post(self, request: Request, project_id: str) -> Response:
        project = administered(actor(request), member_project(request, project_id))
        issued = replace_newest_key(project=project, actor=actor(request))
        return Response(_body(request, project, issued.secret))


class ProjectDeleteView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_projects_delete",
        summary="Delete a project, as owner of its organization",
        description="It leaves every list at once and its keys stop within 30 seconds. Its spans are removed once"
        " an administrator of the portal can no longer restore it.",
        request=None,
        responses={200: StatusSerializer, **errors(404)},
    )
    def post(self, request: Request, project_id: str) -> Response:
        project = member_project(request, project_id)
        owned(actor(request), project, "Only organization owners can delete projects")
        delete_project(project=project, actor=actor(request))
        return Response({"success": True, "message": "Project deleted successfully"})


def _item(project: Project, counts: ProjectCounts) -> dict[str, object]:
    organization = project.organization
    return {
        "id": str(project.pk),
        "name": project.name,
        **key_fields(project),
        "org": {
            "id": str(organization.pk),
            "name": organization.name,
            "prem_status": PLAN,
            "current_user_role": project.role,
        },
        "span_count": counts.spans,
        "trace_count": counts.traces,
    }


def _body(request: Request, project: Project, secret: str = "") -> dict[str, object]:
    return project_body(project, member_organization(request, str(project.organization_id)), secret)


def _environment(text: str | None) -> str | None:
    if text is not None and text not in Environment.values:
        raise ContractError(400, "Invalid environment")
    return text
