"""Who gets which report when, what stood in it, and what became of each message."""

import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from agentops_portal.fields import validate_name, validate_timezone
from guardrails.delivery.models import Message, MessageState, shown_address
from projects.models import Organization, Project, User, language_choices

from .periods import Period, Rhythm
from .querysets import DeliveryQuerySet, RecipientQuerySet, ReportQuerySet, ScheduleQuerySet


class Frequency(models.TextChoices):
    DAILY = "daily", _("Every day")
    WEEKLY = "weekly", _("Every week")
    MONTHLY = "monthly", _("Every month")


class Weekday(models.IntegerChoices):
    """As ISO 8601 numbers them."""

    MONDAY = 1, _("Monday")
    TUESDAY = 2, _("Tuesday")
    WEDNESDAY = 3, _("Wednesday")
    THURSDAY = 4, _("Thursday")
    FRIDAY = 5, _("Friday")
    SATURDAY = 6, _("Saturday")
    SUNDAY = 7, _("Sunday")


class Section(models.TextChoices):
    """Parts of a report; its headline, figures and what they mean are always there."""

    OVER_TIME = "over_time", _("Over time")
    GUARDRAILS = "guardrails", _("By guardrail")
    PHASES = "phases", _("Input and output")
    PLACES = "places", _("Where guardrails stepped in")
    COVERAGE = "coverage", _("What no guardrail saw")
    USAGE = "usage", _("Cost and tokens")


class Format(models.TextChoices):
    """What is attached to the e-mail, whose text is the report itself."""

    PDF = "pdf", "PDF"
    XLSX = "xlsx", "Excel"
    CSV = "csv", "CSV"
    JSON = "json", "JSON"


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SLACK = "slack", "Slack"
    WEBHOOK = "webhook", "Webhook"


def all_sections() -> list[str]:
    return list(Section.values)


def first_format() -> list[str]:
    return [Format.PDF]


class ReportSchedule(models.Model):
    """A report of one project, or of all projects of an organization, that comes again and again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="report_schedules", verbose_name=_("organization")
    )
    project = models.ForeignKey(
        Project,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="report_schedules",
        verbose_name=_("project"),
        help_text=_("Empty: all projects of the organization."),
    )
    name = models.CharField(_("name"), max_length=120, validators=[validate_name])
    frequency = models.CharField(_("how often"), max_length=8, choices=Frequency, default=Frequency.WEEKLY)
    weekday = models.PositiveSmallIntegerField(_("day of the week"), choices=Weekday, default=Weekday.MONDAY)
    day = models.PositiveSmallIntegerField(
        _("day of the month"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text=_("In a month with fewer days, its last."),
    )
    hour = models.PositiveSmallIntegerField(_("hour"), default=8, validators=[MaxValueValidator(23)])
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_timezone])
    language = models.CharField(_("language"), max_length=8, choices=language_choices, default="en")
    sections = ArrayField(
        models.CharField(max_length=16, choices=Section), verbose_name=_("sections"), default=all_sections, blank=True
    )
    formats = ArrayField(
        models.CharField(max_length=8, choices=Format), verbose_name=_("attachments"), default=first_format, blank=True
    )
    sends_empty = models.BooleanField(
        _("also when nothing happened"), default=True, help_text=_("Then the report is short and says so.")
    )
    catch_up = models.PositiveSmallIntegerField(
        _("missed reports to catch up on"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text=_("After the portal was down: the newest so many, oldest first and marked late."),
    )
    grace_minutes = models.PositiveSmallIntegerField(
        _("minutes to wait for late spans"), default=15, validators=[MaxValueValidator(12 * 60)]
    )
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True, editable=False)
    # Where the schedule itself is: nothing of this is inferred from beat.
    next_start = models.DateTimeField(_("next period begins"), editable=False)
    due_at = models.DateTimeField(_("next report"), editable=False)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by"), editable=False
    )
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        verbose_name = _("report schedule")
        verbose_name_plural = _("report schedules")
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["due_at"], name="report_schedule_due", condition=Q(paused_at=None))]
        constraints = [
            models.CheckConstraint(condition=Q(frequency__in=Frequency.values), name="report_frequency_is_known"),
            models.CheckConstraint(
                condition=Q(weekday__range=(1, 7), day__range=(1, 31), hour__range=(0, 23)),
                name="report_time_is_one",
            ),
            models.CheckConstraint(
                condition=Q(sections__contained_by=Section.values, formats__contained_by=Format.values),
                name="report_parts_are_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.project is not None and self.project.organization_id != self.organization_id:
            raise ValidationError({"project": _("This project belongs to another organization.")})

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def rhythm(self) -> Rhythm:
        return Rhythm(
            self.frequency,  # type: ignore[arg-type]
            self.zone,
            self.hour,
            self.weekday,
            self.day,
            timedelta(minutes=self.grace_minutes),
        )

    @property
    def next_period(self) -> Period:
        return self.rhythm.period_at(self.next_start)


class Recipient(models.Model):
    """Where a schedule's reports go. An address that is no member's gets nothing before it was confirmed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    schedule = models.ForeignKey(
        ReportSchedule, models.CASCADE, related_name="recipients", verbose_name=_("report schedule")
    )
    channel = models.CharField(_("channel"), max_length=8, choices=Channel, default=Channel.EMAIL)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("member"))
    address = models.CharField(_("address"), max_length=500)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True, editable=False)
    asked_at = models.DateTimeField(_("confirmation asked for"), null=True, blank=True, editable=False)
    unsubscribed_at = models.DateTimeField(_("unsubscribed"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = RecipientQuerySet.as_manager()

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        ordering = ["channel", "address"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "channel", "address"], name="recipient_once_per_schedule"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="recipient_channel_is_known"),
        ]

    def __str__(self) -> str:
        return shown_address(self.channel, self.address)

    @property
    def shown(self) -> str:
        return shown_address(self.channel, self.address)


