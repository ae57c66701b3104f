"""What went beyond a policy's limit, what was done about it, and who was told.

An event is what happened to an incident; a notice, that one contact is to hear of one event; a notification, the
message that tells one contact of the events of a minute.
"""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from guardrails.delivery.models import Message, MessageState, shown_address
from projects.models import Organization, Project, User

from .querysets import IncidentQuerySet, NotificationQuerySet


class Severity(models.TextChoices):
    INFO = "info", _("Info")
    WARNING = "warning", _("Warning")
    CRITICAL = "critical", _("Critical")


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Teams"
    WEBHOOK = "webhook", "Webhook"


class Contact(models.Model):
    """Where an organization's incidents are told: a member's e-mail, or a channel's webhook."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="contacts", verbose_name=_("organization")
    )
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("member"))
    address = models.CharField(_("address"), max_length=500)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["channel", "address"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "channel", "address"], name="contact_once"),
            models.CheckConstraint(
                condition=Q(channel=Channel.EMAIL, user__isnull=False) | (~Q(channel=Channel.EMAIL) & Q(user=None)),
                name="contact_by_email_is_a_member",
            ),
        ]

    def __str__(self) -> str:
        return self.shown

    @property
    def shown(self) -> str:
        return shown_address(self.channel, self.address)


class IncidentState(models.TextChoices):
    OPEN = "open", pgettext_lazy("incident", "Open")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    RESOLVED = "resolved", _("Resolved")


class Incident(models.Model):
    """One policy beyond its limit, in one project and for one thing that it is counted for. `value`: the newest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    policy = models.ForeignKey("guardrails.Policy", models.CASCADE, related_name="incidents", verbose_name=_("policy"))
    project = models.ForeignKey(Project, models.CASCADE, related_name="incidents", verbose_name=_("project"))
    subject = models.CharField(
        _("of"), max_length=300, blank=True, help_text=_("The model, user or guardrail; empty: the project.")
    )
    state = models.CharField(_("status"), max_length=12, choices=IncidentState, default=IncidentState.OPEN)
    severity = models.CharField(_("severity"), max_length=8, choices=Severity)
    value = models.DecimalField(_("value"), max_digits=30, decimal_places=6)
    worst = models.DecimalField(_("worst value"), max_digits=30, decimal_places=6)
    threshold = models.DecimalField(_("limit"), max_digits=24, decimal_places=6)
    window_start = models.DateTimeField(_("counted from"))
    opened_at = models.DateTimeField(_("opened"))
    seen_at = models.DateTimeField(_("last counted"))
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("acknowledged by")
    )
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "project", "subject"],
                condition=~Q(state="resolved"),
                name="one_open_incident_per_policy_and_subject",
            ),
            models.CheckConstraint(condition=Q(state__in=IncidentState.values), name="incident_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="resolved", resolved_at__isnull=False) | (~Q(state="resolved") & Q(resolved_at=None)),
                name="incident_is_resolved_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["project", "-opened_at"], name="incident_newest")]

    def __str__(self) -> str:
        return f"{self.policy.name}{f' ({self.subject})' if self.subject else ''}"

    @property
    def is_over(self) -> bool:
        return self.state == IncidentState.RESOLVED


class EventKind(models.TextChoices):
    OPENED = "opened", _("Opened")
    ESCALATED = "escalated", _("Reached the limit")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    RESOLVED = "resolved", _("Resolved")


class IncidentEvent(models.Model):
    """An entry of the timeline. Without an actor the portal itself did it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="events", verbose_name=_("incident"))
    kind = models.CharField(_("event"), max_length=12, choices=EventKind)
    at = models.DateTimeField(_("at"))
    value = models.DecimalField(_("value"), max_digits=30, decimal_places=6, null=True, blank=True)
    threshold = models.DecimalField(_("limit"), max_digits=24, decimal_places=6, null=True, blank=True)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by"))
    note = models.CharField(_("note"), max_length=1000, blank=True)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.incident} {self.get_kind_display()}"


class Notification(Message):
    """What one contact is told at once. `content`: frozen, so that another attempt says the same."""

    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, related_name="notifications", verbose_name=_("contact")
    )
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    minute = models.DateTimeField(_("minute"))
    content: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(_("content"), default=dict)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["contact", "minute"], name="one_notification_per_contact_and_minute"),
            models.CheckConstraint(condition=Q(state__in=MessageState.values), name="notification_state_is_known"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], name="notification_to_try", condition=Q(state__in=("pending", "failed", "sending"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M} → {self.shown}"


class Notice(models.Model):
    """That a contact is to hear of an event; once it was taken into a notification, of which."""

    event = models.ForeignKey(IncidentEvent, models.CASCADE, related_name="notices")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="notices")
    notification = models.ForeignKey(Notification, models.SET_NULL, null=True, related_name="notices")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "contact"], name="one_notice_per_event_and_contact")]
        indexes = [models.Index(fields=["contact"], name="notice_to_group", condition=Q(notification=None))]

    def __str__(self) -> str:
        return f"{self.event} → {self.contact}"
