"""What the opsboard answers with, field by field as AgentOps' dashboard declares it.

Nobody pays for a portal of their own: the plan is the one without limits, and what concerns payment is null.
"""

from typing import Any

from rest_framework import serializers

from projects.digests import PREFIX_LENGTH
from projects.models import Invitation, Membership, Organization, Project, Role, User
from projects.tokens import PLAN

KEY_HELP = (
    "The whole secret in the answer that made it, and only there. Else empty, for secrets are not kept: text that a"
    " client would copy, or write into a configuration, would not work."
)
PREFIX_HELP = "For people: how the newest key that works begins. Null: the project has none."


class UserSerializer(serializers.Serializer[User]):
    id = serializers.UUIDField()
    full_name = serializers.CharField(allow_null=True)
    avatar_url = serializers.CharField(allow_null=True)
    billing_address = serializers.JSONField(allow_null=True, help_text="Always null: nobody pays here.")
    payment_method = serializers.JSONField(allow_null=True, help_text="Always null: nobody pays here.")
    email = serializers.CharField(allow_null=True)
    survey_is_complete = serializers.BooleanField(allow_null=True)


class OrganizationSerializer(serializers.Serializer[Organization]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    prem_status = serializers.ChoiceField(["free", "pro", "enterprise"])
    subscription_id = serializers.CharField(allow_null=True)
    subscription_end_date = serializers.IntegerField(allow_null=True)
    subscription_start_date = serializers.IntegerField(allow_null=True)
    subscription_cancel_at_period_end = serializers.BooleanField(allow_null=True)
    current_user_role = serializers.ChoiceField(Role.values, allow_null=True, help_text="Null: not a member.")
    current_member_count = serializers.IntegerField(allow_null=True, help_text="With pending invitations.")
    max_member_count = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    current_project_count = serializers.IntegerField(allow_null=True)
    max_project_count = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    paid_member_count = serializers.IntegerField(allow_null=True)


class MemberSerializer(serializers.Serializer[Membership]):
    user_id = serializers.UUIDField()
    org_id = serializers.UUIDField()
    role = serializers.ChoiceField(Role.values)
    user_email = serializers.CharField(allow_null=True)
    is_paid = serializers.BooleanField()


class OrganizationDetailSerializer(OrganizationSerializer):
    users = MemberSerializer(many=True)


class InviteSerializer(serializers.Serializer[Invitation]):
    inviter_id = serializers.UUIDField(allow_null=True, help_text="Null: the account is gone.")
    invitee_email = serializers.CharField()
    org_id = serializers.UUIDField()
    role = serializers.ChoiceField(Role.values)
    org_name = serializers.CharField()
    created_at = serializers.DateTimeField(allow_null=True)


class InviteDetailSerializer(serializers.Serializer[Invitation]):
    invitee_email = serializers.CharField()
    inviter_email = serializers.CharField(help_text="Empty: the account is gone.")
    role = serializers.ChoiceField(Role.values)
    org_id = serializers.UUIDField()
    org_name = serializers.CharField()
    created_at = serializers.DateTimeField(allow_null=True)
    user_exists = serializers.BooleanField()


class ProjectSerializer(serializers.Serializer[Project]):
    id = serializers.UUIDField()
    org_id = serializers.UUIDField()
    name = serializers.CharField()
    environment = serializers.CharField()
    api_key = serializers.CharField(help_text=KEY_HELP, allow_blank=True)
    api_key_prefix = serializers.CharField(help_text=PREFIX_HELP, allow_null=True)
    org = OrganizationSerializer()


class ProjectOrganizationSerializer(serializers.Serializer[Organization]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    prem_status = serializers.ChoiceField(["free", "pro", "enterprise"])
    current_user_role = serializers.ChoiceField(Role.values, allow_null=True)


class ProjectListItemSerializer(serializers.Serializer[Project]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    api_key = serializers.CharField(help_text=KEY_HELP, allow_blank=True)
    api_key_prefix = serializers.CharField(help_text=PREFIX_HELP, allow_null=True)
    org = ProjectOrganizationSerializer()
    span_count = serializers.IntegerField(help_text="Of all time.")
    trace_count = serializers.IntegerField(help_text="Of all time.")


def user_body(user: User) -> dict[str, Any]:
    return {
        "id": str(user.pk),
        "full_name": user.full_name or None,
        "avatar_url": user.avatar_url or None,
        "billing_address": None,
        "payment_method": None,
        "email": user.email,
        "survey_is_complete": user.survey_is_complete,
    }


def organization_body(organization: Organization) -> dict[str, Any]:
    """`organization` comes from `with_role_of` and `with_counts`."""
    return {
        "id": str(organization.pk),
        "name": organization.name,
        "prem_status": PLAN,
        "subscription_id": None,
        "subscription_end_date": None,
        "subscription_start_date": None,
        "subscription_cancel_at_period_end": None,
        "current_user_role": organization.role,
        "current_member_count": organization.member_count + organization.invitation_count,
        "max_member_count": None,
        "current_project_count": organization.project_count,
        "max_project_count": None,
        "paid_member_count": organization.member_count,
    }


def member_body(membership: Membership) -> dict[str, Any]:
    """Every member counts as paid: the dashboard would lock the others out."""
    return {
        "user_id": str(membership.user_id),
        "org_id": str(membership.organization_id),
        "role": membership.role,
        "user_email": membership.user.email,
        "is_paid": True,
    }


def invite_body(invitation: Invitation) -> dict[str, Any]:
    return {
        "inviter_id": str(invitation.inviter_id) if invitation.inviter_id else None,
        "invitee_email": invitation.email,
        "org_id": str(invitation.organization_id),
        "role": invitation.role,
        "org_name": invitation.organization.name,
        "created_at": invitation.created_at.isoformat(),
    }


def invite_detail_body(invitation: Invitation, *, user_exists: bool) -> dict[str, Any]:
    return {
        "invitee_email": invitation.email,
        "inviter_email": invitation.inviter.email if invitation.inviter else "",
        "role": invitation.role,
        "org_id": str(invitation.organization_id),
        "org_name": invitation.organization.name,
        "created_at": invitation.created_at.isoformat(),
        "user_exists": user_exists,
    }


def project_body(project: Project, organization: Organization, secret: str = "") -> dict[str, Any]:
    """`secret` in the answer that made it; else `project` comes from `with_key_prefix`."""
    return {
        "id": str(project.pk),
        "org_id": str(organization.pk),
        "name": project.name,
        "environment": project.environment,
        **key_fields(project, secret),
        "org": organization_body(organization),
    }


def key_fields(project: Project, secret: str = "") -> dict[str, str | None]:
    """Empty, not null: AgentOps' dashboard takes `api_key.slice(-8)` in some places, and falls back to a placeholder
    for what is empty in the others.
    """
    prefix = secret[:PREFIX_LENGTH] if secret else project.key_prefix
    return {"api_key": secret, "api_key_prefix": prefix or None}
