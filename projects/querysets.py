"""Which rows a person or a client may reach: every view and API starts with one of these methods.

Superusers run the installation, so the methods show them everything; other people reach what a membership gives. A key
or token (Credential) sees what is its own project's, and administers and owns nothing: no machine manages who may see
what. What it may read or write besides is a matter of its scopes.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, Union
from uuid import UUID

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from agentops_portal.fields import lower_email

from .credential_cache import Credential

if TYPE_CHECKING:
    from .models import ApiKey, Invitation, Organization, Project, User  # noqa: F401 - named in annotations below

Actor: TypeAlias = Union["User", AnonymousUser, Credential]

# The roles that may change an organization, its projects and keys; the other two roles read.
ADMINISTRATOR_ROLES = ("owner", "admin")
OWNER_ROLES = ("owner",)
# Those that work on what a project tells of itself: incidents, say.
DEVELOPER_ROLES = (*ADMINISTRATOR_ROLES, "developer")

Row = TypeVar("Row", bound=Model)
Rows = TypeVar("Rows", bound="QuerySet[Any]")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """A new account; one without a password cannot sign in until it is given one."""
        if not email:
            raise ValueError("An account needs an e-mail address.")
        user = self.model(email=lower_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=lower_email(username or ""))


def _count(rows: QuerySet[Any]) -> Coalesce:
    """The number of `rows`, which belong to the organization of the outer query, as a column of that query."""
    grouped = rows.order_by().values("organization")
    return Coalesce(Subquery(grouped.annotate(count=Count("pk")).values("count")), 0)


def _with_membership(rows: Rows, actor: Actor, memberships: str, roles: tuple[str, ...] = ()) -> Rows:
    """Those of the rows where the actor is a member, in one of the roles if any are named; `memberships` is the way
    from a row to them.
    """
    if isinstance(actor, Credential) or not actor.is_active:  # an anonymous visitor is not active either
        return rows.none()
    if actor.is_superuser:
        return rows
    of_roles = {f"{memberships}__role__in": roles} if roles else {}
    return rows.filter(**{f"{memberships}__user": actor.pk}, **of_roles)


def _role_of(actor: Actor, organization: OuterRef) -> Subquery:
    from .models import Membership

    person = None if isinstance(actor, Credential) else actor.pk
    mine = Membership.objects.filter(organization=organization, user=person)
    return Subquery(mine.values("role")[:1])


class OrganizationQuerySet(QuerySet["Organization"]):
    def visible_to(self, actor: Actor) -> Self:
        """Organizations that `actor` is a member of."""
        return _with_membership(self, actor, "memberships")

    def administered_by(self, actor: Actor) -> Self:
        """Organizations that `actor` may change, as owner or admin."""
        return _with_membership(self, actor, "memberships", ADMINISTRATOR_ROLES)

    def owned_by(self, actor: Actor) -> Self:
        """Organizations that `actor` owns."""
        return _with_membership(self, actor, "memberships", OWNER_ROLES)

    def with_role_of(self, actor: Actor) -> Self:
        """Adds `role`, what `actor` is in the organization; None for a superuser who is no member."""
        return self.annotate(role=_role_of(actor, OuterRef("pk")))

    def with_counts(self) -> Self:
        """Adds `member_count`, `invitation_count` and `project_count` (without deleted projects)."""
        from .models import Invitation, Membership, Project

        return self.annotate(
            member_count=_count(Membership.objects.filter(organization=OuterRef("pk"))),
            invitation_count=_count(Invitation.objects.filter(organization=OuterRef("pk"))),
            project_count=_count(Project.objects.active().filter(organization=OuterRef("pk"))),
        )


class ProjectQuerySet(QuerySet["Project"]):
    def active(self) -> Self:
        """Projects that have not been deleted."""
        return self.filter(deleted_at=None)

    def of_organization(self, organization_id: UUID) -> Self:
        return self.filter(organization=organization_id)

    def of_member(self, user_id: UUID) -> Self:
        """Projects of the organizations that this user is a member of, whoever asks."""
        from .models import Organization

        return self.filter(organization__in=Organization.objects.filter(memberships__user=user_id))

    def visible_to(self, actor: Actor) -> Self:
        """Active projects of the organizations that `actor` is a member of; of a key its own."""
        if isinstance(actor, Credential):
            return self.active().filter(pk=actor.project_id)
        return _with_membership(self.active(), actor, "organization__memberships")

    def administered_by(self, actor: Actor) -> Self:
        """Active projects that `actor`, as owner or admin, may change and make keys for."""
        return _with_membership(self.active(), actor, "organization__memberships", ADMINISTRATOR_ROLES)

    def developed_by(self, actor: Actor) -> Self:
        """Active projects that `actor`, as owner, admin or developer, works on."""
        return _with_membership(self.active(), actor, "organization__memberships", DEVELOPER_ROLES)

    def owned_by(self, actor: Actor) -> Self:
        """Active projects of the organizations that `actor` owns."""
        return _with_membership(self.active(), actor, "organization__memberships", OWNER_ROLES)

    def with_role_of(self, actor: Actor) -> Self:
        """Adds `role`, what `actor` is in the project's organization; None for keys, and for a superuser who is no
        member.
        """
        return self.annotate(role=_role_of(actor, OuterRef("organization")))

    def with_key_prefix(self, now: datetime) -> Self:
        """Adds `key_prefix`, how the newest key that works at `now` begins; None without one."""
        from .models import ApiKey

        keys = ApiKey.objects.usable(now).filter(project=OuterRef("pk")).order_by("-created_at", "-id")
        return self.annotate(key_prefix=Subquery(keys.values("prefix")[:1]))

    def with_live_keys(self, now: datetime) -> Self:
        """Adds `live_keys`, the number of keys that work at `now`."""
        from .models import ApiKey

        keys = ApiKey.objects.usable(now).filter(project=OuterRef("pk")).order_by().values("project")
        return self.annotate(live_keys=Coalesce(Subquery(keys.annotate(count=Count("pk")).values("count")), 0))


class InvitationQuerySet(QuerySet["Invitation"]):
    def addressed_to(self, actor: Actor) -> Self:
        """Invitations that wait for the actor's own e-mail address, if it was confirmed."""
        if isinstance(actor, AnonymousUser | Credential) or actor.email_confirmed_at is None:
            return self.none()
        return self.filter(email=actor.email)

    def administered_by(self, actor: Actor) -> Self:
        """Invitations into the organizations that `actor` may change."""
        from .models import Organization

        return self.filter(organization__in=Organization.objects.administered_by(actor))

    def of_organization(self, organization: "Organization") -> Self:
        return self.filter(organization=organization)

    def not_joined(self) -> Self:
        """Without those whose address has joined meanwhile in another way."""
        from .models import Membership

        joined = Membership.objects.filter(organization=OuterRef("organization"), user__email=OuterRef("email"))
        return self.filter(~Exists(joined))


class ProjectRowsQuerySet(QuerySet[Row]):
    """Rows of a project, by their field `project`: who sees, administers or owns it reaches them so, unless a subclass
    says less.
    """

    def visible_to(self, actor: Actor) -> Self:
        from .models import Project

        return self.filter(project__in=Project.objects.visible_to(actor))

    def administered_by(self, actor: Actor) -> Self:
        from .models import Project

        return self.filter(project__in=Project.objects.administered_by(actor))

    def of_project(self, project_id: UUID) -> Self:
        return self.filter(project=project_id)


class ApiKeyQuerySet(ProjectRowsQuerySet["ApiKey"]):
    """What is visible of a key is its row, which never holds the secret."""

    def usable(self, now: datetime) -> Self:
        """Keys that open their project at `now`: not revoked, not expired, the project not deleted."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, project__deleted_at=None)
