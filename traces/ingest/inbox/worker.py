"""Stores the spans of what is in the inbox, many requests at once, in the background."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from traces.ingest.otlp import metrics
from traces.ingest.otlp.errors import OtlpError

from . import table as inbox
from .storing import decode, settle_what_waits, without
from .table import Entry

log = structlog.get_logger(__name__)

# Between the beginnings of two passes: a busy receiver then pays the fixed price of storing spans twice a second.
PACE_SECONDS = 0.5
PASS_BYTES = 16 * 1024 * 1024
PASS_SPANS = 30_000
RETRY_SECONDS = 2.0
IDLE_SECONDS = 0.1

OnDecoded = Callable[[Entry], None]
OnUnreadable = Callable[[Entry, str], None]


class Decoder:
    """One thread that stores what `writing` brings. Safe to use from any thread.

    `decoded` is called with each entry whose spans are stored (or were before), `unreadable` with each that was put
    aside.
    """

    def __init__(self, decoded: OnDecoded, unreadable: OnUnreadable) -> None:
        self.receiver = uuid.uuid4().hex
        self.decoded = decoded
        self.unreadable = unreadable
        self._number = 0  # of the segment that is written
        self._unfinished: Counter[str] = Counter()  # segment → inserts in flight and requests not stored
        self._born: dict[str, float] = {}  # segment → when its first request came
        self._waiting: list[Entry] = []
        self._in_pass: list[Entry] = []
        self._bytes = 0
        self._changed = threading.Condition()
        self._last_pass = 0.0
        self._settling = 0
        self._closing = False
        self._thread: threading.Thread | None = None

    @property
    def bytes(self) -> int:
        """Of requests that are acknowledged and not stored."""
        return self._bytes

    @contextmanager
    def writing(self, entries: list[Entry]) -> Iterator[str]:
        """The segment to write entries to; when the body has run through, they are this decoder's to store."""
        with self._changed:
            segment = f"{self.receiver}-{self._number}"
            self._unfinished[segment] += 1
            self._born.setdefault(segment, time.monotonic())
        try:
            yield segment
        except BaseException:
            entries = []
            # Nobody knows what the segment holds of them. It is dropped, and nothing else is written to it.
            with self._changed:
                self._number += 1
            raise
        finally:
            with self._changed:
                self._unfinished[segment] += len(entries) - 1
                for entry in entries:
                    entry.segment, entry.held = segment, len(entry.body)
                    self._bytes += entry.held
                self._waiting += entries
                self._start()
                self._changed.notify_all()

    def wait_for_room(self, timeout: float = 1.0) -> None:
        """Let storing catch up when it is two passes behind, so that clients wait a little and none is refused.

        When nothing can be stored, `timeout` seconds are waited; the inbox takes requests all the same.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < 2 * PASS_BYTES, timeout)

    def settle(self, timeout: float = 30.0) -> None:
        """Have everything that was acknowledged stored now, and wait until it is. Raises TimeoutError."""
        with self._changed:
            self._last_pass = 0.0
            self._settling += 1
            self._changed.notify_all()
            try:
                if not self._changed.wait_for(lambda: not self._waiting and not self._in_pass, timeout):
                    raise TimeoutError(f"Spans of {len(self._waiting)} requests were not stored within {timeout} s.")
            finally:
                self._settling -= 1

    def close(self, timeout: float = 10.0) -> None:
        """Store what is left. What cannot be stays in the inbox, for the next receiver."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)

    def old_segments(self, seconds: float) -> list[str]:
        """Segments whose requests have waited that long."""
        now = time.monotonic()
        with self._changed:
            return [segment for segment, born in self._born.items() if now - born >= seconds]

    def _start(self) -> None:
        if self._thread is None:
            metrics.UNDECODED_BYTES.set_function(lambda: self._bytes)
            metrics.UNDECODED_SECONDS.set_function(self._oldest_seconds)
            self._thread = threading.Thread(target=self._run, name="otlp-decode", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while entries := self._next_pass():
            patient = self._is_patient()
            left = self._attempt(entries, patient)
            with self._changed:
                if left is None:
                    self._waiting = entries + self._waiting
                else:
                    self._waiting += left  # behind those that wait for nobody
                self._in_pass = []
                self._changed.notify_all()
                if self._closing and not patient and (left is None or not without(self._waiting, left)):
                    return
                if left is None:
                    self._changed.wait_for(lambda: self._closing, RETRY_SECONDS)
                elif len(left) == len(entries):  # nobody's turn has come
                    self._idle(len(self._waiting))
        self.drop_finished()

    def _next_pass(self) -> list[Entry]:
        """Requests within the bounds, at least one; none when closing and nothing is left."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._changed.wait_for(self._is_due, max(0.0, self._last_pass + PACE_SECONDS - time.monotonic()))
            self._last_pass = time.monotonic()
            self._number += 1
            size = spans = count = 0
            for entry in self._waiting:
                size += entry.held
                spans += entry.spans
                if count and (size > PASS_BYTES or spans > PASS_SPANS):
                    break
                count += 1
            self._in_pass, self._waiting = self._waiting[:count], self._waiting[count:]
            return self._in_pass

    def _is_due(self) -> bool:
        return self._closing or self._bytes >= PASS_BYTES or self._last_pass == 0.0

    def _idle(self, known: int) -> None:
        self._changed.wait_for(lambda: not self._is_patient() or len(self._waiting) > known, IDLE_SECONDS)

    def _is_patient(self) -> bool:
        """Nobody asks that all is stored at once, and there is room for what may wait."""
        return not (self._closing or self._settling) and self._bytes < PASS_BYTES

    def _attempt(self, entries: list[Entry], patient: bool) -> list[Entry] | None:
        """Store entries; gives those that wait for others, or None when all must be tried again."""
        aside: set[bytes] = set()

        def put_aside(entry: Entry, reason: str) -> None:
            aside.add(entry.digest)
            self.unreadable(entry, reason)

        try:
            left = decode(entries, self.receiver, put_aside, patient)
            settle_what_waits()
        except Exception as error:  # the thread must outlive whatever a request does
            if not isinstance(error, OtlpError):
                log.exception("spans were not stored")
            log.error("spans of acknowledged requests wait in the inbox", requests=len(entries), reason=str(error))
            return None
        stored = without(entries, left)
        for entry in stored:
            if entry.duplicate or entry.digest not in aside:
                self.decoded(entry)
        with self._changed:
            for entry in stored:
                self._unfinished[entry.segment] -= 1
                self._bytes -= entry.held
        self.drop_finished()
        return left

    def _oldest_seconds(self) -> float:
        """How long the oldest request that is not stored has waited, of those that need not wait."""
        now = time.monotonic()
        with self._changed:
            due = (each for each in (*self._in_pass, *self._waiting) if each.not_before <= now)
            oldest = next(due, None)
            return now - self._born[oldest.segment] if oldest else 0.0

    def drop_finished(self) -> None:
        """Remove the segments from the inbox whose requests are all stored."""
        with self._changed:
            current = f"{self.receiver}-{self._number}"
            finished = [name for name, left in self._unfinished.items() if left == 0 and name != current]
        if not finished:
            return
        try:
            inbox.drop(finished)
        except OtlpError:
            return  # they are tried again after the next pass
        with self._changed:
            for segment in finished:
                del self._unfinished[segment]
                self._born.pop(segment, None)
