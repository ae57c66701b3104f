"""ClickHouse's HTTP interface as an ASGI application: what is answered where."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from . import access
from .bodies import Gone, Receive
from .exchange import Exchange, Request
from .responses import Response, Send
from .service import Service

_NO_HANDLE = """There is no handle {path}

Use / or /ping for health checks.
Or /replicas_status for more sophisticated health checks.

Send queries from your program with POST method or GET /?query=...
"""


class Application:
    """The server's face: call it with an ASGI scope."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("utf-8", "surrogateescape") for name, value in scope["headers"]}
        method, path = scope["method"], scope["path"]
        response = Response(send, self._service.engine.display_name, without_body=method == "HEAD")
        try:
            access.check_sender(headers)
        except access.Refused as refused:
            return await response.whole(str(refused).encode() + b"\n", 403)
        raw = scope["query_string"].decode("utf-8", "surrogateescape")
        params = dict(parse_qsl(raw, keep_blank_values=True, errors="surrogateescape"))
        reads = method in ("GET", "HEAD")
        if reads and (path in ("/ping", "/replicas_status") or (path == "/" and "query" not in params)):
            return await response.whole(b"Ok.\n")
        if method == "OPTIONS":
            return await response.whole(b"", 204)
        if path != "/" or not (reads or method in ("POST", "PUT")):
            return await response.whole(_NO_HANDLE.format(path=path).encode("utf-8", "replace"), 404)
        try:
            await Exchange(self._service, Request(method, headers, params, receive), response).answer()
        except Gone:
            return None
