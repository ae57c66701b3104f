"""What all messages have in common, whatever they are about: where they go, how they stand and what was tried."""

import uuid
from datetime import datetime
from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import Model, Q, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

Row = TypeVar("Row", bound=Model)


class MessageState(models.TextChoices):
    PENDING = "pending", _("Waiting")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed, tried again")
    DEAD = "dead", _("Given up")
    PERHAPS = "perhaps", _("Perhaps sent")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class MessageRows(QuerySet[Row]):
    def to_try(self, now: datetime) -> Self:
        """Those that wait for an attempt, whether or not a worker was told."""
        return self.filter(state__in=(MessageState.PENDING, MessageState.FAILED), due_at__lte=now)

    def untold(self, now: datetime) -> Self:
        """Of these, those of which no worker was told lately."""
        return self.to_try(now).filter(Q(told_until=None) | Q(told_until__lte=now))

    def abandoned(self, now: datetime) -> Self:
        """Whoever sent them has not said in time how it went: killed in the middle, most likely."""
        return self.filter(state=MessageState.SENDING, leased_until__lte=now)


class Message(models.Model):
    """`attempts`: of each its time, its length, its outcome and what was said."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(_("channel"), max_length=8)
    address = models.CharField(_("address"), max_length=500)
    state = models.CharField(_("status"), max_length=10, choices=MessageState, default=MessageState.PENDING)
    attempts: "models.JSONField[list[dict[str, Any]], list[dict[str, Any]]]" = models.JSONField(
        _("attempts"), default=list
    )
    failures = models.PositiveSmallIntegerField(default=0, editable=False)  # since it was begun or resent
    due_at = models.DateTimeField(default=now, editable=False)
    told_until = models.DateTimeField(null=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def shown(self) -> str:
        return shown_address(self.channel, self.address)


def shown_address(channel: str, address: str) -> str:
    """An address for people to recognise: that of a webhook is a secret, of which the host and the end are shown."""
    if channel == "email":
        return address
    scheme, _sep, rest = address.partition("://")
    host, _sep, path = rest.partition("/")
    return f"{scheme}://{host}/…{path[-4:]}"