class Report(models.Model):
    """The report of one period. Its figures and files are counted once and kept: a resend sends these."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    schedule = models.ForeignKey(
        ReportSchedule, models.CASCADE, related_name="reports", verbose_name=_("report schedule")
    )
    period_start = models.DateTimeField(_("from"), editable=False)
    period_end = models.DateTimeField(_("to"), editable=False)
    timezone = models.CharField(_("time zone"), max_length=64, editable=False)
    revision = models.PositiveSmallIntegerField(_("revision"), default=1, editable=False)
    due_at = models.DateTimeField(_("due"), editable=False)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    is_late = models.BooleanField(_("late"), default=False, editable=False)
    frozen_at = models.DateTimeField(_("figures of"), null=True, editable=False)
    figures = models.JSONField(_("figures"), null=True, editable=False)
    try_at = models.DateTimeField(default=now, editable=False)
    tries = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    problem = models.CharField(_("problem"), max_length=300, blank=True, editable=False)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ["-period_start", "-revision", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "period_start", "period_end", "revision"], name="one_report_per_period"
            ),
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="report_period_is_not_empty"),
        ]
        indexes = [models.Index(fields=["try_at"], name="report_to_freeze", condition=Q(frozen_at=None))]

    def __str__(self) -> str:
        return f"{self.schedule} {self.period.first}"

    @property
    def period(self) -> Period:
        """As the time zone cut it that the schedule had then."""
        zone = ZoneInfo(self.timezone)
        return Period(self.period_start.astimezone(zone).date(), self.period_end.astimezone(zone).date(), zone)


class ReportFile(models.Model):
    """One form of a report, as it was sent."""

    report = models.ForeignKey(Report, models.CASCADE, related_name="files")
    kind = models.CharField(max_length=8)  # as rendering/files.py names them
    name = models.CharField(max_length=200)
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "kind"], name="one_file_per_kind")]

    def __str__(self) -> str:
        return self.name


DeliveryState = MessageState


class Delivery(Message):
    """One report to one recipient."""

    report = models.ForeignKey(Report, models.CASCADE, related_name="deliveries", verbose_name=_("report"))
    recipient = models.ForeignKey(
        Recipient, models.SET_NULL, null=True, related_name="deliveries", verbose_name=_("recipient")
    )
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["report", "channel", "address"], name="one_delivery_per_recipient"),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state_is_known"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], name="delivery_to_try", condition=Q(state__in=("pending", "failed", "sending"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.report} → {self.shown}"
