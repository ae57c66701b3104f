"""Rows that count or repeat, and go again within a day."""

from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from agentops_portal.fields import LowerCaseEmailField


class RequestCount(models.Model):
    """How many requests of one key, person or address there were in a window (rates.py)."""

    name = models.CharField(primary_key=True, max_length=64, editable=False, help_text=_("A hash of whose they are."))
    window_start = models.DateTimeField(db_index=True)
    requests = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("request count")
        verbose_name_plural = _("request counts")

    def __str__(self) -> str:
        return f"{self.name[:8]} {self.window_start:%H:%M} {self.requests}"


class LoginFailure(models.Model):
    """A wrong password, kept for as long as it counts against the next attempt (throttle.py)."""

    id = models.BigAutoField(primary_key=True)
    email = LowerCaseEmailField(max_length=254)
    address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField(default=now)

    class Meta:
        verbose_name = _("failed sign-in")
        verbose_name_plural = _("failed sign-ins")
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["email", "address", "at"], name="login_failure_who_at"),
            models.Index(fields=["at"], name="login_failure_at"),
        ]

    def __str__(self) -> str:
        return f"{self.email} {self.at:%Y-%m-%d %H:%M}"


class IdempotentAnswer(models.Model):
    """What a request with an Idempotency-Key was answered, kept for a day (api/idempotency.py). Holds no secret."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey("projects.User", models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)  # of the request
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once_per_user")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_answer_created")]

    def __str__(self) -> str:
        return self.key
