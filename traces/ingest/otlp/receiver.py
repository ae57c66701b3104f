"""What every door of the receiver (HTTP, the web process, gRPC) does with an export request."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from typing import TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import close_old_connections

from projects import credentials
from traces.ingest.inbox.commit import GroupCommitter
from traces.ingest.inbox.keeper import Keeper
from traces.ingest.inbox.table import Entry
from traces.ingest.inbox.worker import Decoder
from traces.ingest.receipts.booking import book

from . import outcomes
from .errors import Forbidden, OtlpError, Unauthenticated, Unavailable
from .inflate import inflate
from .rate import limiter
from .request import ExportRequest, read_request
from .signals import TRACES, Signal

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")

# Threads of their own, for each keeps its PostgreSQL connection; asyncio.to_thread would open one for every call.
_look_ups = ThreadPoolExecutor(max_workers=4, thread_name_prefix="otlp-auth")
SMALL_BODY = 64 * 1024  # bytes that are read faster than a thread is started
MAX_SAID = 10_000
_said: set[tuple[UUID, str]] = set()  # key and signal


@cache
def committer() -> GroupCommitter:
    """The one committer of this process."""
    # `book` is looked up when it is called: a test puts one of its own there.
    return GroupCommitter(Decoder(lambda entry: book.accepted(entry), lambda *what: book.unreadable(*what)))


@cache
def _keeper() -> Keeper:
    return Keeper(committer().decoder)


def forget() -> None:
    """Begin anew with the next request, after `close`."""
    committer.cache_clear()
    _keeper.cache_clear()


def start() -> None:
    """Look after the inbox from now on."""
    _keeper().start()


async def authenticate(headers: Mapping[str, str], basic: bool = False) -> credentials.Credential:
    """The project behind the request's API key or token; `basic` takes it as the password of HTTP Basic, too.

    Raises Unauthenticated, Forbidden (a key without the scope ingest) or Unavailable.
    """
    secret = (credentials.secret_from_basic(headers) if basic else None) or credentials.secret_from_headers(headers)
    if secret is None:
        raise Unauthenticated(
            "No API key: send the header 'Authorization: Bearer <key>' or 'x-api-key: <key>' with a key of the project."
        )
    try:
        credential = credentials.peek(secret)
        if credential is None:
            credential = await look_up(partial(credentials.authenticate, secret))
    except credentials.InvalidCredential as error:
        raise Unauthenticated(str(error)) from None
    except credentials.CredentialStoreUnavailable as error:
        raise Unavailable(str(error)) from None
    if "ingest" not in credential.scopes:
        with refused(credential):
            raise Forbidden("This API key may read but not send: make one with the scope 'ingest'.")
    return credential


async def look_up(ask: Callable[[], Answer]) -> Answer:
    """What PostgreSQL says."""

    def asked() -> Answer:
        try:
            return ask()
        finally:
            close_old_connections()  # what the end of a request does in the web process

    return await asyncio.get_running_loop().run_in_executor(_look_ups, asked)


@contextmanager
def refused(credential: credentials.Credential) -> Iterator[None]:
    """Writes an OtlpError that is raised within onto the key's receipt."""
    try:
        yield
    except OtlpError as error:
        book.refused(credential, error)
        raise


async def receive(
    credential: credentials.Credential, body: bytes, content_type: str, encoding: str, signal: Signal = TRACES
) -> ExportRequest:
    """Write one request down; returns when ClickHouse has committed it, with what was kept and what was rejected.

    Raises OtlpError.
    """
    limiter.check(credential)
    if len(body) <= SMALL_BODY and not encoding:
        request, size = read_request(body, content_type, credential.project_id, signal), len(body)
    else:
        request, size = await asyncio.to_thread(_inflate_and_read, body, content_type, encoding, credential, signal)
    if outcomes.may_be_known(request) and await look_up(partial(outcomes.tell, request)):
        await asyncio.sleep(outcomes.SOON_SECONDS)
        await look_up(partial(outcomes.tell, request))
    entry = Entry.of(credential, request, size)
    await asyncio.wrap_future(committer().submit(entry))
    limiter.count_spans(credential, request.spans)
    if request.not_stored:
        _say_once(credential, signal)
    if not request.spans:
        book.accepted(entry)
    return request


def close() -> None:
    """Store what waits and write the receipts. Blocks."""
    _keeper().close()
    committer().close()
    book.close()


def _inflate_and_read(
    body: bytes, content_type: str, encoding: str, credential: credentials.Credential, signal: Signal
) -> tuple[ExportRequest, int]:
    inflated = inflate(body, encoding, settings.OTLP_MAX_INFLATED_BYTES)
    return read_request(inflated, content_type, credential.project_id, signal), len(inflated)


def _say_once(credential: credentials.Credential, signal: Signal) -> None:
    """In the log, for exporters that are told by a partial success print it at every export; receipts count on."""
    if (credential.key_id, signal.name) in _said:
        return
    if len(_said) >= MAX_SAID:
        _said.clear()
    _said.add((credential.key_id, signal.name))
    log.info("what a client sends is accepted and not stored", signal=signal.name, key=str(credential.key_id))
