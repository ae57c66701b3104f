"""What people say of single guardrail runs: was the guardrail right?"""

import hashlib
import uuid
from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from projects.models import Project, User

from .querysets import ReviewQuerySet

LONGEST_NOTE: Final = 2_000
LONGEST_NAME: Final = 300


def kept_name(text: str) -> str:
    """What a client called something as PostgreSQL and a page can hold it: short, and without the one sign that no text
    of PostgreSQL has. Long names stay apart by a digest of the whole.
    """
    whole = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if len(whole) <= LONGEST_NAME:
        return whole
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
    return f"{whole[: LONGEST_NAME - 14]}… {digest}"


class Verdict(models.TextChoices):
    RIGHT = "right", pgettext_lazy("verdict", "Right")
    WRONG = "wrong", pgettext_lazy("verdict", "Wrong")
    UNSURE = "unsure", pgettext_lazy("verdict", "Unsure")


class Review(models.Model):
    """What one person says of one run, with what the run was: that is kept when the run itself is kept no more."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+", verbose_name=_("project"))
    run_key = models.CharField(_("check"), max_length=60)  # traces/store/queries/guardrail_sample.py
    reviewer = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("reviewer")
    )
    verdict = models.CharField(_("verdict"), max_length=6, choices=Verdict)
    note = models.TextField(_("note"), max_length=LONGEST_NOTE, blank=True)
    created_at = models.DateTimeField(_("created"), default=now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    # Of the run, as it was when it was judged first. Names are `kept_name`s.
    guardrail = models.CharField(_("guardrail"), max_length=LONGEST_NAME)
    mode = models.CharField(_("mode"), max_length=LONGEST_NAME, blank=True)
    phase = models.CharField(_("phase"), max_length=6)
    outcome = models.CharField(_("outcome"), max_length=10)
    service = models.CharField(_("service"), max_length=LONGEST_NAME, blank=True)
    trace_id = models.CharField(_("trace"), max_length=LONGEST_NAME)
    span_id = models.CharField(_("span"), max_length=LONGEST_NAME)
    started_at = models.DateTimeField(_("start"))
    duration_ns = models.BigIntegerField(_("nanoseconds"))

    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["project", "-created_at", "-id"], name="review_newest"),
            models.Index(fields=["project", "started_at"], name="review_of_range"),
            models.Index(fields=["project", "trace_id"], name="review_of_trace"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["project", "run_key", "reviewer"], name="review_once_per_reviewer"),
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="review_verdict_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.guardrail[:60]} {self.verdict}"
