"""/api/v1/projects: the projects that somebody sees, by the roles of their organizations."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.decorators import method_decorator
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import KeyCursor, PageParameters, page, page_of
from agentops_portal.api.parameters import CursorField, Parameters
from agentops_portal.api.serializers import NameField, PortalModelSerializer
from projects.access import (
    NotThere,
    administered,
    administered_project,
    owned,
    person,
    visible_organization,
    visible_project,
)
from projects.api.access import MayReadPeopleChange
from projects.api.actor import actor_of
from projects.api.idempotency import PARAMETER, idempotent
from projects.models import MAX_RETENTION_DAYS, Environment, Organization, Project, Role
from projects.querysets import ProjectQuerySet
from projects.services import create_project, delete_project, update_project

from .access import check_administrator, check_owner, faults_of

TAG = ["Projects"]


class ProjectListParameters(PageParameters):
    q = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Part of the name, whatever the case."
    )
    organization = serializers.UUIDField(required=False, help_text="Projects of one organization.")
    cursor = CursorField(KeyCursor.parser(str, str))


class OrganizationSerializer(PortalModelSerializer):
    class Meta:
        model = Organization
        fields = ("id", "name")


class ProjectSerializer(PortalModelSerializer):
    organization = OrganizationSerializer()
    role = serializers.ChoiceField(
        Role.values,
        allow_null=True,
        help_text="Yours in the organization; null for keys and for superusers who are no member.",
    )
    live_keys = serializers.IntegerField(help_text="Keys that work now.")

    class Meta:
        model = Project
        fields = (
            "id",
            "name",
            "environment",
            "organization",
            "role",
            "retention_days",
            "max_requests_per_minute",
            "max_spans_per_minute",
            "live_keys",
            "created_at",
        )


def _retention(**kwargs: Any) -> serializers.IntegerField:
    text = "Data of older days is removed every night. A change counts from the next run on: see its retention."
    return serializers.IntegerField(min_value=1, max_value=MAX_RETENTION_DAYS, help_text=text, **kwargs)


class NewProject(Parameters):
    organization = serializers.UUIDField(help_text="One that you own or administer.")
    name = NameField(max_length=200)
    environment = serializers.ChoiceField(Environment.choices, default=Environment.DEVELOPMENT)
    retention_days = _retention(default=90)


class ProjectChanges(Parameters):
    name = NameField(max_length=200, required=False)
    environment = serializers.ChoiceField(Environment.choices, required=False)
    retention_days = _retention(required=False)


def _shown_to(request: Request) -> ProjectQuerySet:
    actor = actor_of(request)
    visible = Project.objects.visible_to(actor).select_related("organization")
    return visible.with_role_of(actor).with_live_keys(now())


def _answer(request: Request, project: Project, status: int = 200) -> Response:
    return Response(ProjectSerializer(_shown_to(request).get(pk=project.pk)).data, status=status)


@method_decorator(never_cache, name="dispatch")
class ProjectsView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="projects_list",
        summary="The projects that you see",
        description="In alphabetical order. A key sees its own project.",
        tags=TAG,
        parameters=[ProjectListParameters],
        responses=page_of(ProjectSerializer),
    )
    def get(self, request: Request) -> Response:
        wanted = ProjectListParameters.of(request)
        projects = _shown_to(request).order_by("name", "id")
        if wanted.get("q"):
            projects = projects.filter(name__icontains=wanted["q"])
        if "organization" in wanted:
            projects = projects.of_organization(wanted["organization"])
        if "cursor" in wanted:
            name, project_id = wanted["cursor"].values
            projects = projects.filter(Q(name__gt=name) | Q(name=name, id__gt=_uuid(project_id)))
        return page(
            request,
            list(projects[: wanted["limit"] + 1]),
            wanted["limit"],
            cursor_of=lambda project: KeyCursor((project.name, str(project.pk))),
            serializer=ProjectSerializer,
        )

    @extend_schema(
        operation_id="projects_create",
        summary="A new project",
        description="For owners and admins of the organization.",
        tags=TAG,
        parameters=[PARAMETER],
        request=NewProject,
        responses={201: ProjectSerializer},
    )
    @idempotent(lambda request: _organization(request, NewProject.of_body(request)["organization"]))
    def post(self, request: Request) -> Response:
        wanted = NewProject.of_body(request)
        organization = _organization(request, wanted.pop("organization"))
        try:
            project = create_project(organization=organization, actor=person(actor_of(request)), **wanted)
        except ValidationError as error:
            raise faults_of(error) from None
        return _answer(request, project, status=201)


@method_decorator(never_cache, name="dispatch")
class ProjectView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(operation_id="projects_retrieve", summary="One project", tags=TAG, responses=ProjectSerializer)
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        Parameters.of(request)
        return _answer(request, project)

    @extend_schema(
        operation_id="projects_update",
        summary="Change a project",
        description="For owners and admins of the organization. What is left out stays.",
        tags=TAG,
        parameters=[PARAMETER],
        request=ProjectChanges,
        responses=ProjectSerializer,
    )
    @idempotent(check_administrator)
    def patch(self, request: Request, project_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        changes = ProjectChanges.of_body(request)
        try:
            update_project(project=project, actor=person(actor_of(request)), **changes)
        except ValidationError as error:
            raise faults_of(error) from None
        return _answer(request, project)

    @extend_schema(
        operation_id="projects_delete",
        summary="Delete a project",
        description="For owners of the organization. Its keys stop within 30 seconds.",
        tags=TAG,
        parameters=[PARAMETER],
        request=None,
        responses={204: None},
    )
    @idempotent(check_owner)
    def delete(self, request: Request, project_id: UUID) -> Response:
        actor = person(actor_of(request))
        # In this order, for members with a lower role are told of the lowest that may change the project.
        project = owned(actor, administered_project(actor, project_id))
        delete_project(project=project, actor=actor)
        return Response(status=204)


def _organization(request: Request, organization_id: UUID) -> Organization:
    """Where the user may make projects. Raises ValidationError, or NotAllowed for a member with a lower role."""
    try:
        organization = visible_organization(actor_of(request), organization_id)
    except NotThere:
        raise serializers.ValidationError({"organization": ["You are in no such organization."]}) from None
    return administered(actor_of(request), organization)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise serializers.ValidationError({"cursor": ["This names no page."]}) from None
