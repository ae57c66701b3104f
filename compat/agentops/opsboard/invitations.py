"""/opsboard/orgs/…/invites: who may join an organization."""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from compat.contract import ContractError, ContractParameters
from compat.contract_schema import StatusSerializer, errors
from projects.accounts import AccountUnavailable, send_invitation
from projects.api.throttles import ApiThrottle, InvitationThrottle
from projects.models import Invitation, Role, User
from projects.teams import accept_invitation, invite, revoke_invitation

from .access import OpsboardView, actor, administered_organization
from .bodies import InviteDetailSerializer, InviteSerializer, invite_body, invite_detail_body

NO_INVITATION = "Invitation not found"


class InviteBody(ContractParameters):
    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(Role.values)


class MyInvitesView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_invites_mine",
        summary="Invitations addressed to one's own, confirmed address",
        responses={200: InviteSerializer(many=True), **errors()},
    )
    def get(self, request: Request) -> Response:
        waiting = Invitation.objects.addressed_to(actor(request)).select_related("organization")
        return Response([invite_body(each) for each in waiting])


class InviteView(OpsboardView):
    throttle_classes: Any = (ApiThrottle, InvitationThrottle)

    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_orgs_invite",
        summary="Invite an address, as owner or admin; only owners invite owners",
        request=InviteBody,
        responses={200: StatusSerializer, **errors(400, 404)},
    )
    def post(self, request: Request, organization_id: str) -> Response:
        organization = administered_organization(request, organization_id)
        body = InviteBody.of_body(request)
        invitation = invite(organization=organization, email=body["email"], role=body["role"], actor=actor(request))
        return Response({"success": True, "message": _announced(invitation)})


def _announced(invitation: Invitation) -> str:
    """What is true by now: a worker sends the e-mail, and what becomes of it is in the admin's list."""
    if not settings.EMAIL_IS_CONFIGURED:
        return f"Invitation created. This portal sends no e-mail: tell {invitation.email} to sign in and accept it."
    try:
        is_on_its_way = send_invitation(invitation)
    except AccountUnavailable:
        is_on_its_way = False
    if not is_on_its_way:
        return f"Invitation created, but no e-mail could be sent: tell {invitation.email} to sign in and accept it."
    invitation.refresh_from_db(fields=["sent_at", "mail_problem"])
    if invitation.mail_problem:
        return f"Invitation created, but its e-mail failed ({invitation.mail_problem}): tell {invitation.email}."
    return "Invitation sent successfully" if invitation.sent_at else "Invitation created: its e-mail is being sent"


class InvitesView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_orgs_invites",
        summary="Whom an organization waits for, for its owners and admins",
        responses={200: InviteDetailSerializer(many=True), **errors(404)},
    )
    def get(self, request: Request, organization_id: str) -> Response:
        organization = administered_organization(request, organization_id)
        waiting = Invitation.objects.administered_by(actor(request)).of_organization(organization).not_joined()
        rows = list(waiting.select_related("organization", "inviter"))
        known = set(User.objects.filter(email__in=[each.email for each in rows]).values_list("email", flat=True))
        return Response([invite_detail_body(each, user_exists=each.email in known) for each in rows])


class InviteRevokeView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_orgs_invites_revoke",
        summary="Withdraw an invitation, as owner or admin",
        responses={200: StatusSerializer, **errors(404)},
    )
    def delete(self, request: Request, organization_id: str, email: str) -> Response:
        organization = administered_organization(request, organization_id)
        revoke_invitation(organization=organization, email=email.replace("\x00", ""), actor=actor(request))
        return Response({"success": True, "message": "Invitation revoked successfully"})


class AcceptView(OpsboardView):
    @extend_schema(
        tags=["AgentOps opsboard"],
        operation_id="opsboard_orgs_accept",
        summary="Join an organization that has invited one's own, confirmed address",
        request=None,
        responses={200: StatusSerializer, **errors(404)},
    )
    def post(self, request: Request, organization_id: str) -> Response:
        accept_invitation(organization_id=_parsed(organization_id), user=actor(request))
        return Response({"success": True, "message": "Organization invitation accepted"})


def _parsed(organization_id: str) -> UUID:
    """Raises ContractError 404: what is no id is the id of nothing."""
    try:
        return UUID(organization_id)
    except ValueError:
        raise ContractError(404, NO_INVITATION) from None
