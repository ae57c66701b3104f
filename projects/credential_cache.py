"""What credentials.py keeps in memory: answers by secret, and whether PostgreSQL is away."""

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from django.db import DEFAULT_DB_ALIAS, Error, connections

log = structlog.get_logger(__name__)

ASK_AGAIN_SECONDS: Final = 20.0  # from here on, one request asks; the others still go by the old answer
FRESH_SECONDS: Final = 30.0  # from here on, nobody goes by it
OUTAGE_SECONDS: Final = 600.0  # unless PostgreSQL is away
PROBE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Credential:
    """What a secret opens: one project, with the key's scopes ("ingest", "read") and the project's limits."""

    project_id: UUID
    key_id: UUID
    scopes: frozenset[str]
    max_requests_per_minute: int | None = None
    max_spans_per_minute: int | None = None


class InvalidCredential(Exception):
    """The secret opens nothing. `reason` may be told to the client: malformed, unknown, expired, revoked,
    project_deleted or token; str() is a sentence.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What PostgreSQL said about a secret, and when (seconds of time.time())."""

    credential: Credential | None
    asked_at: float
    valid_until: float = math.inf  # the end of the key or token itself
    refusal: tuple[str, str] = ("", "")  # reason and message, without a credential

    def is_younger_than(self, seconds: float) -> bool:
        now = time.time()
        return 0 <= now - self.asked_at < seconds and now < self.valid_until

    def result(self) -> Credential:
        if self.credential is None:
            raise InvalidCredential(*self.refusal)
        return self.credential


class Answers:
    """The newest `limit` answers; the oldest makes room for the newest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, Answer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, name: bytes) -> Answer | None:
        return self._entries.get(name)

    def put(self, name: bytes, answer: Answer) -> None:
        with self._lock:
            self._entries[name] = answer
            self._entries.move_to_end(name)
            while len(self._entries) > self._limit:
                self._entries.popitem(last=False)

    def discard(self, name: bytes) -> None:
        with self._lock:
            self._entries.pop(name, None)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


class Asking:
    """The secrets that a thread is asking about just now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[bytes, int] = {}

    def __contains__(self, name: bytes) -> bool:
        return name in self._names

    def begin(self, name: bytes) -> None:
        with self._lock:
            self._names[name] = self._names.get(name, 0) + 1

    def end(self, name: bytes) -> None:
        with self._lock:
            self._names[name] -= 1
            if not self._names[name]:
                del self._names[name]


class Outage:
    """Whether PostgreSQL is away. While it is, a thread of its own asks for it every five seconds and no request
    does: one that has to wait for the connection's time-out would outlast its client.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._over.set()

    def __bool__(self) -> bool:
        return not self._over.is_set()

    def begin(self, error: Error) -> None:
        with self._lock:
            if self._over.is_set():
                self._over.clear()
                log.warning("credential store is away", error=type(error).__name__)
                threading.Thread(target=self._watch, name="credential-store-watch", daemon=True).start()

    def end(self) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(PROBE_SECONDS):
            if postgres_answers():
                log.info("credential store is back")
                self.end()


def postgres_answers() -> bool:
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    finally:
        give_back_connection()
    return True


def give_back_connection() -> None:
    """No request ends here, so nothing else would return the thread's connection to the pool."""
    connection = connections[DEFAULT_DB_ALIAS]
    if not connection.in_atomic_block:
        connection.close()
