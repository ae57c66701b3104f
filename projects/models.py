"""People, what they belong to, and the keys by which machines reach a project."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from agentops_portal.fields import LowerCaseEmailField, validate_name, validate_timezone

from .querysets import ApiKeyQuerySet, InvitationQuerySet, OrganizationQuerySet, ProjectQuerySet, UserManager
from .transient import IdempotentAnswer as IdempotentAnswer
from .transient import LoginFailure as LoginFailure
from .transient import RequestCount as RequestCount

MAX_RETENTION_DAYS = 3650


def language_choices() -> list[tuple[str, str]]:
    """The portal's languages; a callable, so that adding one is no migration."""
    return [(code, str(name)) for code, name in settings.LANGUAGES]


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an e-mail address. The id is Supabase's `auth.users.id` for an imported one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = LowerCaseEmailField(_("e-mail address"), unique=True)
    full_name = models.CharField(_("full name"), max_length=150, blank=True, validators=[validate_name])
    language = models.CharField(
        _("language"), max_length=8, blank=True, choices=language_choices, help_text=_("Blank: the browser's.")
    )
    timezone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[validate_timezone],
        help_text=_("An IANA name such as Asia/Seoul. Blank: the browser's."),
    )
    is_staff = models.BooleanField(_("may use the admin"), default=False)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Switch this off instead of deleting an account.")
    )
    date_joined = models.DateTimeField(_("joined"), default=now, editable=False)
    email_confirmed_at = models.DateTimeField(
        _("address confirmed"),
        null=True,
        blank=True,
        default=now,
        editable=False,
        help_text=_("Empty: signed up and has not opened the link in the e-mail yet."),
    )
    avatar_url = models.URLField(_("picture"), max_length=500, blank=True)
    supabase_id = models.UUIDField(
        _("Supabase user"),
        null=True,
        blank=True,
        unique=True,
        help_text=_("The id of the person in Supabase Auth, if it is another than the account's own."),
    )
    # AgentOps' dashboard sends whoever has not answered its maker's survey there: nobody needs to, here.
    survey_is_complete = models.BooleanField(default=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["email"]
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_is_lower_case"),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.full_name or self.email

    def get_short_name(self) -> str:
        return self.full_name or self.email.partition("@")[0]


class Organization(models.Model):
    """A company or team: the members it has see all of its projects."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200, validators=[validate_name])
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    members: "models.ManyToManyField[User, Membership]" = models.ManyToManyField(
        User, through="Membership", related_name="organizations"
    )

    if TYPE_CHECKING:  # annotations of the QuerySet
        role: str | None
        member_count: int
        invitation_count: int
        project_count: int

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do: owners everything, admins all but deleting, the two others read."""

    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    DEVELOPER = "developer", _("Developer")
    BUSINESS_USER = "business_user", _("Business user")


class Membership(models.Model):
    """One person in one organization, with one role."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("user"))
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="memberships", verbose_name=_("organization")
    )
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.DEVELOPER)
    created_at = models.DateTimeField(_("member since"), default=now, editable=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["organization__name", "user__email"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_once_per_organization"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} – {self.organization} ({self.get_role_display()})"


class Invitation(models.Model):
    """An address that may join an organization with a role; it ends when it is accepted or withdrawn."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="invitations", verbose_name=_("organization")
    )
    email = LowerCaseEmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.DEVELOPER)
    inviter = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="invitations_sent", verbose_name=_("invited by")
    )
    created_at = models.DateTimeField(_("invited"), default=now, editable=False)
    sent_at = models.DateTimeField(_("e-mail sent"), null=True, blank=True, editable=False)
    mail_problem = models.CharField(
        _("e-mail"), max_length=200, blank=True, editable=False, help_text=_("Why the e-mail could not be sent.")
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "email"], name="invitation_once_per_organization"),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="invitation_email_is_lower_case"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_is_known"),
        ]
        indexes = [models.Index(fields=["email"], name="invitation_email")]

    def __str__(self) -> str:
        return f"{self.email} → {self.organization}"


class Environment(models.TextChoices):
    """AgentOps' four environments of a project."""

    PRODUCTION = "production", _("Production")
    STAGING = "staging", _("Staging")
    DEVELOPMENT = "development", _("Development")
    COMMUNITY = "community", _("Community")


