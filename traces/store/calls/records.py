"""What was found of services that seem to report the same calls, and what people decided about it."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import Self

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.models import Project, User
from projects.querysets import ProjectRowsQuerySet

from .coinciding import LEAST_SHARE


class Decision(models.TextChoices):
    OPEN = "open", _("open")
    LEFT_OUT = "left_out", _("left out")
    DIFFERENT = "different", _("different")


class SameCallsQuerySet(ProjectRowsQuerySet["SameCalls"]):
    def to_be_shown(self) -> Self:
        """What somebody has to decide, or did so that figures lack calls."""
        return self.exclude(decision=Decision.DIFFERENT)


class SameCalls(models.Model):
    """Two services of a project, in the order of the alphabet, and what was decided of them.

    applied_at: since when the stored calls count as decided; empty while they are being counted again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+", verbose_name=_("project"))
    service = models.TextField(_("service"))
    other = models.TextField(_("other service"))
    calls = models.PositiveIntegerField(_("calls"))
    other_calls = models.PositiveIntegerField(_("calls of the other service"))
    same = models.PositiveIntegerField(_("calls that coincide"))
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, default=Decision.OPEN)
    left_out = models.TextField(_("service that is left out"), blank=True)
    decided_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    applied_at = models.DateTimeField(_("counted again"), null=True, blank=True, default=timezone.now)

    objects = SameCallsQuerySet.as_manager()

    class Meta:
        verbose_name = _("services with the same calls")
        verbose_name_plural = _("services with the same calls")
        ordering = ["service", "other"]
        constraints = [
            models.UniqueConstraint(fields=["project", "service", "other"], name="same_calls_once"),
            models.CheckConstraint(condition=models.Q(decision__in=Decision.values), name="same_calls_decision"),
        ]

    def __str__(self) -> str:
        return f"{self.service}, {self.other}"

    @property
    def kept(self) -> str:
        """The service that stands for the one that is left out."""
        return self.other if self.left_out == self.service else self.service

    @property
    def redundant(self) -> list[str]:
        """Services of which the other one tells nearly every call: those that may be left out."""
        told = {self.service: self.calls, self.other: self.other_calls}
        return [name for name, calls in told.items() if self.same >= LEAST_SHARE * calls]


def left_out() -> Mapping[str, Mapping[str, str]]:
    """Project → service that is left out → the one that tells the same calls.

    Nobody has left any out where the table is not there yet: each of the two databases can be migrated without the
    other one, and spans are judged when it is ClickHouse's turn.
    """
    if not _is_migrated():
        return {}
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for each in SameCalls.objects.filter(decision=Decision.LEFT_OUT):
        found[str(each.project_id)][each.left_out] = each.kept
    return found


def _is_migrated() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [SameCalls._meta.db_table])
        (is_there,) = cursor.fetchone()
    return bool(is_there)
