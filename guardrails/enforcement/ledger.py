"""Decisions are written beside the requests, many at once, and those that no client traces become spans.

A block is answered once its row is written, together with what waits. Of what passed, a process that is killed loses
the rows of the last third of a second, never what was decided. While PostgreSQL is away rows wait, those of blocks too,
and the log says so. A row that is written twice is one row, for its id is the decision's.
"""

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

import structlog
from django.db import Error, close_old_connections
from django.db.utils import DataError, IntegrityError

from traces.ingest.otlp.errors import OtlpError

from . import spans
from .models import Decision

if TYPE_CHECKING:
    from .deciding import Check

log = structlog.get_logger(__name__)

PACE_SECONDS: Final = 0.3
LONGEST_PACE: Final = 30.0  # while PostgreSQL is away
MOST_WAITING: Final = 50_000
MOST_AT_ONCE: Final = 1_000


class Ledger:
    """The decisions of one process that wait to be written. Safe to use from any thread."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Decision, Check]] = deque(maxlen=MOST_WAITING)
        self._unsent: deque[tuple[Decision, Check]] = deque(maxlen=MOST_WAITING)  # written, and no span of it yet
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._is_away = False
        self._thread: threading.Thread | None = None

    def note(self, decision: Decision, check: "Check") -> None:
        with self._lock:
            if len(self._waiting) == MOST_WAITING:
                log.error("decisions are lost: they cannot be written")
            self._waiting.append((decision, check))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="guardrail-ledger", daemon=True)
                self._thread.start()

    def note_block(self, decision: Decision, check: "Check") -> None:
        """Note it and wait until it is written, unless PostgreSQL is known to be away."""
        self.note(decision, check)
        if self._is_away:
            return
        try:
            self._write()
        except Error as error:
            log.error("a block is answered and not written yet", decision=str(decision.pk), error=type(error).__name__)

    def flush(self) -> None:
        """Write what waits, and send what has to become spans. Raises Error; then it still waits."""
        self._write()
        unsent = [self._unsent.popleft() for _ in range(len(self._unsent))]
        for at in range(0, len(unsent), MOST_AT_ONCE):
            _send(unsent[at : at + MOST_AT_ONCE])

    def _write(self) -> None:
        """Once it returns, what waited when it was called is written, by whomever."""
        with self._writing:
            while batch := self._next():
                try:
                    _write([decision for decision, _ in batch])
                except Error:
                    self._is_away = True
                    with self._lock:
                        self._waiting.extendleft(reversed(batch))
                    raise
                self._is_away = False
                self._unsent.extend((decision, check) for decision, check in batch if not check.is_traced)

    def close(self) -> None:
        """At the end of a process. What cannot be written then is lost, and the log says so."""
        try:
            self.flush()
        except Error as error:
            log.error("decisions are lost", error=type(error).__name__, decisions=len(self._waiting))
        finally:
            close_old_connections()

    def forget(self) -> None:
        with self._lock:
            self._waiting.clear()
            self._unsent.clear()

    def _next(self) -> list[tuple[Decision, "Check"]]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]

    def _run(self) -> None:
        pace = PACE_SECONDS
        while True:
            time.sleep(pace)
            try:
                self.flush()
                pace = PACE_SECONDS
            except Error as error:
                pace = min(2 * pace, LONGEST_PACE)
                log.warning("decisions wait to be written", error=type(error).__name__, waiting=len(self._waiting))
            except Exception:  # the thread must outlive whatever a batch does
                log.exception("decisions were not written")
            finally:
                close_old_connections()


_ledger = Ledger()
note = _ledger.note
note_block = _ledger.note_block
flush = _ledger.flush
close = _ledger.close
forget = _ledger.forget


def _write(decisions: list[Decision]) -> None:
    try:
        Decision.objects.bulk_create(decisions, ignore_conflicts=True)
    except (IntegrityError, DataError):  # a project was deleted meanwhile; one row keeps no other back
        for decision in decisions:
            _write_alone(decision)


def _write_alone(decision: Decision) -> None:
    try:
        decision.save(force_insert=True)
    except IntegrityError:
        log.info("a decision of a project that is gone", project=str(decision.project_id))
    except DataError as error:
        log.error("a decision cannot be written", project=str(decision.project_id), reason=str(error)[:200])


def _send(batch: list[tuple[Decision, "Check"]]) -> None:
    try:
        spans.send(batch)
    except OtlpError as error:
        log.warning("spans of decisions are not stored", error=str(error))
