"""Keeps the inbox: shows that this receiver is alive, stores what dead ones left behind, sees to traces that wait to be
judged.

A receiver that holds requests for long touches their segments. One that did not change while this process could see
it for STALE_SECONDS has nobody any more. Of several receivers that notice, the one that gets the lock stores it.
"""

import threading
import time

import structlog
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection, transaction

from traces.ingest.otlp.errors import OtlpError

from . import table as inbox
from .storing import decode, settle_what_waits
from .table import RECEIVER_LENGTH
from .worker import Decoder

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
STALE_SECONDS = 20.0
LOCK = 0x0071_B0C5  # of pg_advisory_xact_lock: whoever holds it recovers


class Keeper:
    """One thread that looks into the inbox every few seconds."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._seen: dict[str, tuple[int, float]] = {}  # segment → rows, and since when there are so many
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def look(self) -> None:
        """One round. Raises OtlpError when ClickHouse does not answer: then nothing counts as unchanged."""
        self._decoder.drop_finished()
        for segment in self._decoder.old_segments(LOOK_SECONDS):
            inbox.touch(segment)
        now = time.monotonic()
        rows = inbox.rows_of_others(self._decoder.receiver)
        self._seen = {
            segment: self._seen[segment] if self._seen.get(segment, (0, 0))[0] == count else (count, now)
            for segment, count in rows.items()
        }
        stale = [segment for segment, (_, since) in self._seen.items() if now - since >= STALE_SECONDS]
        if stale:
            self._recover(stale)
        settle_what_waits()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            try:
                self.look()
            except OtlpError:
                self._seen.clear()
            except Exception:  # the thread must outlive whatever it finds
                log.exception("looking after the inbox failed")

    def _recover(self, segments: list[str]) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
                if cursor.fetchone() == (True,):
                    for segment in segments:
                        self._recover_segment(segment)
        except DatabaseError as error:
            log.warning("the inbox of a receiver that is gone waits for PostgreSQL", error=type(error).__name__)
        finally:
            close_old_connections()

    def _recover_segment(self, segment: str) -> None:
        entries = inbox.read(segment)
        for entry in entries:
            entry.tried = True  # maybe by the receiver that is gone
        if entries and decode(entries, segment[:RECEIVER_LENGTH], self._decoder.unreadable):
            return  # another look, when those who were told the same first have stored it
        inbox.drop([segment])
        log.warning("stored what a receiver left behind when it ended", requests=len(entries))
        for entry in entries:
            self._decoder.decoded(entry)
