"""Who a machine is: API keys and project tokens, checked for every request of the receiver and the API.

Answers are kept for 30 s, right and wrong ones, so that a busy client costs one look-up in 30 s and a client with a
dead key cannot hammer PostgreSQL. It also is the promise to operators: a revoked key or a deleted project stops
within 30 s in every process. When PostgreSQL is away, keys that were good in the last 10 minutes keep working, and
for others the answer is "ask again later", never "wrong key": an exporter throws its spans away on a 401.

Imports nothing of pages or the admin, for the receiver loads it too. All functions may be called from any thread.
"""

import hashlib
import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NewType
from uuid import UUID

import structlog
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction

from .digests import PREFIX_LENGTH, canonical, matches
from .models import ApiKey, KeyStatus
from .tokens import InvalidToken, ProjectToken, read_project_token

log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 30.0
STALE_SECONDS: Final = 600.0
PROBE_SECONDS: Final = 5.0  # how often one request asks a PostgreSQL that did not answer
MAX_ENTRIES: Final = 20_000
LAST_USED_STEP: Final = timedelta(hours=1)
HEADERS: Final = ("x-api-key", "x-agentops-api-key")
ApiKeyText = NewType("ApiKeyText", str)
_BEARER = re.compile(r"\s*bearer(?:\s|%20)+(\S+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Credential:
    """What a secret opens: one project, with the key's scopes ("ingest", "read")."""

    project_id: UUID
    key_id: UUID
    scopes: frozenset[str]


class InvalidCredential(Exception):
    """The secret opens nothing. `reason` may be told to the client: malformed, unknown, expired, revoked,
    project_deleted or token; str() is a sentence.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class CredentialStoreUnavailable(Exception):
    """PostgreSQL cannot be asked and the secret was not seen lately: the client should try again later (503)."""


@dataclass(frozen=True, slots=True)
class _Answer:
    credential: Credential | None
    asked_at: float  # on time.time(): every limit below is at most minutes, and a suspended machine's clock moves on
    valid_until: float = math.inf  # the end of the key or token itself
    refusal: tuple[str, str] = ("", "")  # reason and message, without a credential

    def is_fresh(self, now: float) -> bool:
        return 0 <= now - self.asked_at < FRESH_SECONDS and now < self.valid_until

    def is_usable_in_outage(self, now: float) -> bool:
        return self.credential is not None and 0 <= now - self.asked_at < STALE_SECONDS and now < self.valid_until

    def result(self) -> Credential:
        if self.credential is None:
            raise InvalidCredential(*self.refusal)
        return self.credential


class _Answers:
    """The newest `limit` answers by secret; the oldest makes room for the newest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, _Answer] = OrderedDict()

    def get(self, name: bytes) -> _Answer | None:
        return self._entries.get(name)

    def put(self, name: bytes, answer: _Answer) -> None:
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


class _Outage:
    """Whether PostgreSQL is away. While it is, one request in five seconds may ask it; no other waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_probe: float | None = None

    def may_ask(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if self._next_probe is None:
                return True
            if now < self._next_probe:
                return False
            self._next_probe = now + PROBE_SECONDS
            return True

    def began(self) -> None:
        with self._lock:
            self._next_probe = time.monotonic() + PROBE_SECONDS

    def ended(self) -> None:
        with self._lock:
            self._next_probe = None


# Two caches, so that a flood of wrong secrets never pushes out a good one.
_good = _Answers(MAX_ENTRIES)
_bad = _Answers(MAX_ENTRIES)
_outage = _Outage()


def forget() -> None:
    """Empty the cache of this process."""
    _good.clear()
    _bad.clear()
    _outage.ended()


def secret_from_headers(headers: Mapping[str, str]) -> str | None:
    """The API key or token of a request, or None. `headers` has any spelling of names.

    `Authorization: Bearer x` goes first, the scheme in any case and followed by a blank or, for LiteLLM does not
    decode OTEL_EXPORTER_OTLP_HEADERS, by `%20`; then `x-api-key` and `x-agentops-api-key`.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    found = _BEARER.fullmatch(lower.get("authorization", ""))
    if found:
        return found[1]
    return next((value for name in HEADERS if (value := lower.get(name, "").strip())), None)


