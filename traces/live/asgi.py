"""One socket of live updates, from its opening to its close."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import structlog
from django.db import Error

from agentops_portal.refusals import Refusal
from projects.credential_cache import give_back_connection
from projects.credentials import CredentialStoreUnavailable

from .access import BEARER, Request
from .hub import RESTART, TRY_AGAIN, Full, Hub, Listener

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

PATH = re.compile(r"/api/(?:agentops|monitoring)/ws/([^/]+)/?")
# A key is known for 20 s without PostgreSQL being asked (projects/credentials.py), a session is asked for each time:
# both end within 30 s of their revocation.
KEY_CHECK_SECONDS = 5.0
SESSION_CHECK_SECONDS = 20.0
SEND_SECONDS = 20.0  # a client that takes nothing for so long is gone
CLOSE_SECONDS = 2.0  # what it may take to tell a client that it is closed

# Threads of their own, for each keeps a PostgreSQL connection while it asks.
_look_ups = ThreadPoolExecutor(max_workers=2, thread_name_prefix="live-access")


class LiveUpdates:
    """ASGI application for scopes of type websocket. `close` before the process ends."""

    def __init__(self) -> None:
        self.hub = Hub()

    async def close(self) -> None:
        await self.hub.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        found = PATH.fullmatch(scope["path"])
        if found is None:
            await send({"type": "websocket.close", "code": 1000})  # before it was accepted: HTTP 403
            return
        request = Request.of(scope, found[1])
        # Accepted first, whoever it is: a browser's script is told of a close code only then.
        protocol = BEARER if scope.get("subprotocols") and scope["subprotocols"][0] == BEARER else None
        await send({"type": "websocket.accept", "subprotocol": protocol})
        try:
            self.hub.check_room()
            listener = self.hub.listen(await _checked(request))
        except Refusal as refusal:
            await _refuse(send, refusal)
        except Full:
            await _close(send, TRY_AGAIN, "Too many pages listen. Try again later.")
        except (Error, CredentialStoreUnavailable):
            await _close(send, TRY_AGAIN, "PostgreSQL does not answer. Try again later.")
        else:
            await self._serve(request, listener, receive, send)

    async def _serve(self, request: Request, listener: Listener, receive: Receive, send: Send) -> None:
        tasks = [
            asyncio.create_task(_until_disconnected(receive)),
            asyncio.create_task(_passing_on(listener, send)),
            asyncio.create_task(_guarding(request, listener.project_id)),
        ]
        try:
            waiting: list[asyncio.Future[Any]] = [*tasks, listener.ended]
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            await _cancelled(tasks[1:])
            if tasks[0] in done:
                # The client left; or the server stops, of which granian tells sockets in the same way. Then it passes
                # on a close if it has the time.
                await _close(send, RESTART, "")
            elif listener.ended in done:
                await _close(send, listener.ended.result(), "")
            elif isinstance(refusal := tasks[2].exception() if tasks[2] in done else None, Refusal):
                await _refuse(send, refusal)
        finally:
            await _cancelled(tasks)
            self.hub.leave(listener)  # at last, for a process that stops waits for this


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _checked(request: Request) -> UUID:
    return await asyncio.get_running_loop().run_in_executor(_look_ups, _check, request)


def _check(request: Request) -> UUID:
    try:
        return request.check()
    finally:
        give_back_connection()


async def _guarding(request: Request, project_id: UUID) -> None:
    """Raises a Refusal when who listens may no longer. While PostgreSQL is away nobody is sent off."""
    seconds = SESSION_CHECK_SECONDS if request.has_session_only else KEY_CHECK_SECONDS
    while True:
        await asyncio.sleep(seconds)
        try:
            await _checked(request)
        except (Error, CredentialStoreUnavailable) as error:
            log.warning("a listener could not be checked", project_id=str(project_id), error=type(error).__name__)


async def _passing_on(listener: Listener, send: Send) -> None:
    while True:
        text = await listener.queue.get()
        await asyncio.wait_for(send({"type": "websocket.send", "text": text}), SEND_SECONDS)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _refuse(send: Send, refusal: Refusal) -> None:
    """Close codes of this application: 4401, 4403, 4404."""
    await _close(send, 4000 + refusal.status, str(refusal))


async def _close(send: Send, code: int, reason: str) -> None:
    try:
        # A reason has room for 123 bytes: RFC 6455, 5.5.
        event = {"type": "websocket.close", "code": code, "reason": reason[:120]}
        await asyncio.wait_for(send(event), CLOSE_SECONDS)
    except Exception as error:  # the client went first; servers say so with exceptions of their own
        log.debug("a socket was gone before it was closed", error=type(error).__name__)
