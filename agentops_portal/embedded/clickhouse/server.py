"""Serves until it is told to stop, and stops in order: no new queries, running ones get some seconds."""

import logging
import signal
import socket

import uvicorn

from .app import Application
from .protocol import Protocol
from .responses import Aborted
from .service import Service

log = logging.getLogger(__name__)

_DRAIN_SECONDS = 5
_KEEP_ALIVE_SECONDS = 300


def serve(listener: socket.socket, service: Service) -> None:
    """Answer requests until SIGTERM or SIGINT, then end what runs."""
    logging.getLogger("uvicorn.error").addFilter(_expected)
    config = uvicorn.Config(
        Application(service),
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        backlog=1024,
    )
    # uvicorn raises the signal it was stopped by once more when it is done: it must not end the process there.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listener])


def _expected(record: logging.LogRecord) -> bool:
    """Leaves out a response that was cut off on purpose; its query has been reported."""
    return not (record.exc_info and record.exc_info[0] is Aborted)
