"""What is looked for in prompts and answers, how much may be used, and what was decided."""

import uuid
from decimal import Decimal
from typing import Any, Final

import phonenumbers
import re2
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from agentops_portal.fields import validate_name
from projects.models import Organization, Project, User

from .finding.entities import Entity
from .finding.patterns import MOST_WORDS, keywords, regex, words_of
from .querysets import DecisionQuerySet, LimitQuerySet, RuleQuerySet

LONGEST_PATTERN: Final = 20_000
LONGEST_VALUE: Final = 200  # of a key, a user, a model
LONGEST_ID: Final = 100  # of a call, or of what a client calls a trace
TRACE_ID: Final = "[0-9a-f]{32}"
MARK: Final = r"^[A-Z][A-Z0-9_]{0,31}$"


def kept(text: str, most: int) -> str:
    """A stranger's text as PostgreSQL can keep it."""
    return text.replace("\0", "")[:most]


class Action(models.TextChoices):
    """From the mildest to the strictest: of several rules the strictest decides."""

    ALLOW = "allow", _("Allow")
    FLAG = "flag", _("Flag")
    MASK = "mask", _("Mask")
    BLOCK = "block", _("Block")


class Phase(models.TextChoices):
    INPUT = "input", _("Prompts")
    OUTPUT = "output", _("Answers")
    BOTH = "both", _("Prompts and answers")


class Way(models.TextChoices):
    """How a rule finds what it is about."""

    ENTITIES = "entities", _("Personal data and secrets")
    KEYWORDS = "keywords", _("Words")
    REGEX = "regex", _("Regular expression")


