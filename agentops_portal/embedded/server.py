"""`python -m granian`, safe against a second signal and slow clients, and on more than one address.

Linux sends the signal of a parent's death once for each thread of the parent that inherits the child, so that several
arrive at once. Granian's handler sets an Event, and one that interrupts another waits for ever for the Event's lock.

Granian accepts 1,024 connections at a time, and a client that does nothing keeps its own. Here many more fit, and those
that stand still are ended: by granian until the headers are there, then by BodyPatience.

Granian listens on one address; `localhost` is two. ALSO_LISTEN=[::1]:8003 has its worker serve a second one with the
same application, in the same event loop. This stands at the module's level, for a spawned worker imports it anew.
"""

import os
import resource
import signal
import sys
from typing import Any

import granian.server.mp
from granian._granian import ASGIWorker, WorkerSignal
from granian.cli import entrypoint
from granian.net import SocketSpec  # type: ignore[attr-defined]
from granian.server.common import AbstractServer

MOST_FILES = 16_384
HEADER_MILLISECONDS = 20_000  # and between two requests of one connection
ALSO = "ALSO_LISTEN"
BACKLOG = 1024  # granian's own


class TwoAddresses:
    """What granian takes for a worker: one for each address."""

    def __init__(self, worker_id: int, sock: Any, *options: Any) -> None:
        host, _, port = os.environ[ALSO].rpartition(":")
        also = SocketSpec(host.strip("[]"), int(port), BACKLOG)
        self._first = ASGIWorker(worker_id, sock, *options)
        self._second = ASGIWorker(worker_id, (also, None), *options)

    def serve_mtr(self, scheduler: Any, loop: Any, stopped: Any) -> None:
        self._serve("serve_mtr", scheduler, loop, stopped)

    def serve_str(self, scheduler: Any, loop: Any, stopped: Any) -> None:
        self._serve("serve_str", scheduler, loop, stopped)

    def _serve(self, method: str, scheduler: Any, loop: Any, stopped: Any) -> None:
        """Both serve until a signal; then the second ends its requests, then the first, then the application."""
        first_stop = WorkerSignal()
        first_stop.add_cb(stopped.set)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, first_stop.set)
        getattr(self._second, method)(scheduler, loop, first_stop)
        getattr(self._first, method)(scheduler, loop, stopped)


def interrupt_once(server: Any, *_: object) -> None:
    """What granian does on SIGINT and SIGTERM, for the first of them."""
    if not server.interrupt_signal:
        server.interrupt_signal = True
        server.main_loop_interrupt.set()


def patient_options() -> list[str]:
    """Options of granian for as many connections as the process may have files, half of which are for other things."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MOST_FILES if most == resource.RLIM_INFINITY else min(most, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    return [
        *("--http", "1"),  # the limit for headers counts from a connection's beginning only when HTTP/2 is off
        *("--http1-header-read-timeout", str(HEADER_MILLISECONDS)),
        *("--backpressure", str(files // 2)),
    ]


if os.environ.get(ALSO):
    granian.server.mp.ASGIWorker = TwoAddresses  # type: ignore[assignment,attr-defined]

if __name__ == "__main__":
    AbstractServer.signal_handler_interrupt = interrupt_once  # type: ignore[method-assign]
    sys.argv[1:1] = patient_options()  # what the caller says counts
    entrypoint()
