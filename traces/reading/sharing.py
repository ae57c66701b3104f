"""Links that show one trace to whoever has them, without an account: until they expire or are revoked, or until who
made them may no longer share: the person has left, is switched off or became a business user, the key has ended.
"""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from projects.credentials import Credential
from projects.models import ApiKey, KeyScope, Membership, Project, Role, User
from projects.querysets import Actor, ProjectRowsQuerySet
from projects.services import record

TOKEN_BYTES = 24  # 192 random bits: nobody guesses a link
MAX_DAYS = 365
SHARING_ROLES = (Role.OWNER, Role.ADMIN, Role.DEVELOPER)
_READS = Q(scopes__contains=[KeyScope.READ])
_SALT = "traces.ShareLink"


class ShareLinkQuerySet(ProjectRowsQuerySet["ShareLink"]):
    def usable(self, now: datetime) -> Self:
        """Links that show their trace at `now`: not expired, not revoked, the project not deleted, and whoever made
        them may still share: a link never outlives the right that made it.
        """
        return self.filter(
            Exists(_sharers()) | Exists(ApiKey.objects.usable(now).filter(_READS, pk=OuterRef("created_by_key"))),
            expires_at__gt=now,
            revoked_at=None,
            project__deleted_at=None,
        )

    def with_state(self, now: datetime) -> Self:
        """Adds `works`: whether the link shows its trace at `now`."""
        return self.annotate(works=Exists(ShareLink.objects.usable(now).filter(pk=OuterRef("pk"))))

    def revocable_by(self, actor: Actor) -> Self:
        """Of the links that `actor` sees: its own, and those of the projects that it may change."""
        seen = self.visible_to(actor)
        if isinstance(actor, Credential):
            return seen.filter(created_by_key=actor.key_id)
        return seen.filter(Q(created_by=actor.pk) | Q(project__in=Project.objects.administered_by(actor)))

    def with_token(self, token: str, now: datetime) -> "ShareLink | None":
        """The usable link that the token belongs to."""
        digests = [_digest(token, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
        return self.usable(now).select_related("project").filter(digest__in=digests).first()


def may_share(user: User, project: Project) -> bool:
    """Whether the person may make links to traces of the project: developers, admins and owners, not business users."""
    return User.objects.filter(_may_share(project.organization_id), pk=user.pk).exists()


def _may_share(organization: Any) -> Q:
    roles = Membership.objects.filter(organization=organization, user=OuterRef("pk"), role__in=SHARING_ROLES)
    return Q(is_active=True) & (Q(is_superuser=True) | Q(Exists(roles)))


def _sharers() -> models.QuerySet[User]:
    """Who made the link of the outer query, if that person may still share."""
    return User.objects.filter(_may_share(OuterRef(OuterRef("project__organization"))), pk=OuterRef("created_by"))


class ShareLink(models.Model):
    """One trace, open to whoever has the link. The row holds a keyed hash of the link's token, not the token."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="share_links", verbose_name=_("project"))
    trace_id = models.CharField(_("trace"), max_length=32, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by"), editable=False
    )
    created_by_key = models.ForeignKey(
        ApiKey, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created with"), editable=False
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "-created_at"], name="share_link_project")]

    def __str__(self) -> str:
        return f"{self.trace_id} → {self.expires_at:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class SharedTrace:
    """A new link together with its address, which exists nowhere else: show it now or never."""

    link: ShareLink
    token: str = field(repr=False)


@transaction.atomic
def share_trace(
    *, project: Project, trace_id: str, days: int, actor: User | None = None, key_id: uuid.UUID | None = None
) -> SharedTrace:
    """A link to a trace of the project, for `days` from now. That the trace is there is the caller's matter."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = ShareLink.objects.create(
        project=project,
        trace_id=trace_id,
        digest=_digest(token, settings.SECRET_KEY),
        created_by=actor,
        created_by_key_id=key_id,
        expires_at=timezone.now() + timedelta(days=days),
    )
    record(
        "trace.shared",
        actor=actor,
        project=project,
        target=trace_id,
        link_id=str(link.pk),
        days=days,
        **_by(key_id),
    )
    return SharedTrace(link, token)


@transaction.atomic
def revoke_share_link(*, link: ShareLink, actor: User | None = None, key_id: uuid.UUID | None = None) -> None:
    """End the link at once. Revoking a revoked link changes nothing."""
    revoked = ShareLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=timezone.now())
    link.refresh_from_db(fields=["revoked_at"])
    if revoked:
        record(
            "trace.unshared",
            actor=actor,
            project=link.project,
            target=link.trace_id,
            link_id=str(link.pk),
            **_by(key_id),
        )


def _by(key_id: uuid.UUID | None) -> dict[str, Any]:
    return {"by_key": str(key_id)} if key_id else {}


def _digest(token: str, secret_key: str | bytes) -> str:
    return salted_hmac(_SALT, token, secret=secret_key, algorithm="sha256").hexdigest()
