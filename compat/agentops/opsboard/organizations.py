"""/opsboard/orgs: organizations."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.api.serializers import NameField
from compat.contract import ContractParameters
from compat.contract_schema import StatusSerializer, errors
from projects.access import owned
from projects.models import Organization
from projects.services import create_organization
from projects.teams import delete_organization, rename_organization

from .access import OpsboardView, actor, administered_organization, member_organization
from .bodies import OrganizationDetailSerializer, OrganizationSerializer, member_body, organization_body


class NameBody(ContractParameters):
    name = NameField(max_length=200)


class OrganizationsView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_orgs_list",
        summary="The organizations one belongs to",
        responses={200: OrganizationSerializer(many=True), **errors()},
    )
    def get(self, request: Request) -> Response:
        visible = Organization.objects.visible_to(actor(request)).with_role_of(actor(request)).with_counts()
        return Response([organization_body(each) for each in visible.order_by("name", "id")])


class OrganizationCreateView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_orgs_create",
        summary="Make an organization and own it",
        request=NameBody,
        responses={200: OrganizationSerializer, **errors()},
    )
    def post(self, request: Request) -> Response:
        body = NameBody.of_body(request)
        made = create_organization(name=body["name"], owner=actor(request))
        return Response(organization_body(member_organization(request, str(made.pk))))


class OrganizationView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_orgs_detail",
        summary="An organization with its members",
        responses={200: OrganizationDetailSerializer, **errors(404)},
    )
    def get(self, request: Request, organization_id: str) -> Response:
        organization = member_organization(request, organization_id)
        members = organization.memberships.select_related("user").order_by("user__email")
        body: dict[str, Any] = {**organization_body(organization), "users": [member_body(each) for each in members]}
        return Response(body)

    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_orgs_delete",
        summary="Delete an organization without projects, as its owner",
        responses={200: StatusSerializer, **errors(400, 404)},
    )
    def delete(self, request: Request, organization_id: str) -> Response:
        organization = member_organization(request, organization_id)
        owned(actor(request), organization, "Organization cannot be deleted")
        delete_organization(organization=organization, actor=actor(request))
        return Response({"success": True, "message": "Organization deleted"})


class OrganizationUpdateView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_orgs_update",
        summary="Rename an organization, as owner or admin",
        request=NameBody,
        responses={200: OrganizationSerializer, **errors(404)},
    )
    def post(self, request: Request, organization_id: str) -> Response:
        organization = administered_organization(request, organization_id)
        body = NameBody.of_body(request)
        rename_organization(organization=organization, name=body["name"], actor=actor(request))
        return Response(organization_body(organization))
