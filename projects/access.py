"""Who may see, change and own what, for people and keys alike: every door finds organizations and projects here.

What an actor does not see is NotThere (404), whoever else's it is; what is seen and may not be changed is NotAllowed
(403); who is nobody is NotSignedIn (401). Which rows these are say the QuerySets (querysets.py); how a door tells of a
refusal, agentops_portal/refusals.py.
"""

from typing import TypeVar
from uuid import UUID

from django.utils.translation import gettext as _

from agentops_portal.refusals import NotAllowed, NotSignedIn, NotThere

from .credential_cache import Credential
from .models import Organization, Project, User
from .querysets import Actor, OrganizationQuerySet, ProjectQuerySet

__all__ = ["Actor", "NotAllowed", "NotSignedIn", "NotThere"]

Managed = TypeVar("Managed", Organization, Project)


def visible_project(
    actor: Actor, project_id: UUID | str, *, among: ProjectQuerySet | None = None, missing: str = ""
) -> Project:
    """The project, with its organization. `among`: rows with more columns; `missing`: how the door says that there is
    none. Raises NotThere, also for a text that is no id.
    """
    rows = (Project.objects.all() if among is None else among).visible_to(actor).select_related("organization")
    project = None if (wanted := _uuid(project_id)) is None else rows.filter(pk=wanted).first()
    if project is None:
        raise NotThere(missing or _("There is no such project."))
    return project


def visible_project_id(actor: Actor, project_id: str, *, missing: str = "") -> UUID:
    """The same for who needs no row. Of a key PostgreSQL is not asked: who it is was found out a moment ago, and a
    listener that is checked every few seconds outlives an outage.
    """
    own = own_project_id(actor)
    if own is None:
        return visible_project(actor, project_id, missing=missing).pk
    if own != _uuid(project_id):
        raise NotThere(missing or _("There is no such project."))
    return own


def visible_organization(
    actor: Actor, organization_id: UUID | str, *, among: OrganizationQuerySet | None = None, missing: str = ""
) -> Organization:
    """As `visible_project`."""
    rows = (Organization.objects.all() if among is None else among).visible_to(actor)
    organization = None if (wanted := _uuid(organization_id)) is None else rows.filter(pk=wanted).first()
    if organization is None:
        raise NotThere(missing or "There is no such organization.")
    return organization


def administered(actor: Actor, seen: Managed, refusal: str = "") -> Managed:
    """The same organization or project. Raises NotAllowed unless `actor` is owner or admin."""
    if not may_administer(actor, seen):
        raise NotAllowed(refusal or _("Only owners and admins of the organization may do this."))
    return seen


def owned(actor: Actor, seen: Managed, refusal: str = "") -> Managed:
    """The same organization or project. Raises NotAllowed unless `actor` owns it."""
    rows = type(seen).objects.owned_by(actor)
    if not rows.filter(pk=seen.pk).exists():
        raise NotAllowed(refusal or "Only owners of the organization may do this.")
    return seen


def developed(actor: Actor, seen: Project) -> Project:
    """The same project. Raises NotAllowed unless `actor` is owner, admin or developer."""
    if not may_develop(actor, seen):
        raise NotAllowed(_("Only owners, admins and developers of the organization may do this."))
    return seen


def may_develop(actor: Actor, seen: Project) -> bool:
    return Project.objects.developed_by(actor).filter(pk=seen.pk).exists()


def may_administer(actor: Actor, seen: Managed) -> bool:
    rows = type(seen).objects.administered_by(actor)
    return rows.filter(pk=seen.pk).exists()


def administered_project(actor: Actor, project_id: UUID | str) -> Project:
    """The project, if `actor` may change it. Raises NotThere or, for a member with a lower role, NotAllowed."""
    return administered(actor, visible_project(actor, project_id))


def check_owner_of(actor: Actor, project_id: UUID) -> None:
    """Whether `actor` owns the organization of the project, deleted or not. Raises NotThere or NotAllowed."""
    organization = Organization.objects.visible_to(actor).filter(projects=project_id).first()
    if organization is None:
        raise NotThere(_("There is no such project."))
    owned(actor, organization)


def person(actor: Actor) -> User:
    """Who asks, where the door has seen to it that it is a person."""
    if not isinstance(actor, User):
        raise NotSignedIn("This is for people: sign in.")
    return actor


def own_project_id(actor: Actor) -> UUID | None:
    """The project that is meant when none is named: only a key says which one it is."""
    return actor.project_id if isinstance(actor, Credential) else None


def has_scope(actor: Actor, *scopes: str) -> bool:
    """Whether a key may do this. People have no scopes: what they may do is in their roles."""
    return not isinstance(actor, Credential) or actor.scopes >= set(scopes)


def _uuid(value: UUID | str) -> UUID | None:
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except ValueError:
        return None
