"""Changes to organizations, their members and invitations. Each is one transaction that also writes who did it.

That the actor administers the organization is the caller's matter, as in services.py; the rules here hold for whoever
does: only owners make or change owners, and there always is one. Raises Refused.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.deletion import ProtectedError

from .fields import lower_email
from .models import Invitation, Membership, Organization, Project, Role, User
from .services import add_member, record
from .signals import projects_removed


class Refused(Exception):
    """A rule forbids it. str() is AgentOps' own text, `status` its status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@transaction.atomic
def rename_organization(*, organization: Organization, name: str, actor: User) -> None:
    before, organization.name = organization.name, name
    organization.save(update_fields=["name"])
    record("organization.renamed", actor=actor, organization=organization, target=name, before=before)


@transaction.atomic
def delete_organization(*, organization: Organization, actor: User) -> None:
    """Delete it with its memberships and invitations, and what is left of projects that were deleted before. Refused
    while it still has projects.
    """
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    projects = Project.objects.filter(organization=locked)
    if projects.active().exists():
        raise Refused("Organization cannot be deleted while it still contains projects")
    gone: Sequence[UUID] = list(projects.values_list("pk", flat=True))
    record("organization.deleted", actor=actor, target=locked.name, organization_id=str(locked.pk))
    projects.delete()
    try:
        locked.delete()
    except ProtectedError:  # a project was made meanwhile
        raise Refused("Organization cannot be deleted while it still contains projects") from None
    transaction.on_commit(lambda: projects_removed.send(Organization, project_ids=gone))


@transaction.atomic
def invite(*, organization: Organization, email: str, role: str, actor: User) -> Invitation:
    """Let `email` join with `role`. Refused for members, a second time, and for owners unless an owner invites."""
    email = lower_email(email)
    if role == Role.OWNER:
        _must_own(organization, actor)
    if Membership.objects.filter(organization=organization, user__email=email).exists():
        raise Refused("User is already a member of this organization")
    if Invitation.objects.filter(organization=organization, email=email).exists():
        raise Refused("User already has a pending invitation")
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(organization=organization, email=email, role=role, inviter=actor)
    except IntegrityError:
        raise Refused("User already has a pending invitation") from None
    record("invitation.created", actor=actor, organization=organization, target=email, role=str(role))
    return invitation


@transaction.atomic
def revoke_invitation(*, organization: Organization, email: str, actor: User) -> None:
    deleted, _ = Invitation.objects.filter(organization=organization, email=email).delete()
    if not deleted:
        raise Refused("Invitation not found", 404)
    record("invitation.revoked", actor=actor, organization=organization, target=lower_email(email))


@transaction.atomic
def accept_invitation(*, organization_id: UUID, user: User) -> Membership:
    """Join. The invitation must be addressed to the confirmed address that the person signs in with."""
    waiting = Invitation.objects.addressed_to(user).select_for_update(of=("self",)).select_related("organization")
    invitation = waiting.filter(organization=organization_id).first()
    if invitation is None:
        raise Refused("Invitation not found", 404)
    organization, role = invitation.organization, invitation.role
    invitation.delete()
    record("invitation.accepted", actor=user, organization=organization, target=user.email, role=role)
    membership = Membership.objects.filter(organization=organization, user=user).first()
    return membership or add_member(organization=organization, user=user, role=role, actor=user)


@transaction.atomic
def remove_member(*, organization: Organization, user_id: UUID, actor: User) -> None:
    """Refused for owners, for oneself and for whoever is no member, in the one way that AgentOps' clients know."""
    membership = _find_membership(organization, user_id)
    if membership is None or membership.role == Role.OWNER or membership.user_id == actor.pk:
        raise Refused("User cannot be removed")
    membership.delete()
    record("member.removed", actor=actor, organization=organization, target=membership.user.email)


@transaction.atomic
def change_role(*, organization: Organization, user_id: UUID, role: str, actor: User) -> None:
    """Refused when somebody who is no owner makes or changes an owner, and for the last owner."""
    Organization.objects.select_for_update().get(pk=organization.pk)  # two owners must not demote each other at once
    if role == Role.OWNER:
        _must_own(organization, actor)
    membership = _membership(organization, user_id)
    before, membership.role = membership.role, role
    if before == role:
        return
    if before == Role.OWNER:
        if not _owns(organization, actor):
            raise Refused("Only owners can change the role of an owner", 403)
        if Membership.objects.filter(organization=organization, role=Role.OWNER).count() == 1:
            raise Refused("Cannot remove the last owner")
    membership.save(update_fields=["role"])
    details: dict[str, Any] = {"before": str(before), "after": str(role)}
    record("member.role_changed", actor=actor, organization=organization, target=membership.user.email, **details)


def _find_membership(organization: Organization, user_id: UUID) -> Membership | None:
    rows = Membership.objects.select_for_update(of=("self",)).select_related("user")
    return rows.filter(organization=organization, user=user_id).first()


def _membership(organization: Organization, user_id: UUID) -> Membership:
    membership = _find_membership(organization, user_id)
    if membership is None:
        raise Refused("User not found in organization", 404)
    return membership


def _owns(organization: Organization, actor: User) -> bool:
    own = Membership.objects.filter(organization=organization, user=actor, role=Role.OWNER)
    return actor.is_superuser or own.exists()


def _must_own(organization: Organization, actor: User) -> None:
    if not _owns(organization, actor):
        raise Refused("Only owners can assign the owner role")
