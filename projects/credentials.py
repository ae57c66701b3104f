"""Who a machine is: API keys and project tokens, checked for every request of the receiver and the API.

Answers are kept for 30 s at most, right and wrong ones, so that a busy client costs one look-up in 20 s and a client
with a dead key cannot hammer PostgreSQL. It also is the promise to operators: a revoked key or a deleted project stops
within 30 s in every process. When PostgreSQL is away, keys that were good in the last 10 minutes keep working, and
for others the answer is "ask again later", never "wrong key": an exporter throws its spans away on a 401.

Imports nothing of pages or the admin, for the receiver loads it too. All functions may be called from any thread.
"""

import base64
import hashlib
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NewType

import structlog
from django.db import Error, transaction

from .credential_cache import (
    ASK_AGAIN_SECONDS,
    FRESH_SECONDS,
    OUTAGE_SECONDS,
    Answer,
    Answers,
    Asking,
    Credential,
    InvalidCredential,
    Outage,
    give_back_connection,
)
from .digests import PREFIX_LENGTH, canonical, matches
from .models import ApiKey, KeyStatus
from .tokens import InvalidToken, ProjectToken, read_project_token

__all__ = [
    "Credential",
    "CredentialStoreUnavailable",
    "InvalidCredential",
    "authenticate",
    "forget",
    "peek",
    "secret_from_basic",
    "secret_from_headers",
]

log = structlog.get_logger(__name__)

MAX_ENTRIES: Final = 20_000
LAST_USED_STEP: Final = timedelta(hours=1)
HEADERS: Final = ("x-api-key", "x-agentops-api-key")
ApiKeyText = NewType("ApiKeyText", str)
_BASIC = re.compile(r"\s*basic(?:\s|%20)+(\S+)\s*", re.IGNORECASE)
_BEARER = re.compile(r"\s*bearer(?:\s|%20)+(\S+)\s*", re.IGNORECASE)

# Two caches, so that a flood of wrong secrets never pushes out a good one.
_good = Answers(MAX_ENTRIES)
_bad = Answers(MAX_ENTRIES)
_asking = Asking()
_outage = Outage()


class CredentialStoreUnavailable(Exception):
    """PostgreSQL cannot be asked and the secret was not seen lately: the client should try again later (503)."""


def forget() -> None:
    """Empty the cache of this process."""
    _good.clear()
    _bad.clear()
    _outage.end()


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


def secret_from_basic(headers: Mapping[str, str]) -> str | None:
    """The password of HTTP Basic, whoever the user, or None: where a client has a public and a secret key."""
    found = _BASIC.fullmatch(next((value for name, value in headers.items() if name.lower() == "authorization"), ""))
    if found is None:
        return None
    try:
        pair = base64.b64decode(found[1], validate=True).decode()
    except ValueError:
        return None
    return pair.partition(":")[2].strip() or None


def peek(secret: str) -> Credential | None:
    """`authenticate` without waiting: None when PostgreSQL must be asked. Raises InvalidCredential."""
    name = _name(secret)
    good = _good.get(name)
    if good is not None and good.is_younger_than(FRESH_SECONDS if name in _asking else ASK_AGAIN_SECONDS):
        return good.result()
    bad = _bad.get(name)
    return bad.result() if bad is not None and bad.is_younger_than(FRESH_SECONDS) else None


def authenticate(secret: str, *, confirmed: bool = False) -> Credential:
    """What an API key (a UUID) or a project token opens.

    `confirmed` asks PostgreSQL even when the secret was good a moment ago: who gets a token for a key that has just
    ended believes for 30 days that it can send. While PostgreSQL is away, what is remembered counts here too.

    Raises InvalidCredential when it opens nothing, and CredentialStoreUnavailable when that cannot be found out.
    May wait for PostgreSQL, as long as the connection's time-out.
    """
    known = peek(secret)
    if known is not None and not confirmed:
        return known
    name = _name(secret)
    question = _read(secret)
    if isinstance(question, Answer):
        _bad.put(name, question)
        return question.result()
    if _outage:
        return _without_store(name)
    _asking.begin(name)
    give_back_connection()  # the pool checks those it hands out; one that this thread kept may be broken
    try:
        answer = _look_up(question)
    except Error as error:
        _outage.begin(error)
        return _without_store(name)
    finally:
        _asking.end(name)
        give_back_connection()
    (_bad if answer.credential is None else _good).put(name, answer)
    (_good if answer.credential is None else _bad).discard(name)
    return answer.result()


def _without_store(name: bytes) -> Credential:
    answer = _good.get(name)
    if answer is not None and answer.is_younger_than(OUTAGE_SECONDS):
        return answer.result()
    raise CredentialStoreUnavailable("The key cannot be checked now, for PostgreSQL does not answer. Try again.")


def _name(secret: str) -> bytes:
    """The cache holds no secrets, and a long token takes no more room than a key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _read(secret: str) -> ApiKeyText | ProjectToken | Answer:
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


def _look_up(question: ApiKeyText | ProjectToken) -> Answer:
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
        .only(
            "digest",
            "scopes",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "project__deleted_at",
            "project__max_requests_per_minute",
            "project__max_spans_per_minute",
        )
    )


def _answer_for(key: ApiKey, valid_until: datetime | None = None) -> Answer:
    now = datetime.now(UTC)
    if key.status(now) == KeyStatus.REVOKED:
        return _refused("revoked", "This API key was revoked.")
    if key.status(now) == KeyStatus.EXPIRED:
        return _refused("expired", "This API key has expired.")
    if not key.project.is_active:
        return _refused("project_deleted", "The project of this API key was deleted.")
    _note_use(key, now)
    ends = [end.timestamp() for end in (key.expires_at, valid_until) if end is not None]
    return Answer(
        credential=Credential(
            project_id=key.project_id,
            key_id=key.pk,
            scopes=frozenset(key.scopes),
            max_requests_per_minute=key.project.max_requests_per_minute,
            max_spans_per_minute=key.project.max_spans_per_minute,
        ),
        asked_at=now.timestamp(),
        valid_until=min(ends, default=float("inf")),
    )


def _refused(reason: str, message: str) -> Answer:
    return Answer(credential=None, asked_at=time.time(), refusal=(reason, message))


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
