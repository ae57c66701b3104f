"""The short way of checks, before Django: a call of a model waits for each of them.

It takes requests in which nothing is wrong: a good key, a body that is as it should be, a rate that is not used up. All
others go the long way through Django, whose views say what is wrong; both ways ask `deciding.decide`.

Decisions are made by threads, each with a connection of its own, so that none holds up what the event loop does. Long
texts have threads of their own: they leave the others to the many short ones.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol
from uuid import uuid4

import orjson
from django.db import connections

from agentops_portal.health.metrics import observe
from agentops_portal.health.middleware import HEADER, SAFE_ID
from projects import credentials
from projects.access import has_scope
from projects.credentials import Credential, CredentialStoreUnavailable, InvalidCredential
from projects.models import KeyScope
from projects.rates import Usage, take

from . import ledger
from .api.machines import MAX_BYTES, guardrail_limit
from .deciding import Check, Verdict, decide
from .in_force import RulesUnknown

Scope = Any  # a dict, which some applications take for any mapping
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

THREADS: Final = 8
LONG_THREADS: Final = 2
LONG_BODY: Final = 64 * 1024
# Prompts are in these answers: nobody on the way keeps one.
HEADERS: Final = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store, no-cache, must-revalidate, max-age=0"),
    (b"x-content-type-options", b"nosniff"),
)


class Form(Protocol):
    """How one client asks and is answered."""

    view: str  # its name in metrics

    def is_at(self, path: str) -> bool: ...

    def check(self, credential: Credential, path: str, sent: Any) -> Check | None:
        """None: the long way has to say what this is."""

    def answer(self, verdict: Verdict) -> dict[str, Any]: ...


@dataclass(frozen=True)
class _Answered:
    body: bytes
    usage: Usage | None


class Door:
    """ASGI 3: `application`, and the short way for what `forms` know."""

    def __init__(self, application: Application, forms: Sequence[Form]) -> None:
        self._application = application
        self._forms = forms
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="guardrail")
        self._long = ThreadPoolExecutor(LONG_THREADS, thread_name_prefix="guardrail-long")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        form = self._form(scope)
        if form is None:
            await self._application(scope, receive, send)
            return
        began = time.perf_counter()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        secret = _secret(headers)
        if secret is None or not 0 < _length(headers) <= MAX_BYTES:
            await self._application(scope, receive, send)
            return
        messages = await _messages(receive)
        body = b"".join(message.get("body", b"") for message in messages)
        threads = self._threads if len(body) < LONG_BODY else self._long
        work = partial(_answered, form, secret, scope["path"], body)
        answered = await asyncio.get_running_loop().run_in_executor(threads, work)
        if answered is None:
            await self._application(scope, _again(messages, receive), send)
            return
        await _send(send, answered, headers)
        observe(form.view, "POST", 200, time.perf_counter() - began)

    async def close(self) -> None:
        """When no request comes any more: what was decided is written."""
        await asyncio.to_thread(ledger.close)

    def _form(self, scope: Scope) -> Form | None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        return next((form for form in self._forms if form.is_at(scope["path"])), None)


def _secret(headers: dict[str, str]) -> str | None:
    """None where Django has to look: no key, one that is known to be wrong, or a page of some origin."""
    if "origin" in headers or "content-encoding" in headers:
        return None
    secret = credentials.secret_from_headers(headers)
    try:
        if secret is not None:
            credentials.peek(secret)
    except InvalidCredential:
        return None
    return secret


def _length(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "")
    return int(text[:20]) if text.isdecimal() else 0


async def _messages(receive: Receive) -> list[Message]:
    """The whole body, or what came of it until the client had gone: then it is no JSON, and Django ends it."""
    messages = [await receive()]
    while messages[-1]["type"] == "http.request" and messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


def _again(messages: list[Message], receive: Receive) -> Receive:
    left = iter(messages)

    async def receive_again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return receive_again


def _answered(form: Form, secret: str, path: str, body: bytes) -> _Answered | None:
    """None: the long way has to answer."""
    try:
        credential = credentials.authenticate(secret)
        check = form.check(credential, path, orjson.loads(body)) if has_scope(credential, KeyScope.INGEST) else None
        if check is None:
            return None
        limit = guardrail_limit()
        usage = take(limit, f"key:{credential.key_id}") if limit.requests else None
        if usage is not None and not usage.allowed:
            return None
        return _Answered(orjson.dumps(form.answer(decide(check)), option=orjson.OPT_UTC_Z), usage)
    except (InvalidCredential, CredentialStoreUnavailable, orjson.JSONDecodeError, RulesUnknown):
        return None
    finally:
        for each in connections.all(initialized_only=True):
            if each.connection is not None:
                each.close()  # back to the pool: no request of Django's ends here


async def _send(send: Send, answered: _Answered, headers: dict[str, str]) -> None:
    given = headers.get(HEADER.lower(), "")
    request_id = given if SAFE_ID.fullmatch(given) else uuid4().hex
    told = [*HEADERS, (b"content-length", b"%d" % len(answered.body)), (b"x-request-id", request_id.encode())]
    if (usage := answered.usage) is not None:
        told += [
            (b"x-ratelimit-limit", b"%d" % usage.limit),
            (b"x-ratelimit-remaining", b"%d" % usage.remaining),
            (b"x-ratelimit-reset", b"%d" % usage.reset),
        ]
    await send({"type": "http.response.start", "status": 200, "headers": told})
    await send({"type": "http.response.body", "body": answered.body})
