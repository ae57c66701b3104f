"""OTLP over gRPC: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc

`Export` is unary, but served as if the client sent a stream, which is the same on the wire: gRPC then reads and
inflates the message when it is asked for, which is after the key was looked at.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import grpc
import structlog
from django.conf import settings
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from agentops_portal.addresses import listening, url_host
from projects.credentials import Credential

from . import metrics
from .errors import BadData, OtlpError
from .http import success_body
from .receiver import SMALL_BODY, authenticate, receive, refused
from .request import PROTOBUF, ExportRequest
from .signals import SIGNALS, TRACES, Signal

log = structlog.get_logger(__name__)

SERVICE = TRACES.service
# Metadata key under which gRPC carries a google.rpc.Status.
DETAILS = "grpc-status-details-bin"
MAX_CALLS = 256  # at a time
# Messages that are read at a time, each of which may inflate to OTLP_MAX_INFLATED_BYTES; small ones make room for the
# next as soon as they are read.
MAX_MESSAGES = 16
MESSAGE_SECONDS = 30.0


async def start(host: str, port: int) -> tuple[grpc.aio.Server, int]:
    """A running server and its port, which for port 0 is the kernel's choice. Raises OSError when it cannot be had."""
    server = grpc.aio.server(
        maximum_concurrent_rpcs=MAX_CALLS,
        options=[
            # gzip is undone before the limit is checked, so this is the inflated size.
            ("grpc.max_receive_message_length", settings.OTLP_MAX_INFLATED_BYTES),
            ("grpc.so_reuseport", 0),
        ],
    )
    # Bodies go through as bytes: the receiver reads them itself.
    exports = Exports()
    for signal in SIGNALS:
        export = grpc.stream_unary_rpc_method_handler(partial(exports.export, signal))
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(signal.service, {"Export": export}),))
    try:
        for address in listening(host):
            bound = server.add_insecure_port(f"{url_host(address)}:{port}")
            port = bound  # the kernel's choice counts for all
    except RuntimeError as error:
        raise OSError(f"Port {port} is taken or may not be used: OTLP_GRPC_PORT chooses another.") from error
    await server.start()
    log.info("receiving OTLP over gRPC", port=bound)
    return server, bound


class Exports:
    """The handler of one server's calls."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_MESSAGES)

    async def export(
        self, signal: Signal, messages: AsyncIterator[bytes], context: "grpc.aio.ServicerContext[bytes, bytes]"
    ) -> bytes:
        headers = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        with metrics.requests("grpc") as answered:
            try:
                credential = await authenticate(headers)
                with refused(credential):
                    request = await self._receive(signal, credential, messages)
            except OtlpError as error:
                answered(error.http_status)
                await _abort(context, error)
            answered(200)
            return success_body(request, PROTOBUF)

    async def _receive(self, signal: Signal, credential: Credential, messages: AsyncIterator[bytes]) -> ExportRequest:
        async with self._slots:
            body = await _message(messages)
            if len(body) > SMALL_BODY:
                return await receive(credential, body, PROTOBUF, "", signal)
        return await receive(credential, body, PROTOBUF, "", signal)


async def _message(messages: AsyncIterator[bytes]) -> bytes:
    """The one message of a call. Raises BadData."""
    try:
        async with asyncio.timeout(MESSAGE_SECONDS):
            return await anext(messages)
    except TimeoutError:
        raise BadData(f"The message did not come within {MESSAGE_SECONDS:.0f} s.") from None
    except StopAsyncIteration:
        raise BadData("The call has no message: send an export request.") from None


async def _abort(context: Any, error: OtlpError) -> None:
    status = Status(code=error.grpc_code, message=str(error))
    if error.retry_after is not None:
        # Without it an exporter takes RESOURCE_EXHAUSTED as final.
        detail = AnyMessage()
        detail.Pack(RetryInfo(retry_delay=Duration(seconds=error.retry_after)))
        status.details.append(detail)
    codes = {code.value[0]: code for code in grpc.StatusCode}
    await context.abort(codes[error.grpc_code], str(error), ((DETAILS, status.SerializeToString()),))
