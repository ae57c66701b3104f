"""Changes to organizations, their members and invitations. Each is one transaction that also writes who did it.

That the actor administers the organization is the caller's matter, as in services.py; the rules here hold for whoever
does: only owners make or change owners, and there always is one. Raises Refused.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.deletion import ProtectedError
from django.utils.timezone import now

from agentops_portal.fields import lower_email

from .models import AuditEvent, Invitation, Membership, Organization, Project, Role, User
from .services import add_member, record
from .signals import projects_removed

INVITED: Final = "invitation.created"
DAY: Final = timedelta(days=1)
MAX_TO_ONE: Final = 5


class Refused(Exception):
    """A rule forbids it. str() is AgentOps' own text, `status` its status."""

    def __init__(self, message: str, status: int = 400, wait: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.wait = wait  # seconds, for the header Retry-After


@transaction.atomic
def rename_organization(*, organization: Organization, name: str, actor: User) -> None:
    """Raises ValidationError for an unfit name."""
    before, organization.name = organization.name, name.strip()
    organization.full_clean()
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
    """Let `email` join with `role`. Refused for members, a second time, for owners unless an owner invites, and above
    the limits of a day: INVITATIONS_PER_DAY of one person, into whichever organizations, and MAX_TO_ONE to one address.
    """
    email = lower_email(email)
    User.objects.select_for_update().get(pk=actor.pk)  # two at once must not slip through the limit together
    if role == Role.OWNER:
        _must_own(organization, actor)
    if Membership.objects.filter(organization=organization, user__email=email).exists():
        raise Refused("User is already a member of this organization")
    if Invitation.objects.filter(organization=organization, email=email).exists():
        raise Refused("User already has a pending invitation")
    _check_limits(actor, email)
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(organization=organization, email=email, role=role, inviter=actor)
    except IntegrityError:
        raise Refused("User already has a pending invitation") from None
    record(INVITED, actor=actor, organization=organization, target=email, role=str(role))
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


def _check_limits(actor: User, email: str) -> None:
    """Withdrawn and accepted invitations count too, so they are counted in the audit."""
    sent = AuditEvent.objects.filter(action=INVITED, at__gt=now() - DAY)
    oldest = {"of you": _first_of(sent.filter(actor=actor), settings.INVITATIONS_PER_DAY)}
    oldest["to this address"] = _first_of(sent.filter(target=email), MAX_TO_ONE)
    for whose, at in oldest.items():
        if at is not None:
            raise Refused(
                f"There were too many invitations {whose} in the last 24 hours: try again later.",
                429,
                wait=max(1, ceil((at + DAY - now()).total_seconds())),
            )


def _first_of(sent: QuerySet[AuditEvent], limit: int) -> datetime | None:
    """When the oldest of the `limit` newest was sent; None when there are fewer, or there is no limit (0)."""
    return sent.order_by("-at").values_list("at", flat=True)[limit - 1 : limit].first() if limit else None


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
