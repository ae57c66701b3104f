"""What a team wants to hear of: a figure of a project, how far it may go, and who is told when it goes further.

A policy says everything itself: `kind` is the figure, `window` the time that it is counted over, `threshold` the limit,
`dimension` what it is counted for.
"""

import uuid
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from agentops_portal.fields import validate_name, validate_timezone
from guardrails.incidents.models import Contact, Severity
from projects.models import Organization, Project, User

from .kinds import CALENDAR, KINDS, Dimension, Kind, Window
from .querysets import PolicyQuerySet

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


def every_day() -> list[int]:
    return list(EVERY_DAY)


class Policy(models.Model):
    """Of one project, or of each project of an organization."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="policies", verbose_name=_("organization")
    )
    project = models.ForeignKey(
        Project,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="policies",
        verbose_name=_("project"),
        help_text=_("Empty: each project of the organization."),
    )
    name = models.CharField(_("name"), max_length=120, validators=[validate_name])
    kind = models.CharField(_("figure"), max_length=20, choices=Kind)
    dimension = models.CharField(
        _("counted for"),
        max_length=8,
        choices=Dimension,
        default=Dimension.PROJECT,
        help_text=_("Of a cost budget: the project as a whole, or each model or user that spends more."),
    )
    window = models.CharField(_("counted over"), max_length=8, choices=Window, default=Window.QUARTER)
    threshold = models.DecimalField(
        _("limit"),
        max_digits=24,
        decimal_places=6,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("Shares are between 0 and 1; costs are US dollars; rates are numbers within the window."),
    )
    warn_at = models.DecimalField(
        _("warn at"),
        max_digits=24,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("Of a cost budget: opens a warning before the limit is reached."),
    )
    resolve_at = models.DecimalField(
        _("resolved at"),
        max_digits=24,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("How far the figure must come back before an incident ends. Empty: behind the limit."),
    )
    min_volume = models.PositiveIntegerField(
        _("minimum volume"), default=0, help_text=_("With fewer requests or checks in the window nothing is opened.")
    )
    cool_down_minutes = models.PositiveIntegerField(
        _("cool-down in minutes"),
        default=15,
        validators=[MaxValueValidator(7 * 24 * 60)],
        help_text=_("For so long after an incident ended no other is opened."),
    )
    severity = models.CharField(_("severity"), max_length=8, choices=Severity, default=Severity.WARNING)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner"))
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), verbose_name=_("days"), default=every_day, help_text=_("1 is Monday.")
    )
    from_hour = models.PositiveSmallIntegerField(_("from hour"), default=0, validators=[MaxValueValidator(23)])
    until_hour = models.PositiveSmallIntegerField(
        _("until hour"), default=24, validators=[MinValueValidator(1), MaxValueValidator(24)]
    )
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_timezone])
    muted_until = models.DateTimeField(_("muted until"), null=True, blank=True, editable=False)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    contacts = models.ManyToManyField(Contact, related_name="policies", blank=True, verbose_name=_("told to"))
    problem = models.CharField(_("problem"), max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["kind"], name="policy_enabled", condition=Q(is_enabled=True))]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=Kind.values, dimension__in=Dimension.values), name="policy_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind=Kind.COST_BUDGET, window__in=CALENDAR)
                | (~Q(kind=Kind.COST_BUDGET) & ~Q(window__in=CALENDAR) & Q(dimension=Dimension.PROJECT)),
                name="policy_window_fits_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(warn_at=None) | Q(kind=Kind.COST_BUDGET, warn_at__lt=F("threshold")),
                name="policy_warns_before_its_limit",
            ),
            models.CheckConstraint(condition=Q(threshold__gte=0), name="policy_threshold_is_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """What the fields say together; raises ValidationError by field."""
        faults: dict[str, object] = {}
        budget = self.kind == Kind.COST_BUDGET
        kind = KINDS.get(self.kind)
        if self.project is not None and self.project.organization_id != self.organization_id:
            faults["project"] = _("This project belongs to another organization.")
        if budget != (self.window in CALENDAR):
            faults["window"] = _("A budget is of an hour, day, week or month; other figures are of the last minutes.")
        if not budget and self.dimension != Dimension.PROJECT:
            faults["dimension"] = _("Only a cost budget is counted for models and users.")
        if self.warn_at is not None and not (budget and self.threshold is not None and self.warn_at < self.threshold):
            faults["warn_at"] = _("Only a cost budget warns, and below its limit.")
        if kind and kind.unit == "share" and self.threshold is not None and self.threshold > 1:
            faults["threshold"] = _("A share is not above 100 %.")
        if kind and self.resolve_at is not None and self.threshold is not None:
            beyond = self.resolve_at < self.threshold if kind.is_floor else self.resolve_at > self.threshold
            if beyond:
                faults["resolve_at"] = _("An incident cannot end on the wrong side of the limit.")
        self.weekdays = sorted(set(self.weekdays))
        if not set(self.weekdays) <= set(EVERY_DAY) or not self.weekdays:
            faults["weekdays"] = _("Choose days from 1 (Monday) to 7.")
        if self.from_hour == self.until_hour:
            faults["until_hour"] = _("Choose another hour than the first.")
        if faults:
            raise ValidationError(faults)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def is_muted(self, moment: datetime) -> bool:
        return self.muted_until is not None and self.muted_until > moment


class PolicyClock(models.Model):
    """One row: up to which minute policies were evaluated. Whoever holds it evaluates, and nobody else."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    evaluated_until = models.DateTimeField(_("evaluated until"))

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_policy_clock")]

    def __str__(self) -> str:
        return f"{self.evaluated_until:%Y-%m-%d %H:%M}"
