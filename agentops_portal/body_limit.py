"""A limit for bodies of requests to Django, which alone would write all of a body to a file before it looks at it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .cross_origin import refuse

Scope = dict[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class BodyLimit:
    """ASGI 3: `application`, with 413 for bodies of more than `limit` bytes."""

    def __init__(self, application: Application, limit: int) -> None:
        self._application = application
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if _content_length(scope) > self._limit:
            await self._refuse(scope, send)
            return
        body = _Counted(receive, self._limit)
        await self._application(scope, body.receive, body.unless_exceeded(send))
        if body.is_exceeded:
            await self._refuse(scope, send)

    async def _refuse(self, scope: Scope, send: Send) -> None:
        detail = f"File size exceeds the maximum limit of {self._limit} bytes"
        await refuse(scope, send, 413, {"detail": detail})


class _Counted:
    """A body that breaks off where it exceeds the limit: for Django it is as if the client had gone."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self.is_exceeded = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.is_exceeded = True
                return {"type": "http.disconnect"}
        return message

    def unless_exceeded(self, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if not self.is_exceeded:
                await send(message)

        return guarded


def _content_length(scope: Scope) -> int:
    """What the header says; 0 without one, for then the bytes are counted."""
    text = next((value for name, value in scope["headers"] if name.lower() == b"content-length"), b"")
    return int(text[:20]) if text.isdigit() else 0
