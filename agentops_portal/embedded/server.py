"""`python -m granian`, safe against a second signal, and against clients that take their time.

Linux sends the signal of a parent's death once for each thread of the parent that inherits the child, so that several
arrive at once. Granian's handler sets an Event, and one that interrupts another waits for ever for the Event's lock.

Granian accepts 1,024 connections at a time, and a client that does nothing keeps its own. Here many more fit, and those
that stand still are ended: by granian until the headers are there, then by BodyPatience.
"""

import resource
import sys
from typing import Any

from granian.cli import entrypoint
from granian.server.common import AbstractServer

MOST_FILES = 16_384
HEADER_MILLISECONDS = 20_000  # and between two requests of one connection


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


if __name__ == "__main__":
    AbstractServer.signal_handler_interrupt = interrupt_once  # type: ignore[method-assign]
    sys.argv[1:1] = patient_options()  # what the caller says counts
    entrypoint()
