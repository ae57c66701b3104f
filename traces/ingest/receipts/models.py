"""The receipts in PostgreSQL: what the receiver did with each key's requests, hour by hour."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from projects.models import ApiKey, Project
from projects.querysets import Actor

if TYPE_CHECKING:
    from .booking import Tally

_CURSOR = re.compile(r"[0-9]{1,10}-[0-9]{1,18}")


@dataclass(frozen=True)
class ReceiptCursor:
    """The last receipt of a page. Text form: `hour-id`, the hour in seconds since 1970."""

    hour: datetime
    id: int

    @classmethod
    def of(cls, receipt: "IngestReceipt") -> "ReceiptCursor":
        return cls(receipt.hour, receipt.pk)

    @classmethod
    def parse(cls, text: str) -> "ReceiptCursor":
        """Raises ValueError when `text` is not what `str()` of a cursor gives."""
        if not _CURSOR.fullmatch(text):
            raise ValueError("no cursor")
        hour, _dash, receipt = text.partition("-")
        return cls(datetime.fromtimestamp(int(hour), UTC), int(receipt))

    def __str__(self) -> str:
        return f"{int(self.hour.timestamp())}-{self.id}"


COUNTS = ("requests", "duplicate_requests", "accepted_spans", "repeated_spans", "rejected_spans", "bytes")


class IngestReceiptQuerySet(models.QuerySet["IngestReceipt"]):
    def add(self, key_id: UUID, hour: datetime, tally: "Tally") -> None:
        """Add counts to the receipt of a key and hour. Call it in a transaction; other processes may do the same."""
        receipt, _created = self.select_for_update().get_or_create(
            key_id=key_id,
            hour=hour,
            defaults={"first_seen_at": tally.first_seen_at, "last_seen_at": tally.last_seen_at},
        )
        for name in COUNTS:
            setattr(receipt, name, getattr(receipt, name) + getattr(tally, name))
        for counts, more in ((receipt.refused, tally.refused), (receipt.not_stored, tally.not_stored)):
            for name, count in more.items():
                counts[name] = counts.get(name, 0) + count
        receipt.first_seen_at = min(receipt.first_seen_at, tally.first_seen_at)
        receipt.last_seen_at = max(receipt.last_seen_at, tally.last_seen_at)
        if tally.last_error_at is not None:
            receipt.last_error, receipt.last_error_at = tally.last_error, tally.last_error_at
        if tally.last_accepted_at is not None:
            receipt.last_accepted_at = max(receipt.last_accepted_at or tally.last_accepted_at, tally.last_accepted_at)
        if tally.clock_skew_ms is not None:
            receipt.clock_skew_ms = tally.clock_skew_ms
        receipt.save()

    def visible_to(self, actor: Actor) -> "IngestReceiptQuerySet":
        """Receipts of the projects that `actor` sees."""
        return self.filter(key__project__in=Project.objects.visible_to(actor))

    def of_project(self, project_id: UUID) -> "IngestReceiptQuerySet":
        """The receipts of a project's keys, the newest hour first."""
        return self.filter(key__project_id=project_id).select_related("key").order_by("-hour", "-id")

    def between(self, since: datetime | None, until: datetime | None = None) -> "IngestReceiptQuerySet":
        """Hours that begin at `since` or later and before `until`; None leaves an end open."""
        begun = self if since is None else self.filter(hour__gte=since)
        return begun if until is None else begun.filter(hour__lt=until)

    def after(self, cursor: "ReceiptCursor") -> "IngestReceiptQuerySet":
        """What follows a receipt in the order of `of_project`."""
        return self.filter(Q(hour__lt=cursor.hour) | Q(hour=cursor.hour, id__lt=cursor.id))


class IngestReceipt(models.Model):
    """What the receiver did with the requests of one key in one hour (UTC)."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="receipts", verbose_name=_("API key"))
    hour = models.DateTimeField(_("hour"))
    requests = models.PositiveBigIntegerField(_("requests"), default=0)
    duplicate_requests = models.PositiveBigIntegerField(
        _("duplicates"), default=0, help_text=_("Requests that were stored before and sent again.")
    )
    accepted_spans = models.PositiveBigIntegerField(_("accepted spans"), default=0)
    repeated_spans = models.PositiveBigIntegerField(
        _("repeated spans"), default=0, help_text=_("Spans that were stored before and sent again.")
    )
    rejected_spans = models.PositiveBigIntegerField(
        _("rejected spans"), default=0, help_text=_("Spans without a valid trace or span id.")
    )
    bytes = models.PositiveBigIntegerField(_("bytes"), default=0, help_text=_("Bytes of accepted requests."))
    refused = models.JSONField(_("refused requests"), default=dict, help_text=_("Reason → number of requests."))
    not_stored = models.JSONField(
        _("not stored"),
        default=dict,
        help_text=_("Signal → log records or data points of metrics that were accepted and are not kept."),
    )
    last_error = models.TextField(_("last error"), blank=True)
    last_error_at = models.DateTimeField(_("time of the last error"), null=True)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    last_accepted_at = models.DateTimeField(
        _("last span received"), null=True, help_text=_("When the last request arrived whose spans were stored.")
    )
    clock_skew_ms = models.BigIntegerField(
        _("clock skew in ms"),
        null=True,
        help_text=_("End of the last span minus time of arrival: above 0 the client's clock runs ahead."),
    )

    objects = IngestReceiptQuerySet.as_manager()

    class Meta:
        verbose_name = _("ingest receipt")
        verbose_name_plural = _("ingest receipts")
        constraints = [models.UniqueConstraint(fields=["key", "hour"], name="one_receipt_per_key_and_hour")]
        indexes = [models.Index(fields=["-hour", "-id"], name="receipt_hour")]

    def __str__(self) -> str:
        return f"{self.key} {self.hour:%Y-%m-%d %H:00}"

    @property
    def refused_requests(self) -> int:
        return sum(self.refused.values())
