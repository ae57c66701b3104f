"""Says who holds a port before a process fails on it."""

import errno
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from agentops_portal.addresses import url_host


@dataclass(frozen=True)
class Listener:
    """A port the portal will listen on, and the environment variable that changes it."""

    variable: str
    port: int
    host: str = "127.0.0.1"
    host_variable: str = ""  # set where the address can be changed too


class PortProblem(Exception):
    """Why a port cannot be used, in one sentence with the way out."""


def check_ports(listeners: Iterable[Listener], patience: float = 0.0) -> None:
    """Raise PortProblem for the first port that cannot be used.

    `patience` is how many seconds a taken port may need to become free: processes of a supervisor that was killed
    are just ending.
    """
    deadline = time.monotonic() + patience
    seen: dict[int, str] = {}
    for listener in listeners:
        other = seen.setdefault(listener.port, listener.variable)
        if other != listener.variable:
            raise PortProblem(f"{other} and {listener.variable} are both {listener.port}: change one of them.")
        while (error := _bind_error(listener)) and time.monotonic() < deadline:
            time.sleep(0.2)
        if error:
            raise PortProblem(_explain(listener, error))


def holder(port: int) -> str:
    """Who listens on `port`, as "nginx (process 812)"; "another program" when this user may not know."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return "another program"
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        if listens and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
            except psutil.Error:
                return f"process {connection.pid}"
    return "another program"


def _bind_error(listener: Listener) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            listener.host, listener.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection holds no port
            probe.bind(address)
    except OSError as error:
        return error
    return None


def _explain(listener: Listener, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other_port = listener.port + (10 if listener.port < 65000 else -10)
        place = f"Port {listener.port} of {url_host(listener.host)}"
        return (
            f"{place} is taken by {holder(listener.port)}: stop it, or choose another port with "
            f"{listener.variable}, as in `make up {listener.variable}={other_port}`."
        )
    if error.errno == errno.EACCES:
        return (
            f"This user may not listen on port {listener.port}: set {listener.variable} to a port above 1023, "
            "and let a proxy serve the lower one."
        )
    if listener.host_variable and (isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL):
        return (
            f"{listener.host_variable}={listener.host} is not an address of this machine: set it to 127.0.0.1, or to "
            "0.0.0.0 for all addresses."
        )
    return f"Port {listener.port} cannot be used ({error.strerror}): set {listener.variable} to another one."
