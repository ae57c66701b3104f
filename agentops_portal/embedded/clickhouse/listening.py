"""The port."""

import socket

from agentops_portal.addresses import LOCALHOST, listening, url_host

from .options import Unusable

PORT_TAKEN = 4


def listen(port: int) -> list[socket.socket]:
    """A bound socket for each loopback address of this machine; raises Unusable when the port is taken on one."""
    return [_bound(address, port) for address in listening(LOCALHOST)]


def _bound(address: str, port: int) -> socket.socket:
    # With its protocol named, asyncio switches Nagle's algorithm off; else each response waits 40 ms for an ACK.
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        place = f"Port {port} of {url_host(address)}"
        text = f"{place} is not free ({error.strerror}): set CLICKHOUSE_HTTP_PORT to another one."
        raise Unusable(text, PORT_TAKEN) from error
    return listener
