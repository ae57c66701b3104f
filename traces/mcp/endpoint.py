"""/mcp: the Model Context Protocol over streamable HTTP, for coding agents that ask about their own runs.

Stateless: every POST is answered by itself as JSON, so any process may answer it and none remembers a session. The
protocol is the `mcp` package's; here is what stands before it: whose request this is, and whether a browser sent it.
https://modelcontextprotocol.io/specification/latest/basic/transports

The package is imported at the first request: it takes half a second and 55 MB that most portals never need.
"""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import TYPE_CHECKING

import orjson
import structlog
from django.conf import settings
from django.db import connections

from agentops_portal.health.metrics import observe
from agentops_portal.origins import is_own_host, is_own_page
from projects import credentials
from projects.access import NotAllowed, NotSignedIn, has_scope
from projects.models import KeyScope
from projects.rates import Limit, take
from traces.ingest.otlp.http import Receive, Scope, Send

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PATH = "/mcp"
PROJECT_KEY = "portal.project_id"  # in the ASGI scope that tools see
MAX_BODY_BYTES = 256 * 1024  # of a request: a tool call is a few hundred
THREADS = 4  # tools that run at a time
PROTOCOL_HEADERS = ("mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name", "last-event-id")
CHALLENGE = 'Bearer realm="AgentOps Portal"'
NO_KEY = (
    "No API key: send the header 'Authorization: Bearer <key>' or 'x-api-key: <key>' with a key of the project that may"
    " read."
)

log = structlog.get_logger(__name__)


class Refused(Exception):
    """The answer to a request that never gets to the protocol: status, `error` for programs, text, a header more."""

    def __init__(self, status: int, error: str, text: str, header: tuple[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.error = error
        self.header = header


class Endpoint:
    """The ASGI application. What its first request starts runs until `close`; a request after that starts it again."""

    def __init__(self) -> None:
        self._running: _Running | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 500
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}

        async def watched(message: Scope) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *_for_pages(headers)]}
            await send(message)

        try:
            await self._answer(scope, headers, receive, watched)
        except Refused as refusal:
            await _send_refusal(watched, refusal)
        finally:
            seconds = time.perf_counter() - started
            observe("mcp", scope["method"], status, seconds)
            log.info("mcp_request", method=scope["method"], status=status, ms=round(seconds * 1000, 1))

    async def close(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await running.close()

    async def _answer(self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        _check_place(headers)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _send_preflight(send)
            return
        if scope["method"] != "POST":
            raise Refused(405, "method_not_allowed", "This is an MCP endpoint: clients POST to it.", ("allow", "POST"))
        credential = await _authenticate(headers)
        if self._running is None:
            self._running = _Running()
        # Shielded: the one request that is broken off must not take the others with it.
        manager = await asyncio.shield(self._running.manager)
        await manager.handle_request({**scope, PROJECT_KEY: credential.project_id}, receive, send)


class _Running:
    """The session manager, in a task of its own: it must be entered and left by the same one."""

    def __init__(self) -> None:
        self.manager: asyncio.Future[StreamableHTTPSessionManager] = asyncio.get_running_loop().create_future()
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        self._closing.set()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="mcp") as threads:
            try:
                manager = await asyncio.to_thread(_build, threads)
                async with manager.run():
                    self.manager.set_result(manager)
                    await self._closing.wait()
            except Exception as error:
                log.exception("mcp_failed")
                if not self.manager.done():
                    self.manager.set_exception(error)


def _build(threads: ThreadPoolExecutor) -> "StreamableHTTPSessionManager":
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from .server import build

    return StreamableHTTPSessionManager(
        build(threads), stateless=True, json_response=True, max_request_body_size=MAX_BODY_BYTES
    )


def _check_place(headers: Mapping[str, str]) -> None:
    """No page of another origin may ask, nor one whose name was made to point here (DNS rebinding).

    A key is needed besides, and a browser adds none by itself. Raises Refused.
    """
    host = headers.get("host", "")
    if not is_own_host(host):
        raise Refused(421, "misdirected_request", "The portal does not go by this host name: see ALLOWED_HOSTS.")
    origin = headers.get("origin")
    if origin and not is_own_page(origin, host=host):
        raise Refused(403, "forbidden_origin", "Web pages of this origin may not ask here.")


async def _authenticate(headers: Mapping[str, str]) -> credentials.Credential:
    """Whose key it is. Raises Refused: what the rules of access say, in the words of this protocol."""
    secret = credentials.secret_from_headers(headers)
    try:
        if secret is None:
            raise NotSignedIn(NO_KEY)
        return await asyncio.to_thread(_admitted, secret)
    except NotSignedIn as refusal:
        challenge = CHALLENGE if secret is None else f'{CHALLENGE}, error="invalid_token"'
        raise Refused(401, "invalid_token", str(refusal), ("www-authenticate", challenge)) from None
    except NotAllowed as refusal:
        challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{KeyScope.READ}"'
        raise Refused(403, "insufficient_scope", str(refusal), ("www-authenticate", challenge)) from None
    except credentials.CredentialStoreUnavailable as error:
        raise Refused(503, "temporarily_unavailable", str(error), ("retry-after", "5")) from None


def _admitted(secret: str) -> credentials.Credential:
    """The credential, counted with the key's other requests to the API. Blocks. Raises Refused, NotSignedIn, NotAllowed
    or CredentialStoreUnavailable.
    """
    try:
        credential = credentials.authenticate(secret)
        if settings.API_REQUESTS_PER_MINUTE:
            usage = take(Limit("api", settings.API_REQUESTS_PER_MINUTE), f"key:{credential.key_id}")
            if not usage.allowed:
                wait = max(1, ceil(usage.reset - time.time()))
                raise Refused(429, "too_many_requests", f"Ask again in {wait} s.", ("retry-after", str(wait)))
    except credentials.InvalidCredential as error:
        raise NotSignedIn(str(error)) from None
    finally:
        connections.close_all()  # of this thread: no request of Django's ends here
    if not has_scope(credential, KeyScope.READ):
        raise NotAllowed("This API key may send but not read: make one with the permission to read.")
    return credential


def _for_pages(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """https://fetch.spec.whatwg.org/#http-cors-protocol"""
    origin = headers.get("origin")
    if origin not in settings.CORS_ALLOWED_ORIGINS:
        return []
    return [(b"access-control-allow-origin", origin.encode()), (b"vary", b"origin")]


async def _send_preflight(send: Send) -> None:
    allowed = [
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", ", ".join((*settings.CORS_ALLOW_HEADERS, *PROTOCOL_HEADERS)).encode()),
        (b"access-control-max-age", b"7200"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": allowed})
    await send({"type": "http.response.body", "body": b""})


async def _send_refusal(send: Send, refusal: Refused) -> None:
    """Bodies as the `mcp` package's own refusals have them: https://www.rfc-editor.org/rfc/rfc6750#section-3.1"""
    body = orjson.dumps({"error": refusal.error, "error_description": str(refusal)})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if refusal.header:
        headers.append((refusal.header[0].encode(), refusal.header[1].encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
