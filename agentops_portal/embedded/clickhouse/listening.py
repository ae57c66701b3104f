"""The port."""

import socket

from .options import Unusable

HOST = "127.0.0.1"
PORT_TAKEN = 4


def listen(port: int) -> socket.socket:
    """A bound socket; raises Unusable when the port is taken."""
    # With its protocol named, asyncio switches Nagle's algorithm off; else each response waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        text = f"Port {port} of {HOST} is not free ({error.strerror}): set CLICKHOUSE_HTTP_PORT to another one."
        raise Unusable(text, PORT_TAKEN) from error
    return listener
