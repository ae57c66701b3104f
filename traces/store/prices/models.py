"""The price book in PostgreSQL: what administrators and the package say a model costs."""

import uuid
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.models import Organization

from .book import PriceBook
from .entries import Entry
from .kinds import KINDS

MOST = Decimal(1_000_000)  # dollars: a rate beyond it is a slip of the pen
PLACES = 12  # that a cost has, too


class Source(models.TextChoices):
    PACKAGE = "package", "genai-prices"
    PERSON = "person", _("written here")
    IMPORT = "import", _("imported")


def check_rates(rates: Any) -> None:
    """Raises ValidationError unless it is {kind: text of dollars}, with a kind of KINDS."""
    if not isinstance(rates, dict):
        raise ValidationError(_("Give at least one rate."))
    for kind, rate in rates.items():
        if kind not in KINDS:
            raise ValidationError(_("%(kind)s is not one of %(kinds)s.") % {"kind": kind, "kinds": ", ".join(KINDS)})
        try:
            amount = Decimal(rate) if isinstance(rate, str) else Decimal("NaN")
        except InvalidOperation:
            amount = Decimal("NaN")
        if not (amount.is_finite() and 0 <= amount <= MOST and amount == round(amount, PLACES)):
            raise ValidationError(
                _("%(kind)s: %(rate)s is not an amount in dollars.") % {"kind": kind, "rate": str(rate)[:50]}
            )


class ModelPriceQuerySet(models.QuerySet["ModelPrice"]):
    def holding_for(self, organization_id: UUID | None) -> "ModelPriceQuerySet":
        """The entries that price the calls of an organization: its own and those of the installation."""
        return self.filter(Q(organization=None) | Q(organization=organization_id))

    def book(self, organization_id: UUID | None) -> PriceBook:
        return PriceBook(price.entry() for price in self.holding_for(organization_id))


class ModelPrice(models.Model):
    """What calls of a model cost, for all organizations or for one; without rates a discount on what they cost."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="prices",
        verbose_name=_("organization"),
        help_text=_("Whose calls are priced by it; empty: those of all."),
    )
    provider = models.CharField(
        _("provider"), max_length=100, blank=True, help_text=_("As spans name it, such as openai; empty: any.")
    )
    model = models.CharField(
        _("model"), max_length=200, help_text=_("As spans name it, in small letters; * stands for any text.")
    )
    context_over = models.PositiveBigIntegerField(
        _("context over"), default=0, help_text=_("Only calls with more tokens of input than this.")
    )
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    rates = models.JSONField(
        _("rates"),
        blank=True,
        default=dict,
        validators=[check_rates],
        help_text=_("US dollars: of tokens for a million, of everything else for one."),
    )
    discount = models.DecimalField(
        _("discount"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_(
            "Per cent off these rates or, where there are none, off whatever the book says of the model. Only what the "
            "book computes is lowered, never what clients report."
        ),
    )
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.PERSON, editable=False)
    source_version = models.CharField(_("version"), max_length=50, blank=True, editable=False)
    note = models.CharField(_("note"), max_length=300, blank=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = ModelPriceQuerySet.as_manager()

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["model", "provider", "context_over", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "provider", "model", "context_over", "valid_from"],
                name="one_price_at_a_time",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_from=None) | Q(valid_until__gt=models.F("valid_from")),
                name="price_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, (self.provider, self.model)))

    def clean(self) -> None:
        self.provider, self.model = self.provider.strip().lower(), self.model.strip().lower()
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValidationError({"valid_until": _("The end must come after the start.")})
        self.rates = self.rates or {}
        if not self.rates and self.discount is None:
            raise ValidationError({"rates": _("Give at least one rate, or a discount.")})
        if not self.rates and self.context_over:
            raise ValidationError({"context_over": _("A discount without rates is for calls of any length.")})

    def entry(self) -> Entry:
        return Entry(
            provider=self.provider,
            model=self.model,
            context_over=self.context_over,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            rates={kind: Decimal(rate) for kind, rate in self.rates.items()},
            is_own=self.organization_id is not None,
            is_manual=self.source != Source.PACKAGE,
            discount=self.discount,
            source=f"{self.get_source_display()} {self.source_version}".strip(),
        )


def of_package(entries: Iterable[Entry], version: str) -> list[ModelPrice]:
    """Rows, not saved, of what the package says."""
    return [
        ModelPrice(
            provider=entry.provider,
            model=entry.model,
            context_over=entry.context_over,
            valid_from=entry.valid_from,
            valid_until=entry.valid_until,
            rates={kind: f"{rate.normalize():f}" for kind, rate in entry.rates.items()},
            source=Source.PACKAGE,
            source_version=version,
            changed_at=timezone.now(),
        )
        for entry in entries
    ]
