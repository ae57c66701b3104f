"""Changes to organizations, projects and keys. Each is one transaction that also writes who did it.

`actor` is the person who asked, or None for the system (bootstrap, import). Permission is the caller's matter: it has
fetched the object through a QuerySet method that takes the actor.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .digests import PREFIX_LENGTH, digest
from .models import (
    ApiKey,
    AuditEvent,
    Environment,
    KeyScope,
    Membership,
    Organization,
    Project,
    Role,
    User,
)

FIRST_KEY = "default"  # the name of a key that nobody named


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key together with its secret, which exists nowhere else: show it now or never."""

    key: ApiKey
    secret: str = field(repr=False)


def record(
    action: str,
    *,
    actor: User | None,
    organization: Organization | None = None,
    project: Project | None = None,
    target: str = "",
    **details: Any,
) -> AuditEvent:
    """Write one audit event; `details` must be JSON values and never a secret."""
    return AuditEvent.objects.create(
        action=action,
        actor=actor,
        actor_email=actor.email if actor else "",
        organization=organization or (project.organization if project else None),
        project=project,
        target=target[:300],
        details=details,
    )


@transaction.atomic
def create_organization(*, name: str, owner: User, actor: User | None = None) -> Organization:
    """A new organization with `owner` as its first member. Raises ValidationError for an unfit name."""
    organization = Organization(name=name.strip())
    organization.full_clean()
    organization.save()
    record("organization.created", actor=actor or owner, organization=organization, target=organization.name)
    add_member(organization=organization, user=owner, role=Role.OWNER, actor=actor or owner)
    return organization


@transaction.atomic
def add_member(
    *, organization: Organization, user: User, role: str = Role.DEVELOPER, actor: User | None = None
) -> Membership:
    """Make `user` a member. Raises ValidationError when it is one already or the role does not exist."""
    membership = Membership(organization=organization, user=user, role=role)
    membership.full_clean()
    membership.save()
    record("member.added", actor=actor, organization=organization, target=user.email, role=str(role))
    return membership


@transaction.atomic
def create_project(
    *,
    organization: Organization,
    name: str,
    environment: str = Environment.DEVELOPMENT,
    retention_days: int = 90,
    actor: User | None = None,
) -> Project:
    """A new project without a key. Raises ValidationError naming the field that does not fit."""
    project = Project(
        organization=organization, name=name.strip(), environment=environment, retention_days=retention_days
    )
    project.full_clean()
    project.save()
    record("project.created", actor=actor, project=project, target=project.name, environment=str(environment))
    return project


@transaction.atomic
def update_project(
    *,
    project: Project,
    name: str | None = None,
    environment: str | None = None,
    retention_days: int | None = None,
    actor: User | None = None,
) -> None:
    """Change what is given. Raises ValidationError naming the field that does not fit."""
    fields = ("name", "environment", "retention_days")
    before = {field: getattr(project, field) for field in fields}
    project.name = project.name if name is None else name.strip()
    project.environment = project.environment if environment is None else environment
    project.retention_days = project.retention_days if retention_days is None else retention_days
    project.full_clean()
    project.save(update_fields=fields)
    record("project.updated", actor=actor, project=project, target=project.name, before=before)


@transaction.atomic
def delete_project(*, project: Project, actor: User | None = None) -> None:
    """Mark the project deleted: it leaves every list at once, and its keys stop within 30 s in every process."""
    project.deleted_at = timezone.now()
    project.save(update_fields=["deleted_at"])
    record("project.deleted", actor=actor, project=project, target=project.name)


@transaction.atomic
def remove_project(*, project: Project) -> None:
    """Delete the row of a project that was marked deleted, with its keys. One restored meanwhile stays."""
    row = Project.objects.select_for_update().filter(pk=project.pk).exclude(deleted_at=None).first()
    if row is not None:
        record("project.removed", actor=None, organization=row.organization, target=row.name, project_id=str(row.pk))
        row.delete()


@transaction.atomic
def restore_project(*, project: Project, actor: User | None = None) -> None:
    """Undo `delete_project`; keys that were not revoked work again within 30 s."""
    project.deleted_at = None
    project.save(update_fields=["deleted_at"])
    record("project.restored", actor=actor, project=project, target=project.name)


@transaction.atomic
def create_api_key(
    *,
    project: Project,
    name: str,
    scopes: Iterable[str] = (KeyScope.INGEST, KeyScope.READ),
    actor: User | None = None,
    expires_at: datetime | None = None,
) -> IssuedKey:
    """A new key for `project`. Raises ValidationError for an unknown scope, a blank name or a past expiry."""
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expires_at": _("The key would have expired already: choose a later time.")})
    secret = str(uuid.uuid4())
    key = ApiKey(
        project=project,
        name=name.strip(),
        prefix=secret[:PREFIX_LENGTH],
        digest=digest(secret),
        scopes=sorted({str(scope) for scope in scopes}),
        created_by=actor,
        expires_at=expires_at,
    )
    key.full_clean()
    key.save()
    record("key.created", actor=actor, project=project, target=str(key), key_id=str(key.pk), scopes=key.scopes)
    return IssuedKey(key=key, secret=secret)


@transaction.atomic
def revoke_api_key(*, key: ApiKey, actor: User | None = None) -> None:
    """End the key: it stops within 30 s in every process. Revoking a revoked key changes nothing."""
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        key.refresh_from_db(fields=["revoked_at"])
        return
    key.refresh_from_db(fields=["revoked_at"])
    record("key.revoked", actor=actor, project=key.project, target=str(key), key_id=str(key.pk))


@transaction.atomic
def replace_newest_key(*, project: Project, actor: User | None = None) -> IssuedKey:
    """A new secret in place of the project's newest key that works, which ends now; other keys stay. A project without
    one gets its first.
    """
    Project.objects.select_for_update().get(pk=project.pk)  # two at once must not leave a key that nobody has seen
    usable = ApiKey.objects.usable(timezone.now()).filter(project=project)
    newest = usable.order_by("-created_at", "-id").first()
    if newest is None:
        return create_api_key(project=project, name=FIRST_KEY, actor=actor)
    return rotate_api_key(key=newest, actor=actor)


@transaction.atomic
def rotate_api_key(*, key: ApiKey, actor: User | None = None, overlap: timedelta = timedelta(0)) -> IssuedKey:
    """A new key with the old one's name and scopes. The old one ends now, or after `overlap`, so that clients can
    be switched over. Raises ValidationError when the old one has ended already.
    """
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("project__organization").get(pk=key.pk)
    now = timezone.now()
    if old.revoked_at is not None:
        raise ValidationError(_("This key was revoked: make a new one instead."))
    issued = create_api_key(project=old.project, name=old.name, scopes=old.scopes, actor=actor)
    if overlap <= timedelta(0):
        revoke_api_key(key=old, actor=actor)
    elif old.expires_at is None or old.expires_at > now + overlap:
        ApiKey.objects.filter(pk=old.pk).update(expires_at=now + overlap)
    key.refresh_from_db(fields=["revoked_at", "expires_at"])
    record(
        "key.rotated",
        actor=actor,
        project=old.project,
        target=str(old),
        key_id=str(old.pk),
        new_key_id=str(issued.key.pk),
        overlap_seconds=int(overlap.total_seconds()),
    )
    return issued
