"""Which rows a person or a client may reach: every view and API starts with one of these methods.

Superusers run the installation, so the methods show them everything; everybody else sees what a membership gives.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeAlias, Union

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from agentops_portal.fields import lower_email

if TYPE_CHECKING:
    from .models import ApiKey, Invitation, Organization, Project, User  # noqa: F401 - named in annotations below

Actor: TypeAlias = Union["User", AnonymousUser]

# The roles that may change an organization, its projects and keys; the other two roles read.
ADMINISTRATOR_ROLES = ("owner", "admin")


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


class OrganizationQuerySet(QuerySet["Organization"]):
    def visible_to(self, user: Actor) -> Self:
        """Organizations that `user` is a member of."""
        if not user.is_active:  # an anonymous visitor is not active either
            return self.none()
        return self if user.is_superuser else self.filter(memberships__user=user.pk)

    def administered_by(self, user: Actor) -> Self:
        """Organizations that `user` may change, as owner or admin."""
        if not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(memberships__user=user.pk, memberships__role__in=ADMINISTRATOR_ROLES)

    def with_role_of(self, user: Actor) -> Self:
        """Adds `role`, what `user` is in the organization; None for a superuser who is no member."""
        from .models import Membership

        mine = Membership.objects.filter(organization=OuterRef("pk"), user=user.pk)
        return self.annotate(role=Subquery(mine.values("role")[:1]))

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

    def visible_to(self, user: Actor) -> Self:
        """Active projects of the organizations that `user` is a member of."""
        if not user.is_active:
            return self.none()
        return self.active() if user.is_superuser else self.active().filter(organization__memberships__user=user.pk)

    def administered_by(self, user: Actor) -> Self:
        """Active projects that `user`, as owner or admin, may change and make keys for."""
        if not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.active()
        return self.active().filter(
            organization__memberships__user=user.pk, organization__memberships__role__in=ADMINISTRATOR_ROLES
        )

    def with_role_of(self, user: Actor) -> Self:
        """Adds `role`, what `user` is in the project's organization; None for a superuser who is no member."""
        from .models import Membership

        mine = Membership.objects.filter(organization=OuterRef("organization"), user=user.pk)
        return self.annotate(role=Subquery(mine.values("role")[:1]))

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
    def addressed_to(self, user: Actor) -> Self:
        """Invitations that wait for `user`'s own e-mail address, if it was confirmed."""
        if isinstance(user, AnonymousUser) or user.email_confirmed_at is None:
            return self.none()
        return self.filter(email=user.email)

    def administered_by(self, user: Actor) -> Self:
        """Invitations into the organizations that `user` may change."""
        from .models import Organization

        return self.filter(organization__in=Organization.objects.administered_by(user))


class ApiKeyQuerySet(QuerySet["ApiKey"]):
    def usable(self, now: datetime) -> Self:
        """Keys that open their project at `now`: not revoked, not expired, the project not deleted."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, project__deleted_at=None)

    def visible_to(self, user: Actor) -> Self:
        """Keys of the projects that `user` sees; a row never holds the secret."""
        from .models import Project

        return self.filter(project__in=Project.objects.visible_to(user))
