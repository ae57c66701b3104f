"""Refusals that Django does not give, which pages of other origins read as well (projects/api/middleware.py sees to
those that it gives).
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
from django.conf import settings

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def refuse(scope: dict[str, Any], send: Send, status: int, body: dict[str, str]) -> None:
    """Answer a request whose body was not read to its end, and close its connection."""
    headers = [(b"content-type", b"application/json"), (b"connection", b"close"), *cors_headers(scope)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(body)})


def cors_headers(scope: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """What lets the page that asks read an error that tells nothing but what is wrong with its own request; without it
    a browser reports an error of the network. https://fetch.spec.whatwg.org/#http-cors-protocol
    """
    origin = next((value for name, value in scope["headers"] if name.lower() == b"origin"), b"")
    if origin.decode("latin-1") in settings.CORS_ALLOWED_ORIGINS:  # it may have sent the cookie, then `*` does not do
        allowed = [(b"access-control-allow-origin", origin), (b"access-control-allow-credentials", b"true")]
        return [*allowed, (b"vary", b"origin")]
    return [(b"access-control-allow-origin", b"*")] if origin else []
