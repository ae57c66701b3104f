"""What was asked to be deleted, how far it is, and the recount."""

import uuid
from datetime import timedelta
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agentops_portal.units import EPOCH
from projects.models import Project, User
from projects.querysets import Actor, ProjectRowsQuerySet


class ErasureKind(models.TextChoices):
    TRACE = "trace", _("Trace")
    USER = "user", _("User")
    SESSION = "session", _("Session")


class ErasureQuerySet(ProjectRowsQuerySet["Erasure"]):
    def visible_to(self, actor: Actor) -> Self:
        """Deletions in the projects that `actor` may change: they name people."""
        return self.administered_by(actor)

    def after(self, requested_us: int, pk: str) -> Self:
        """What follows the one of this key in the order of the model."""
        try:
            last = uuid.UUID(pk)
        except ValueError:
            return self.none()
        moment = EPOCH + timedelta(microseconds=requested_us)
        return self.filter(models.Q(requested_at__lt=moment) | models.Q(requested_at=moment, id__lt=last))


class Erasure(models.Model):
    """The receipt of one deletion. `removed` and `left`: table → rows, before and after."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="erasures", verbose_name=_("project"))
    kind = models.CharField(_("type"), max_length=10, choices=ErasureKind)
    value = models.TextField(_("id"))
    requested_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("requested by")
    )
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)
    traces = models.PositiveIntegerField(_("traces"), default=0)
    removed = models.JSONField(_("removed rows"), default=dict)
    left = models.JSONField(_("rows left"), default=dict)
    error = models.TextField(_("error"), blank=True)
    # Ids whose deletion was begun and is not known to be done: what was found once is not found again.
    pending = models.JSONField(default=list, editable=False)
    # Quarters of an hour since 1970 whose usage is to be counted again: spans of theirs went on arriving.
    recount = models.JSONField(default=list, editable=False)

    objects = ErasureQuerySet.as_manager()

    class Meta:
        verbose_name = _("deletion")
        verbose_name_plural = _("deletions")
        ordering = ["-requested_at", "-id"]
        indexes = [models.Index(fields=["project", "-requested_at"], name="erasure_project")]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=ErasureKind.values), name="erasure_kind_is_known")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"

    @property
    def key(self) -> tuple[int, str]:
        """What pages of deletions are sorted by: microseconds since 1970, id."""
        return (self.requested_at - EPOCH) // timedelta(microseconds=1), str(self.pk)

    @property
    def removed_rows(self) -> int:
        return sum(self.removed.values())

    @property
    def left_rows(self) -> int:
        return sum(self.left.values())
