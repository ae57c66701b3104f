"""The ingest receipt: per key and hour, what was accepted and what was refused, and why.

Counted in memory and added to PostgreSQL every few seconds, so that a request costs no row. Nothing is lost while
PostgreSQL is away; what a killed process had not written yet is (at most FLUSH_SECONDS of counts, never of spans).
"""

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, close_old_connections, transaction

from agentops_portal.units import NS_OF_MS
from projects.credentials import Credential
from projects.models import ApiKey
from traces.ingest.inbox.table import Entry
from traces.ingest.otlp import metrics
from traces.ingest.otlp.errors import OtlpError

from .models import IngestReceipt

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 5.0
MAX_ERROR_LENGTH = 500


@dataclass
class Tally:
    """What one key did in one hour since the last flush."""

    requests: int = 0
    duplicate_requests: int = 0
    accepted_spans: int = 0
    repeated_spans: int = 0
    rejected_spans: int = 0
    bytes: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # reason → requests
    not_stored: Counter[str] = field(default_factory=Counter)  # signal → log records or data points
    last_error: str = ""
    last_error_at: datetime | None = None
    first_seen_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    last_seen_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    last_accepted_at: datetime | None = None
    clock_skew_ms: int | None = None


class ReceiptBook:
    """The receipts of one process. Safe to use from any thread."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[UUID, datetime], Tally] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def accepted(self, entry: Entry) -> None:
        """A request whose spans are stored."""
        with self._lock:
            tally = self._tally(entry.credential)
            tally.bytes += entry.size
            tally.rejected_spans += entry.rejected
            tally.duplicate_requests += entry.duplicate
            tally.repeated_spans += entry.repeated
            if new := entry.spans - entry.repeated:
                tally.accepted_spans += new
                tally.last_accepted_at = tally.last_seen_at
            if entry.latest_end and not entry.doubtful:  # those waited
                tally.clock_skew_ms = entry.latest_end // NS_OF_MS - int(tally.last_seen_at.timestamp() * 1000)
            if entry.not_stored:
                tally.not_stored[entry.signal] += entry.not_stored
            if entry.rejection:
                self._note(tally, entry.rejection)
        metrics.BYTES.inc(entry.size)
        metrics.SPANS.labels("accepted").inc(entry.spans - entry.repeated)
        metrics.SPANS.labels("duplicate").inc(entry.repeated)
        metrics.SPANS.labels("rejected").inc(entry.rejected)
        if entry.not_stored:
            metrics.NOT_STORED.labels(entry.signal).inc(entry.not_stored)

    def unreadable(self, entry: Entry, reason: str) -> None:
        """A request that was acknowledged and cannot be decoded: it is kept in the table otlp_unreadable."""
        with self._lock:
            tally = self._tally(entry.credential)
            tally.repeated_spans += entry.repeated
            tally.rejected_spans += entry.spans - entry.repeated
            tally.refused["unreadable"] += 1
            self._note(tally, f"ClickHouse cannot decode a request, which is kept in otlp_unreadable: {reason}")
        metrics.SPANS.labels("unreadable").inc(entry.spans - entry.repeated)

    def refused(self, credential: Credential, error: OtlpError) -> None:
        with self._lock:
            tally = self._tally(credential)
            tally.refused[error.reason] += 1
            self._note(tally, str(error))

    def close(self) -> None:
        """Write what is left."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def flush(self) -> None:
        """Add the counts to PostgreSQL; those that it does not take now are kept for the next time."""
        with self._lock:
            tallies, self._tallies = self._tallies, {}
        try:
            with transaction.atomic():
                known = set(ApiKey.objects.filter(pk__in={key for key, _ in tallies}).values_list("pk", flat=True))
                for (key, hour), tally in sorted(tallies.items()):
                    if key in known:  # a key that was deleted meanwhile needs no receipt
                        IngestReceipt.objects.add(key, hour, tally)
        except DatabaseError as error:
            log.warning("ingest receipts wait for PostgreSQL", error=type(error).__name__)
            with self._lock:
                for name, tally in tallies.items():
                    newer = self._tallies.get(name)
                    self._tallies[name] = tally if newer is None else _merged(tally, newer)
        finally:
            close_old_connections()

    def _tally(self, credential: Credential) -> Tally:
        now = datetime.now(UTC)
        name = (credential.key_id, now.replace(minute=0, second=0, microsecond=0))
        tally = self._tallies.setdefault(name, Tally())
        tally.requests += 1
        tally.last_seen_at = now
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="otlp-receipts", daemon=True)
            self._thread.start()
        return tally

    def _note(self, tally: Tally, error: str) -> None:
        tally.last_error = error[:MAX_ERROR_LENGTH]
        tally.last_error_at = tally.last_seen_at

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            if self._tallies:
                self.flush()


def _merged(older: Tally, newer: Tally) -> Tally:
    return Tally(
        requests=older.requests + newer.requests,
        duplicate_requests=older.duplicate_requests + newer.duplicate_requests,
        accepted_spans=older.accepted_spans + newer.accepted_spans,
        repeated_spans=older.repeated_spans + newer.repeated_spans,
        rejected_spans=older.rejected_spans + newer.rejected_spans,
        bytes=older.bytes + newer.bytes,
        refused=older.refused + newer.refused,
        not_stored=older.not_stored + newer.not_stored,
        last_error=newer.last_error or older.last_error,
        last_error_at=newer.last_error_at or older.last_error_at,
        first_seen_at=older.first_seen_at,
        last_seen_at=newer.last_seen_at,
        last_accepted_at=newer.last_accepted_at or older.last_accepted_at,
        clock_skew_ms=newer.clock_skew_ms if newer.clock_skew_ms is not None else older.clock_skew_ms,
    )


book = ReceiptBook()
