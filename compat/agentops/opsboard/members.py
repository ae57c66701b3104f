"""/opsboard/orgs/…/members: who belongs to an organization, and as what."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from compat.contract import ContractParameters
from compat.contract_schema import StatusSerializer, errors
from projects.models import Role
from projects.teams import change_role, remove_member

from .access import OpsboardView, actor, administered_organization


class MemberBody(ContractParameters):
    user_id = serializers.UUIDField()


class RoleBody(MemberBody):
    role = serializers.ChoiceField(Role.values)


class MemberRemoveView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_members_remove",
        summary="Remove a member, as owner or admin; never an owner, never oneself",
        request=MemberBody,
        responses={200: StatusSerializer, **errors(400, 404)},
    )
    def post(self, request: Request, organization_id: str) -> Response:
        organization = administered_organization(request, organization_id)
        body = MemberBody.of_body(request)
        remove_member(organization=organization, user_id=body["user_id"], actor=actor(request))
        return Response({"success": True, "message": "User removed from organization"})


class MemberUpdateView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_members_update",
        summary="Change a member's role, as owner or admin; only owners make or change owners",
        request=RoleBody,
        responses={200: StatusSerializer, **errors(400, 404)},
    )
    def post(self, request: Request, organization_id: str) -> Response:
        organization = administered_organization(request, organization_id)
        body = RoleBody.of_body(request)
        change_role(organization=organization, user_id=body["user_id"], role=body["role"], actor=actor(request))
        return Response({"success": True, "message": "User role updated"})