class Project(models.Model):
    """What traces belong to. Spans in ClickHouse carry its id, so a row is marked deleted before it is removed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="projects", verbose_name=_("organization")
    )
    name = models.CharField(_("name"), max_length=200, validators=[validate_name])
    environment = models.CharField(
        _("environment"), max_length=16, choices=Environment, default=Environment.DEVELOPMENT
    )
    retention_days = models.PositiveIntegerField(
        _("retention in days"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_RETENTION_DAYS)],
        help_text=_("Older spans are removed."),
    )
    description = models.TextField(_("description"), blank=True)
    default_model = models.CharField(
        _("default model"), max_length=200, blank=True, help_text=_("What clients that ask for it should call.")
    )
    settings = models.JSONField(
        _("settings"), default=dict, blank=True, help_text=_("Kept for clients as they sent it; the portal reads none.")
    )
    max_requests_per_minute = models.PositiveIntegerField(
        _("requests per minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Above it the receiver answers 429. Empty: no limit."),
    )
    max_spans_per_minute = models.PositiveIntegerField(
        _("spans per minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Above it the receiver answers 429. Empty: no limit."),
    )
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    if TYPE_CHECKING:  # annotations of the QuerySet
        role: str | None
        live_keys: int
        key_prefix: str | None

    objects = ProjectQuerySet.as_manager()

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(retention_days__gte=1, retention_days__lte=MAX_RETENTION_DAYS),
                name="project_retention_in_range",
            ),
            models.CheckConstraint(
                condition=Q(environment__in=Environment.values), name="project_environment_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.deleted_at is None


class KeyScope(models.TextChoices):
    INGEST = "ingest", _("send traces")
    READ = "read", _("read data")


def default_scopes() -> list[str]:
    return list(KeyScope.values)


class ApiKey(models.Model):
    """A key of one project. Its secret, a UUID because AgentOps clients insist on one, is shown once and not kept:
    the row holds its first characters, to recognise it by, and a keyed hash, to check it with.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="keys", verbose_name=_("project"))
    name = models.CharField(_("name"), max_length=100, validators=[validate_name])
    prefix = models.CharField(_("starts with"), max_length=8, editable=False, db_index=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=16, choices=KeyScope), verbose_name=_("scopes"), default=default_scopes
    )
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by"), editable=False
    )
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("Blank: never."))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(
        _("last used"), null=True, blank=True, editable=False, help_text=_("To the hour.")
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=KeyScope.values) & Q(scopes__len__gte=1), name="key_scopes_are_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")), name="key_expires_after_creation"
            ),
        ]
        indexes = [models.Index(fields=["project", "-created_at"], name="key_project_created")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def scope_labels(self) -> list[str]:
        """What the key may do, in the reader's words."""
        return [str(KeyScope(scope).label) for scope in self.scopes]

    def status(self, at: datetime | None = None) -> "KeyStatus":
        """Whether the key works at `at`, by default now, and if not, the first reason why."""
        if self.revoked_at is not None:
            return KeyStatus.REVOKED
        if self.expires_at is not None and self.expires_at <= (at or now()):
            return KeyStatus.EXPIRED
        return KeyStatus.ACTIVE


class KeyStatus(models.TextChoices):
    ACTIVE = "active", _("Active")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


class AuditEvent(models.Model):
    """Who changed what, and when. Written by services.py; nobody changes a row. `actor` is empty for the
    system itself and for accounts that are gone, whose address stays in `actor_email`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(_("at"), default=now)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("actor"))
    actor_email = models.CharField(_("actor's e-mail address"), max_length=254, blank=True)
    organization = models.ForeignKey(
        Organization, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("organization")
    )
    project = models.ForeignKey(
        Project, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("project")
    )
    action = models.CharField(_("action"), max_length=64, help_text=_("Such as key.created."))
    target = models.CharField(_("target"), max_length=300, blank=True, help_text=_("What was changed, in words."))
    details = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["-at"], name="audit_at"),
            models.Index(fields=["organization", "-at"], name="audit_organization_at"),
            models.Index(fields=["project", "-at"], name="audit_project_at"),
            models.Index(fields=["action", "-at"], name="audit_action_at"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
