"""Serves until it is told to stop, and stops in order: no new queries, running ones get some seconds."""

import asyncio
import logging
import signal
import socket

import uvicorn

from .app import Application
from .protocol import Protocol
from .responses import Aborted
from .service import Service

log = logging.getLogger(__name__)

_DRAIN_SECONDS = 5.0  # for queries that run when the server is told to stop; then they are cancelled
_ANSWER_SECONDS = 2  # for their errors to be sent
_KEEP_ALIVE_SECONDS = 300


class _Server(uvicorn.Server):
    """uvicorn's server, and an end to queries that would outlast it."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        cancel = loop.call_later(_DRAIN_SECONDS, loop.run_in_executor, None, self._service.engine.kill_all)
        await super().shutdown(sockets)
        cancel.cancel()


def serve(listeners: list[socket.socket], service: Service) -> None:
    """Answer requests until SIGTERM or SIGINT, then end what runs."""
    logging.getLogger("uvicorn.error").addFilter(_expected)
    config = uvicorn.Config(
        Application(service),
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(_DRAIN_SECONDS) + _ANSWER_SECONDS,
        backlog=1024,
    )
    # uvicorn raises the signal it was stopped by once more when it is done: it must not end the process there.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _Server(config, service).run(sockets=listeners)


def _expected(record: logging.LogRecord) -> bool:
    """Leaves out a response that was cut off on purpose; its query has been reported."""
    return not (record.exc_info and record.exc_info[0] is Aborted)