class Shared(models.Model):
    """What rules and limits have in common."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", verbose_name=_("organization"))
    project = models.ForeignKey(
        Project,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("project"),
        help_text=_("Empty: all projects of the organization."),
    )
    name = models.CharField(_("name"), max_length=120, validators=[validate_name])
    shadow = models.BooleanField(
        _("only watch"), default=False, help_text=_("Decide and record, but let everything pass as it is.")
    )
    enabled = models.BooleanField(_("in force"), default=True)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by"), editable=False
    )
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.project is not None and self.project.organization_id != self.organization_id:
            raise ValidationError({"project": _("This project belongs to another organization.")})


def personal() -> list[str]:
    return [Entity.EMAIL, Entity.PHONE]


class Rule(Shared):
    """What is to be found in prompts or answers, and what is done then."""

    way = models.CharField(_("looks for"), max_length=8, choices=Way, default=Way.ENTITIES)
    entities = ArrayField(
        models.CharField(max_length=8, choices=Entity), verbose_name=_("kinds"), default=personal, blank=True
    )
    pattern = models.TextField(
        _("words or expression"),
        blank=True,
        max_length=LONGEST_PATTERN,
        help_text=_("One word or phrase a line; or one regular expression as RE2 takes it."),
    )
    mark = models.CharField(
        _("mark"), max_length=32, blank=True, default="", help_text=_("Stands for what is masked: <SECRET_PROJECT>")
    )
    country = models.CharField(
        _("country"), max_length=2, default="KR", help_text=_("Of phone numbers that are written without one: KR, US …")
    )
    action = models.CharField(_("action"), max_length=5, choices=Action, default=Action.MASK)
    phase = models.CharField(_("looks at"), max_length=6, choices=Phase, default=Phase.BOTH)
    position = models.PositiveSmallIntegerField(
        _("order"), default=100, help_text=_("Lower ones first: what “allow” finds, no later rule looks at.")
    )
    reason = models.CharField(
        _("message"), max_length=300, blank=True, default="", help_text=_("What a caller is told who is blocked.")
    )

    objects = RuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("content rule")
        verbose_name_plural = _("content rules")
        ordering = ["position", "created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(action__in=Action.values), name="rule_action_is_known"),
            models.CheckConstraint(condition=Q(phase__in=Phase.values), name="rule_phase_is_known"),
            models.CheckConstraint(condition=Q(way__in=Way.values), name="rule_way_is_known"),
        ]

    def clean(self) -> None:
        super().clean()
        if self.country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValidationError({"country": _("Write a country of two letters, such as KR.")})
        if self.mark and not re2.fullmatch(MARK, self.mark):
            raise ValidationError({"mark": _("Write capital letters, digits and _, beginning with a letter.")})
        if self.way == Way.ENTITIES:
            if not self.entities:
                raise ValidationError({"entities": _("Choose at least one kind.")})
            return
        if not self.pattern.strip():
            raise ValidationError({"pattern": _("Write what the rule looks for.")})
        try:
            if self.way == Way.REGEX:
                regex(self.pattern, "")
            elif len(words_of(self.pattern)) > MOST_WORDS:
                raise ValidationError({"pattern": _("A rule has at most %(most)d words.") % {"most": MOST_WORDS}})
            else:
                keywords(self.pattern, "")
        except re2.error as error:
            raise ValidationError({"pattern": _refusal(error)}) from None

    @property
    def entity_names(self) -> list[str]:
        return [str(Entity(entity).label) for entity in self.entities]

    @property
    def default_mark(self) -> str:
        return self.mark or ("WORD" if self.way == Way.KEYWORDS else "REDACTED")


def _refusal(error: Exception) -> str:
    what = error.args[0] if error.args else error
    text = what.decode(errors="replace") if isinstance(what, bytes) else str(what)
    return str(_("RE2 does not take this: %(fault)s") % {"fault": text})


class Measure(models.TextChoices):
    COST = "cost", _("Cost in US dollars")
    REQUESTS = "requests", _("Requests")
    TOKENS = "tokens", _("Tokens of prompts, estimated")


class Window(models.TextChoices):
    """Cut in UTC; weeks begin on Monday."""

    MINUTE = "minute", _("a minute")
    HOUR = "hour", _("an hour")
    DAY = "day", _("a day")
    WEEK = "week", _("a week")
    MONTH = "month", _("a month")


class Per(models.TextChoices):
    ALL = "all", _("all together")
    KEY = "key", _("each key")
    USER = "user", _("each user")
    MODEL = "model", _("each model")


class Limit(Shared):
    """How much may be used in a window of time, before calls are blocked."""

    measure = models.CharField(_("measures"), max_length=8, choices=Measure, default=Measure.COST)
    amount = models.DecimalField(
        _("at most"), max_digits=18, decimal_places=6, validators=[MinValueValidator(0)], default=100
    )
    window = models.CharField(_("in"), max_length=6, choices=Window, default=Window.DAY)
    per = models.CharField(_("for"), max_length=5, choices=Per, default=Per.ALL)
    reserve = models.DecimalField(
        _("a call is taken to cost"),
        max_digits=12,
        decimal_places=6,
        default="0.01",
        validators=[MinValueValidator(0)],
        help_text=_("US dollars that are set aside until the call's span has arrived with what it did cost."),
    )
    fails_open = models.BooleanField(
        _("let pass what cannot be counted"),
        default=True,
        help_text=_("When a store is away; else it is blocked."),
    )

    objects = LimitQuerySet.as_manager()

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(measure__in=Measure.values), name="limit_measure_is_known"),
            models.CheckConstraint(condition=Q(window__in=Window.values), name="limit_window_is_known"),
            models.CheckConstraint(condition=Q(per__in=Per.values), name="limit_per_is_known"),
            models.CheckConstraint(condition=Q(amount__gte=0, reserve__gte=0), name="limit_is_not_negative"),
        ]

    def clean(self) -> None:
        super().clean()
        if self.measure == Measure.COST and self.window == Window.MINUTE:
            raise ValidationError({"window": _("Cost is known by the quarter of an hour: choose an hour or more.")})

    def shown(self, value: Decimal) -> str:
        """An amount of what it measures."""
        text = f"{value:,.6f}".rstrip("0").rstrip(".")
        return f"${text}" if self.measure == Measure.COST else text

    @property
    def amount_shown(self) -> str:
        return self.shown(self.amount)


class LimitUse(models.Model):
    """What is used up of a limit in one window, by all processes."""

    limit = models.ForeignKey(Limit, models.CASCADE, related_name="uses", verbose_name=_("limit"))
    value = models.CharField(_("of"), max_length=200, blank=True)  # whose; '' for all together
    window_start = models.DateTimeField(_("window"))
    used = models.DecimalField(_("used"), max_digits=24, decimal_places=9, default=0)
    reserved = models.DecimalField(_("reserved"), max_digits=24, decimal_places=9, default=0)
    claimed_at = models.DateTimeField(null=True)  # somebody asks ClickHouse since then
    asked_at = models.DateTimeField(null=True)  # `used` is what was stored then; NULL: not known yet

    class Meta:
        verbose_name = _("use of a limit")
        verbose_name_plural = _("uses of limits")
        ordering = ["-window_start", "value"]
        constraints = [
            models.UniqueConstraint(fields=["limit", "value", "window_start"], name="limit_use_once_per_window")
        ]

    def __str__(self) -> str:
        return f"{self.limit} {self.value}".strip()

    @property
    def used_shown(self) -> str:
        return self.limit.shown(self.used)

    @property
    def reserved_shown(self) -> str:
        return self.limit.shown(self.reserved)


class Reservation(models.Model):
    """What a call in flight is taken to cost."""

    use = models.ForeignKey(LimitUse, models.CASCADE, related_name="reservations")
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    amount = models.DecimalField(max_digits=12, decimal_places=6)
    trace_id = models.CharField(max_length=32, blank=True)
    call_id = models.CharField(max_length=LONGEST_ID, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")

    def __str__(self) -> str:
        return f"{self.amount} {self.call_id}"


class Decision(models.Model):
    """One answer of the guardrail. Of the text it holds nothing: kinds of what was found, and how many."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+", verbose_name=_("project"))
    at = models.DateTimeField(_("time"))
    source = models.CharField(_("asked by"), max_length=8)  # litellm or api
    phase = models.CharField(_("phase"), max_length=6, choices=Phase)
    action = models.CharField(_("action"), max_length=5, choices=Action)
    shadow_action = models.CharField(_("would have"), max_length=5, choices=Action, blank=True)
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    rules: "models.JSONField[Any, Any]" = models.JSONField(_("rules"), default=list)
    entities: "models.JSONField[Any, Any]" = models.JSONField(_("found"), default=dict)  # kind → count
    model = models.CharField(_("model"), max_length=200, blank=True)
    user = models.CharField(_("user"), max_length=200, blank=True)
    key = models.CharField(_("key"), max_length=200, blank=True)
    trace_id = models.CharField(_("trace"), max_length=100, blank=True)
    call_id = models.CharField(_("call"), max_length=100, blank=True)
    latency_us = models.PositiveIntegerField(_("microseconds"), default=0)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["project", "-at", "-id"], name="decision_newest"),
            models.Index(fields=["project", "trace_id"], name="decision_of_trace"),
            models.Index(fields=["at"], name="decision_age"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.get_action_display()}"

    @property
    def has_trace(self) -> bool:
        return bool(re2.fullmatch(TRACE_ID, self.trace_id))

    @property
    def took_ms(self) -> float:
        return self.latency_us / 1000
