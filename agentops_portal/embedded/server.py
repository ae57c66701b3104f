"""`python -m granian`, safe against a second signal.

Linux sends the signal of a parent's death once for each thread of the parent that inherits the child, so that several
arrive at once. Granian's handler sets an Event, and one that interrupts another waits for ever for the Event's lock.
"""

from typing import Any

from granian.cli import entrypoint
from granian.server.common import AbstractServer


def interrupt_once(server: Any, *_: object) -> None:
    """What granian does on SIGINT and SIGTERM, for the first of them."""
    if not server.interrupt_signal:
        server.interrupt_signal = True
        server.main_loop_interrupt.set()


if __name__ == "__main__":
    AbstractServer.signal_handler_interrupt = interrupt_once  # type: ignore[method-assign]
    entrypoint()
