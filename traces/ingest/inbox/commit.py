"""Group commit: requests that arrive together become one insert, and each is acknowledged when it is in the inbox.

An insert has a fixed price, so one runs at a time while the next batch gathers: throughput rises with load, and a
lone request waits for nobody.
"""

import threading
from collections import deque
from concurrent.futures import Future

import structlog
from django.conf import settings

from traces.ingest.otlp import metrics
from traces.ingest.otlp.errors import OtlpError, Overloaded, Unavailable

from . import table as inbox
from .table import Entry
from .worker import Decoder

log = structlog.get_logger(__name__)

MAX_BATCH_BYTES = 32 * 1024 * 1024
MAX_BATCH_SPANS = 20_000
GATHER_SECONDS = 0.02  # how long a batch waits for as many requests as the last one had


class Pending:
    """A request that waits; `done` says what became of it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.size = len(entry.body)
        self.done: Future[None] = Future()
        # A client that goes away cancels its wait, not the batch that carries its spans.
        self.done.set_running_or_notify_cancel()


class GroupCommitter:
    """One thread that writes what `submit` is given into the inbox. Safe to use from any thread."""

    def __init__(self, decoder: Decoder, max_queued_bytes: int | None = None) -> None:
        self.decoder = decoder
        self._limit = max_queued_bytes if max_queued_bytes is not None else settings.OTLP_MAX_QUEUED_BYTES
        self._queue: deque[Pending] = deque()
        self._queued_bytes = 0  # waiting and in flight
        self._changed = threading.Condition()
        self._last_count = 1
        self._closing = False
        self._thread: threading.Thread | None = None

    def submit(self, entry: Entry) -> "Future[None]":
        """A future that is done when the request is committed, or holds the OtlpError that says why it is not.

        Raises Overloaded when too many bytes wait already, to be acknowledged or to be decoded.
        """
        pending = Pending(entry)
        if not entry.spans:
            pending.done.set_result(None)
            return pending.done
        with self._changed:
            if self._closing:
                raise Unavailable("The receiver is shutting down; send it again.")
            held = self._queued_bytes + self.decoder.bytes
            if held and held + pending.size > self._limit:
                raise Overloaded("The receiver is busy: too much is waiting to be stored. Send it again later.")
            self._queued_bytes += pending.size
            self._queue.append(pending)
            metrics.QUEUED_BYTES.set(self._queued_bytes)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="otlp-commit", daemon=True)
                self._thread.start()
            if len(self._queue) == 1 or self._is_complete():
                self._changed.notify()
        return pending.done

    def settle(self) -> None:
        """Wait until the spans of every acknowledged request are stored. Raises TimeoutError."""
        self.decoder.settle()

    def close(self, timeout: float = 10.0) -> None:
        """Acknowledge what waits, store its spans, then stop. What is not committed after `timeout` is refused."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout)
        for pending in self._queue:
            pending.done.set_exception(Unavailable("The receiver stopped before this was stored; send it again."))
        self.decoder.close(timeout)

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                self._commit(batch)
            except Exception as error:  # the thread must outlive whatever a batch does
                refusal = error
                if not isinstance(error, OtlpError):
                    log.exception("a batch was not stored", requests=len(batch))
                    refusal = Unavailable("Storing failed; send it again.")
                for pending in batch:
                    pending.done.set_exception(refusal)
            else:
                for pending in batch:
                    pending.done.set_result(None)
            with self._changed:
                self._queued_bytes -= sum(pending.size for pending in batch)
                metrics.QUEUED_BYTES.set(self._queued_bytes)

    def _commit(self, batch: list[Pending]) -> None:
        entries = [pending.entry for pending in batch]
        metrics.BATCH_REQUESTS.observe(len(batch))
        with self.decoder.writing(entries) as segment, metrics.INSERT_SECONDS.time():
            try:
                inbox.put(entries, segment)
            except Unavailable:
                # Most often an idle connection that a restarted ClickHouse has closed. Twice in a segment is once.
                inbox.put(entries, segment)

    def _next_batch(self) -> list[Pending]:
        """The next requests within the bounds, at least one; none when closing and empty.

        Clients that were answered together send again together. Waiting a moment for all of them makes one insert
        of what would be two that each pay the fixed price; a client that is alone waits for nobody.
        """
        with self._changed:
            while not self._queue:
                if self._closing:
                    return []
                self._changed.wait()
            self._changed.wait_for(self._is_complete, GATHER_SECONDS)
        self.decoder.wait_for_room()
        batch: list[Pending] = []
        size = spans = 0
        with self._changed:
            while self._queue:
                head = self._queue[0]
                size += head.size
                spans += head.entry.spans
                if batch and (size > MAX_BATCH_BYTES or spans > MAX_BATCH_SPANS):
                    break
                batch.append(self._queue.popleft())
        self._last_count = len(batch)
        return batch

    def _is_complete(self) -> bool:
        return len(self._queue) >= self._last_count or self._queued_bytes >= MAX_BATCH_BYTES or self._closing
