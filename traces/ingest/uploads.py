"""What clients upload beside spans: the log of a trace, and objects.

Both are kept in PostgreSQL, compressed: they live and die with their project in the same backup, whichever host
received them, and need no shared disk. Spans are never joined with them.
"""

import hashlib
import re
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Self

import orjson
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.models import Project
from projects.querysets import ProjectRowsQuerySet

MAX_BYTES = 25 * 1024 * 1024  # of one upload
MAX_LOG_BYTES = 4 * MAX_BYTES  # of all uploads of one trace
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_HEX = re.compile(r"[0-9a-f]{32}")


class LogIsFull(Exception):
    """The uploads of a trace have reached MAX_LOG_BYTES."""


class QuotaReached(Exception):
    """The project has uploaded as much as it may in a day (UTC); str() says what and how much."""

    def __init__(self, usage: "UploadUsage") -> None:
        super().__init__(
            f"This project has uploaded {usage.count:,} of {usage.max_count:,} texts and objects and "
            f"{usage.bytes:,} of {usage.max_bytes:,} bytes that it may in a day (UTC), and this one is too much: "
            "try again tomorrow, or have UPLOADS_PER_DAY or UPLOAD_BYTES_PER_DAY raised."
        )
        self.wait = ceil((_midnight() + timedelta(days=1) - timezone.now()).total_seconds())


@dataclass(frozen=True, slots=True)
class UploadUsage:
    """What a project has uploaded today (UTC), and may; 0: no limit."""

    count: int
    bytes: int
    max_count: int
    max_bytes: int

    @property
    def is_reached(self) -> bool:
        return not self.has_room(1)

    def has_room(self, size: int) -> bool:
        counts = not self.max_count or self.count < self.max_count
        return counts and (not self.max_bytes or self.bytes + size <= self.max_bytes)


class UploadKind(models.TextChoices):
    LOG = "log", _("Log")
    OBJECT = "object", _("Object")


class UploadQuerySet(ProjectRowsQuerySet["Upload"]):
    def log_of(self, trace_ids: Iterable[str]) -> Self:
        """The uploads of the first of these traces that has any, in the order in which they came."""
        logs = self.filter(kind=UploadKind.LOG)
        for trace_id in trace_ids:
            found = logs.filter(trace_id=trace_id)
            if found.exists():
                return found.order_by("created_at", "id")
        return self.none()


class Upload(models.Model):
    """A text or object as one request brought it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="uploads", verbose_name=_("project"))
    kind = models.CharField(_("type"), max_length=10, choices=UploadKind)
    trace_id = models.CharField(_("trace"), max_length=64, blank=True)
    size = models.PositiveIntegerField(_("bytes"))
    digest = models.CharField(max_length=64, editable=False)  # SHA-256 of the content
    compressed = models.BinaryField(editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        indexes = [
            models.Index(fields=["project", "trace_id", "created_at"], name="upload_of_trace"),
            models.Index(fields=["created_at"], name="upload_age"),
            models.Index(fields=["project", "created_at"], name="upload_day", include=["size"]),
        ]
        constraints = [
            # A client that heard no answer sends the same again.
            models.UniqueConstraint(
                fields=["project", "trace_id", "digest"], condition=Q(kind="log"), name="one_log_upload_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.trace_id or self.pk}"

    @property
    def content(self) -> bytes:
        return zlib.decompress(self.compressed)


def usage_today(project: Project) -> UploadUsage:
    """Logs and objects count alike, by their size before compression."""
    today = Upload.objects.filter(project=project, created_at__gte=_midnight())
    found = today.aggregate(count=Count("pk"), bytes=Sum("size", default=0))
    return UploadUsage(**found, max_count=settings.UPLOADS_PER_DAY, max_bytes=settings.UPLOAD_BYTES_PER_DAY)


def check_quota(project: Project, size: int = 1) -> None:
    """Raises QuotaReached when an upload of so many bytes would be too much for today."""
    usage = usage_today(project)
    if not usage.has_room(size):
        raise QuotaReached(usage)


def _midnight() -> datetime:
    return timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _locked(project: Project) -> None:
    """Until the transaction ends, so that parallel uploads do not slip through the quota together."""
    number = int.from_bytes(hashlib.sha256(f"uploads {project.pk}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def add_to_log(*, project: Project, trace_id: str, content: bytes) -> Upload:
    """Add to the log of a trace; what was added before, word for word, is not added again. Raises LogIsFull, and
    QuotaReached.

    AgentOps overwrites. But the SDK uploads when a root span ends, each time what was printed since the last upload:
    a trace with two of them would keep the last part only.
    """
    log = {"project": project, "kind": UploadKind.LOG, "trace_id": trace_id}
    digest = hashlib.sha256(content).hexdigest()
    known = Upload.objects.filter(**log, digest=digest).defer("compressed").first()
    if known is not None:
        return known
    stored = _stored(content)  # before the lock: compressing takes its time
    with transaction.atomic():
        _locked(project)
        full = Upload.objects.filter(**log).aggregate(bytes=Sum("size"))["bytes"] or 0
        if full + len(content) > MAX_LOG_BYTES:
            raise LogIsFull
        check_quota(project, len(content))
        upload, _created = Upload.objects.get_or_create(**log, digest=digest, defaults=stored)
    return upload


@transaction.atomic
def add_object(*, project: Project, content: bytes) -> Upload:
    """Raises QuotaReached."""
    digest = hashlib.sha256(content).hexdigest()
    stored = _stored(content)
    _locked(project)
    check_quota(project, len(content))
    return Upload.objects.create(project=project, kind=UploadKind.OBJECT, digest=digest, **stored)


def _stored(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "compressed": zlib.compress(content)}


def unwrapped(body: bytes) -> bytes:
    """The text in `{"body": "<text>"}`, which the SDK sends; any other body as it is."""
    if body.lstrip()[:1] != b"{":
        return body
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    text = value.get("body") if isinstance(value, dict) else None
    return text.encode() if isinstance(text, str) else body


def uploaded_trace_id(text: str) -> str:
    """How the log of a trace is filed, out of the id that an upload names. Raises ValueError.

    The SDK writes the number that the id is, in decimal; others write hexadecimal digits. Digits only are decimal.
    """
    if not _ID.fullmatch(text):
        raise ValueError(text)
    if text.isdigit() and int(text) < 1 << 128:
        return f"{int(text):032x}"
    digits = text.replace("-", "").lower()
    return digits if _HEX.fullmatch(digits) else text


def asked_trace_ids(text: str) -> list[str]:
    """Under which ids the log may be filed that somebody asks for, the likeliest first.

    32 digits are hexadecimal here, as pages and APIs write trace ids, though one in four million decimal ids looks the
    same. Raises ValueError.
    """
    filed = uploaded_trace_id(text)
    return [text, filed] if len(text) == 32 and text.isdigit() else [filed]


def text_of(uploads: Iterable[Upload]) -> Iterator[str]:
    """The uploads of a log as one text, piece by piece; each begins on a line of its own."""
    before = "\n"
    for upload in uploads:
        text = upload.content.decode(errors="replace")
        if not before.endswith("\n"):
            yield "\n"
        yield text
        before = text or before
