"""Group commit: requests that arrive together become one insert, and each is acknowledged when it is stored.

An insert has a fixed price, so one runs at a time while the next batch gathers: throughput rises with load, and a
lone request waits for nobody.
"""

import threading
from collections import deque
from concurrent.futures import Future

import structlog
from django.conf import settings

from . import metrics, store
from .envelope import envelopes
from .errors import BadData, OtlpError, Overloaded, Unavailable
from .plain_text import flatten_nested
from .request import ExportRequest

log = structlog.get_logger(__name__)

MAX_BATCH_BYTES = 32 * 1024 * 1024
MAX_BATCH_SPANS = 20_000
GATHER_SECONDS = 0.02  # how long a batch waits for as many requests as the last one had


class Pending:
    """A request that waits; `done` says what became of it."""

    def __init__(self, request: ExportRequest) -> None:
        self.request = request
        self.size = len(request.body)  # as it was counted in: the body may be rewritten on its way
        self.done: Future[None] = Future()
        # A client that goes away cancels its wait, not the batch that carries its spans.
        self.done.set_running_or_notify_cancel()


class GroupCommitter:
    """One thread that stores what `submit` is given. Safe to use from any thread."""

    def __init__(self, max_queued_bytes: int | None = None) -> None:
        self._limit = max_queued_bytes if max_queued_bytes is not None else settings.OTLP_MAX_QUEUED_BYTES
        self._queue: deque[Pending] = deque()
        self._queued_bytes = 0  # waiting and in flight
        self._changed = threading.Condition()
        self._last_count = 1
        self._closing = False
        self._thread: threading.Thread | None = None

    def submit(self, request: ExportRequest) -> "Future[None]":
        """A future that is done when the request is committed, or holds the OtlpError that says why it is not.

        Raises Overloaded when too many bytes wait already.
        """
        pending = Pending(request)
        if not request.spans:
            pending.done.set_result(None)
            return pending.done
        with self._changed:
            if self._closing:
                raise Unavailable("The receiver is shutting down; send it again.")
            if self._queued_bytes and self._queued_bytes + pending.size > self._limit:
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

    def close(self, timeout: float = 10.0) -> None:
        """Store what waits, then stop. What is not stored after `timeout` seconds is refused."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout)
        for pending in self._queue:
            pending.done.set_exception(Unavailable("The receiver stopped before this was stored; send it again."))

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                commit(batch)
            except Exception as error:  # the thread must outlive whatever a batch does
                log.exception("a batch was not stored", requests=len(batch))
                refusal = error if isinstance(error, OtlpError) else Unavailable("Storing failed; send it again.")
                for pending in batch:
                    if not pending.done.done():
                        pending.done.set_exception(refusal)
            with self._changed:
                self._queued_bytes -= sum(pending.size for pending in batch)
                metrics.QUEUED_BYTES.set(self._queued_bytes)

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
        batch: list[Pending] = []
        size = spans = 0
        with self._changed:
            while self._queue:
                head = self._queue[0]
                size += head.size
                spans += head.request.spans
                if batch and (size > MAX_BATCH_BYTES or spans > MAX_BATCH_SPANS):
                    break
                batch.append(self._queue.popleft())
        self._last_count = len(batch)
        return batch

    def _is_complete(self) -> bool:
        return len(self._queue) >= self._last_count or self._queued_bytes >= MAX_BATCH_BYTES or self._closing


def commit(batch: list[Pending]) -> None:
    """Store a batch and settle each future. A request that cannot be stored fails alone.

    Nothing of a refused batch was stored, so trying again never stores a span twice.
    """
    try:
        try:
            _insert(_not_stored_before(batch))
        except store.ConnectionLost:
            # Most often an idle connection that a restarted ClickHouse has closed. What it stored is left out.
            _insert(_not_stored_before(batch))
    except store.Unreadable as error:
        if len(batch) > 1:
            for pending in batch:
                commit([pending])
            return
        log.warning("unreadable request", project_id=str(batch[0].request.project_id), reason=str(error)[:300])
        batch[0].done.set_exception(BadData("The body is not a readable OTLP request."))
    except OtlpError as error:
        for pending in batch:
            pending.done.set_exception(error)
    else:
        for pending in batch:
            pending.done.set_result(None)


def _not_stored_before(batch: list[Pending]) -> list[Pending]:
    """The first of each set of equal requests, without those that were stored lately."""
    first = {pending.request.digest: pending for pending in reversed(batch)}
    for digest in store.stored_lately(first):
        first.pop(digest).request.duplicate = True
    for pending in batch:
        pending.request.duplicate = pending.request.duplicate or first.get(pending.request.digest) is not pending
    return [pending for pending in batch if not pending.request.duplicate]


def _insert(batch: list[Pending]) -> None:
    if not batch:
        return
    metrics.BATCH_REQUESTS.observe(len(batch))
    try:
        with metrics.INSERT_SECONDS.time():
            store.insert(_joined(batch))
    except store.NestedAttribute:
        for pending in batch:
            if flatten_nested(pending.request.message):
                pending.request.body = pending.request.message.SerializeToString()
        store.insert(_joined(batch))


def _joined(batch: list[Pending]) -> bytes:
    return b"".join(
        envelopes(pending.request.body, pending.request.project_id, pending.request.digest) for pending in batch
    )
