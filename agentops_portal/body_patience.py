"""Limits for the time that a request's body may take, and for how many may be on their way.

Neither granian nor Django has any: a client that sends one byte and waits would hold its connection for ever, and as
many of them as the server takes at a time would stop it for everybody.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .cross_origin import refuse

Scope = Any  # a dict, which some applications take for any mapping
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

IDLE_SECONDS = 15.0  # between two pieces
WHOLE_SECONDS = 30.0  # for the whole body, and longer the more has come
LEAST_RATE = 16 * 1024  # bytes/s
MAX_BODIES = 256  # on their way at a time in one process; above it, those that stand still are given up
STILL_SECONDS = 2.0
# An answer may come before the body's end. Closing the connection then makes the client's write fail, and the answer
# is never read; so the rest is taken for a while.
DRAIN_SECONDS = 10.0
DRAIN_BYTES = 256 * 1024 * 1024
_TIMED_OUT = "The request's body did not come in time: send it at once, or in smaller parts."


class BodyPatience:
    """ASGI 3: `application`, with 408 for bodies that do not come.

    When more than `most` bodies are on their way, those that stand still are given up.
    """

    def __init__(self, application: Application, most: int = MAX_BODIES) -> None:
        self._application = application
        self._most = most
        self._waiting: OrderedDict[_Body, None] = OrderedDict()  # those that stood still for longest come first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._application(scope, receive, send)
            return
        body = _Body(receive, send, self._waiting)
        self._waiting[body] = None
        self._make_room()
        try:
            try:
                await self._application(scope, body.receive, body.send)
            except Exception:
                if not body.timed_out:  # else it is only what the application makes of a client that has gone
                    raise
            if body.timed_out and not body.answered:
                await refuse(scope, send, 408, {"detail": _TIMED_OUT, "message": _TIMED_OUT})
            elif not body.ended and not _waits_for_consent(scope):
                await body.drain()
        finally:
            self._waiting.pop(body, None)

    def _make_room(self) -> None:
        while len(self._waiting) > self._most:
            body = next(iter(self._waiting))
            if not body.stands_still:
                return
            del self._waiting[body]
            body.give_up()


class _Body:
    """One request's body, as long as it is on its way."""

    def __init__(self, receive: Receive, send: Send, waiting: "OrderedDict[_Body, None]") -> None:
        self._receive = receive
        self._send = send
        self._waiting = waiting
        self._begun = self._moved = time.monotonic()
        self._size = 0
        self._timeout: asyncio.Timeout | None = None
        self._given_up = False
        self.ended = False
        self.timed_out = False
        self.answered = False

    async def receive(self) -> Message:
        """The next event; for the application a client that takes too long has gone."""
        if self.ended:
            return await self._receive()  # nothing but the end of the connection comes any more
        if self.timed_out:
            return {"type": "http.disconnect"}
        whole = self._begun + WHOLE_SECONDS + self._size / LEAST_RATE - time.monotonic()
        try:
            return await self._next(min(IDLE_SECONDS, whole))
        except TimeoutError:
            self.timed_out = True
            return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.timed_out and not self.answered:
            return  # the answer is 408
        self.answered = True
        await self._send(message)

    async def drain(self) -> None:
        """Take what the client still sends, within bounds."""
        until = time.monotonic() + DRAIN_SECONDS
        most = self._size + DRAIN_BYTES
        try:
            while not self.ended and self._size < most:
                await self._next(until - time.monotonic())
        except TimeoutError:
            return

    @property
    def stands_still(self) -> bool:
        return time.monotonic() - self._moved > STILL_SECONDS

    def give_up(self) -> None:
        """End the wait for the next piece, and for any other."""
        self._given_up = True
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time())

    async def _next(self, seconds: float) -> Message:
        """Raises TimeoutError."""
        if self._given_up or seconds <= 0:
            raise TimeoutError
        try:
            async with asyncio.timeout(seconds) as self._timeout:
                event = await self._receive()
        finally:
            self._timeout = None
        self._moved = time.monotonic()
        self._size += len(event.get("body", b""))
        self.ended = event["type"] != "http.request" or not event.get("more_body")
        if self.ended:
            self._waiting.pop(self, None)
        elif self in self._waiting:
            self._waiting.move_to_end(self)
        return event


def _has_body(scope: Scope) -> bool:
    if scope.get("http_version") == "2":
        return True  # needs no header for it
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


def _waits_for_consent(scope: Scope) -> bool:
    """The client has asked first (`Expect: 100-continue`) and reads the answer before it sends anything."""
    return any(name == b"expect" for name, _ in scope["headers"])
