"""OTLP over HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp

A plain ASGI application, for a receiver that answers thousands of requests a second has no use for middleware.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any

import orjson
import structlog
from django.conf import settings
from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agentops_portal.health.metrics_access import REFUSAL, may_read_metrics

from . import langfuse, metrics
from .errors import BadData, MethodNotAllowed, NotFound, OtlpError, TooLarge, Unauthenticated, UnsupportedMediaType
from .receiver import authenticate, close, look_up, receive, refused, start
from .request import JSON, PROTOBUF, ExportRequest
from .signals import SIGNALS, Signal, plain, signal_at

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_HEALTH = b'{"message":"Server Up","status":"ok"}'
# Any page may send: what protects a project is its key, and a browser adds none by itself.
_ALLOW_ORIGIN = (b"access-control-allow-origin", b"*")
_PREFLIGHT = [
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"authorization, content-encoding, content-type, x-api-key, x-agentops-api-key"),
    (b"access-control-max-age", b"7200"),
]
log = structlog.get_logger(__name__)


class ClientGone(Exception):
    """The connection closed before the body was complete; nobody waits for an answer."""


async def application(scope: Scope, receive_event: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive_event, send)
    elif scope["type"] == "http":
        await _http(scope, receive_event, send)


async def _lifespan(receive_event: Receive, send: Send) -> None:
    while True:
        event = await receive_event()
        if event["type"] == "lifespan.shutdown":
            await asyncio.to_thread(close)
            await send({"type": "lifespan.shutdown.complete"})
            return
        start()
        await send({"type": "lifespan.startup.complete"})


async def _http(scope: Scope, receive_event: Receive, send: Send) -> None:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if scope["method"] in ("GET", "HEAD") and scope["path"] == "/health":
        await _send(send, 200, JSON, _HEALTH)
        return
    if scope["method"] in ("GET", "HEAD") and scope["path"] == "/metrics":
        await _send_metrics(scope, headers, send)
        return
    if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
        await _send(send, 204, "", b"", _PREFLIGHT)
        return
    if scope["method"] == "GET" and plain(scope["path"]) == langfuse.PROJECTS:
        await _send_projects(headers, send)
        return
    media_type = headers.get("content-type", PROTOBUF).partition(";")[0].strip().lower()
    answer_type = JSON if media_type == JSON else PROTOBUF
    with metrics.requests("http") as answered:
        try:
            signal, is_langfuse = _signal(scope)
            credential = await authenticate(headers, basic=is_langfuse)
            with refused(credential):
                if media_type not in (PROTOBUF, JSON):
                    raise UnsupportedMediaType(
                        f"Content-Type {media_type[:60]!r} is not OTLP: send {PROTOBUF} or {JSON}."
                    )
                body = await _read_body(headers, receive_event)
                request = await receive(credential, body, media_type, headers.get("content-encoding", ""), signal)
        except ClientGone:
            answered(499)
        except OtlpError as error:
            answered(error.http_status)
            await _send_error(send, error, answer_type)
        except Exception:
            log.exception("the receiver failed")
            await _send_error(send, OtlpError("The receiver failed; its log says why."), answer_type)
        else:
            answered(200)
            await _send(send, 200, answer_type, success_body(request, answer_type))


async def _send_metrics(scope: Scope, headers: dict[str, str], send: Send) -> None:
    """Not for web pages, therefore without permission to read the answer from another origin."""
    if may_read_metrics(headers, (scope.get("client") or ("",))[0]):
        await _send(send, 200, CONTENT_TYPE_LATEST, generate_latest(), any_origin=False)
    else:
        await _send(send, 403, "text/plain; charset=utf-8", REFUSAL.encode(), any_origin=False)


async def _send_projects(headers: dict[str, str], send: Send) -> None:
    try:
        credential = await authenticate(headers, basic=True)
        answer = await look_up(partial(langfuse.projects_of, credential))
    except OtlpError as error:
        await _send_error(send, error, JSON)
    else:
        await _send(send, 200, JSON, orjson.dumps(answer))


def is_receivers(path: str) -> bool:
    """An address of the web process is answered here."""
    address = plain(path)
    return signal_at(address.removeprefix(langfuse.PREFIX)) is not None or address == langfuse.PROJECTS


def _signal(scope: Scope) -> tuple[Signal, bool]:
    """What is received at the address, and whether that is Langfuse's. Raises NotFound, MethodNotAllowed."""
    address = plain(scope["path"])
    signal = signal_at(address.removeprefix(langfuse.PREFIX))
    if signal is None:
        addresses = ", ".join(f"{each.name} are received at {each.path}" for each in SIGNALS)
        raise NotFound(f"There is nothing at {scope['path'][:100]!r}: {addresses}.")
    if scope["method"] != "POST":
        raise MethodNotAllowed(f"{scope['method']} is not possible here: POST an {signal.request_name}.")
    return signal, address != signal.path


async def _read_body(headers: dict[str, str], receive_event: Receive) -> bytes:
    """The whole body. Raises TooLarge before more than the limit is read."""
    limit = settings.OTLP_MAX_BODY_BYTES
    announced = headers.get("content-length", "0")
    too_large = TooLarge(f"The body is larger than {limit} bytes: send smaller batches.")
    if announced.isdigit() and int(announced) > limit:
        raise too_large
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive_event()
        if event["type"] == "http.disconnect":
            raise ClientGone
        part = event.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large
        parts.append(part)
        if not event.get("more_body"):
            return b"".join(parts)


def success_body(request: ExportRequest, answer_type: str) -> bytes:
    """The response of the request's signal in its encoding; it says what was left out, and why."""
    if not request.rejected:
        return b"{}" if answer_type == JSON else b""
    response = request.signal.response()
    setattr(response.partial_success, request.signal.rejected, request.rejected)
    response.partial_success.error_message = request.rejection
    if answer_type == JSON:
        return orjson.dumps(MessageToDict(response))
    return bytes(response.SerializeToString())


async def _send_error(send: Send, error: OtlpError, answer_type: str) -> None:
    status = Status(code=error.grpc_code, message=str(error))
    body = (
        orjson.dumps({"code": status.code, "message": status.message})
        if answer_type == JSON
        else status.SerializeToString()
    )
    extra: list[tuple[bytes, bytes]] = []
    if error.retry_after is not None:
        extra.append((b"retry-after", str(error.retry_after).encode()))
    if isinstance(error, Unauthenticated):
        extra.append((b"www-authenticate", b'Bearer realm="AgentOps Portal"'))
    if isinstance(error, MethodNotAllowed):
        extra.append((b"allow", b"POST"))
    if isinstance(error, BadData | TooLarge):
        log.info("request refused", status=error.http_status, reason=str(error))
    await _send(send, error.http_status, answer_type, body, extra)


async def _send(
    send: Send,
    status: int,
    content_type: str,
    body: bytes,
    extra: list[tuple[bytes, bytes]] | None = None,
    any_origin: bool = True,
) -> None:
    headers = [(b"content-length", str(len(body)).encode()), *(extra or ())]
    if any_origin:
        headers.append(_ALLOW_ORIGIN)
    if content_type:
        headers.append((b"content-type", content_type.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