def peek(secret: str) -> Credential | None:
    """`authenticate` without waiting: None when PostgreSQL must be asked. Raises InvalidCredential."""
    name = _name(secret)
    now = time.time()
    for answers in (_good, _bad):
        answer = answers.get(name)
        if answer is not None and answer.is_fresh(now):
            return answer.result()
    return None


def authenticate(secret: str) -> Credential:
    """What an API key (a UUID) or a project token opens.

    Raises InvalidCredential when it opens nothing, and CredentialStoreUnavailable when that cannot be found out.
    May wait for PostgreSQL, at most 5 s for a connection.
    """
    known = peek(secret)
    if known is not None:
        return known
    name = _name(secret)
    question = _read(secret)
    if isinstance(question, _Answer):
        _bad.put(name, question)
        return question.result()
    if not _outage.may_ask():
        return _without_store(name)
    try:
        answer = _look_up(question)
    except Error as error:
        _outage.began()
        log.warning("credential store unavailable", error=type(error).__name__)
        _close_broken_connection()
        return _without_store(name)
    _outage.ended()
    (_bad if answer.credential is None else _good).put(name, answer)
    (_good if answer.credential is None else _bad).discard(name)
    return answer.result()


def _without_store(name: bytes) -> Credential:
    answer = _good.get(name)
    if answer is not None and answer.is_usable_in_outage(time.time()):
        return answer.result()
    raise CredentialStoreUnavailable("The key cannot be checked now, for PostgreSQL does not answer. Try again.")


def _name(secret: str) -> bytes:
    """The cache holds no secrets, and a long token takes no more room than a key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _read(secret: str) -> ApiKeyText | ProjectToken | _Answer:
    """What the text is, without PostgreSQL: a key, a token whose signature is right, or a refusal."""
    key_text = canonical(secret)
    if key_text is not None:
        return ApiKeyText(key_text)
    if secret.count(".") != 2:
        return _refused("malformed", "This is neither an API key nor a project token.")
    try:
        return read_project_token(secret)
    except InvalidToken as error:
        return _refused("token", str(error))


def _look_up(question: ApiKeyText | ProjectToken) -> _Answer:
    connections[DEFAULT_DB_ALIAS].close_if_unusable_or_obsolete()  # no request signal does it for a thread
    if isinstance(question, ProjectToken):
        for key in _keys(pk=question.key_id, project_id=question.project_id):
            return _answer_for(key, valid_until=question.expires_at)
        return _refused("unknown", "The key of this token is not known here.")
    for key in _keys(prefix=question[:PREFIX_LENGTH]):
        if matches(question, key.digest):
            return _answer_for(key)
    return _refused("unknown", "This API key is not known here.")


def _keys(**condition: object) -> list[ApiKey]:
    return list(
        ApiKey.objects.filter(**condition)
        .select_related("project")
        .only("digest", "scopes", "expires_at", "revoked_at", "last_used_at", "project__deleted_at")
    )


def _answer_for(key: ApiKey, valid_until: datetime | None = None) -> _Answer:
    now = datetime.now(UTC)
    if key.status(now) == KeyStatus.REVOKED:
        return _refused("revoked", "This API key was revoked.")
    if key.status(now) == KeyStatus.EXPIRED:
        return _refused("expired", "This API key has expired.")
    if not key.project.is_active:
        return _refused("project_deleted", "The project of this API key was deleted.")
    _note_use(key, now)
    ends = [end.timestamp() for end in (key.expires_at, valid_until) if end is not None]
    return _Answer(
        credential=Credential(project_id=key.project_id, key_id=key.pk, scopes=frozenset(key.scopes)),
        asked_at=now.timestamp(),
        valid_until=min(ends, default=math.inf),
    )


def _refused(reason: str, message: str) -> _Answer:
    return _Answer(credential=None, asked_at=time.time(), refusal=(reason, message))


def _note_use(key: ApiKey, now: datetime) -> None:
    """Write `last_used_at` once an hour. A row that somebody holds is skipped, for no request waits for this."""
    if key.last_used_at is not None and now - key.last_used_at < LAST_USED_STEP:
        return
    try:
        with transaction.atomic():
            free = ApiKey.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=key.pk)
            if free.values_list("pk").first():
                ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    except Error as error:  # a read-only replica still answers who a key is
        log.warning("last use of a key was not written", key_id=str(key.pk), error=type(error).__name__)


def _close_broken_connection() -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    if not connection.in_atomic_block:
        connection.close()
