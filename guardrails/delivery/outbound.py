"""Requests to addresses that people typed in: never to this machine or its network, and never for long.

The name is resolved once; the connection goes to the address that was looked at, so DNS cannot change in between. All
that the other side may take, from the connection to the last byte of its answer, is SECONDS and MOST_BYTES. Redirects
are not followed, and no proxy of the environment is asked.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
from django.conf import settings

from .outcomes import InDoubt, NotSent

SECONDS: Final = 20.0
MOST_BYTES: Final = 64 * 1024
# Lead to IPv4 addresses of any kind: NAT64, and the addresses that were to be compatible with IPv4.
_LEADS_TO_IPV4: Final = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]  # names in lower case


def fault_of(url: str) -> str:
    """Why nothing may be sent to this address; "" when it may, as far as its text tells."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return "it is no address"
    if " " in url or not url.isascii() or not url.isprintable():
        return "it holds signs that no address has"
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.WEBHOOKS_MAY_BE_PRIVATE):
        return "it does not begin with https://"
    if not parts.hostname or not has_port or parts.username is not None or "/.." in parts.path:
        return "it is no address"
    if not settings.WEBHOOKS_MAY_BE_PRIVATE and _is_private_literal(parts.hostname):
        return "it is not on the public Internet"
    return ""


def _is_private_literal(host: str) -> bool:
    with suppress(OSError):  # as resolvers read it: 2130706433, 0x7f.1 and 127.1 are addresses, too
        host = socket.inet_ntoa(socket.inet_aton(host))
    try:
        return host == "localhost" or not is_public(host)
    except ValueError:  # a name: it is looked at when it is resolved
        return False


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Raises NotSent while nothing was handed over, InDoubt after that."""
    if fault := fault_of(url):
        raise NotSent(fault, is_final=True)
    context = _tls()
    deadline = time.monotonic() + SECONDS
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    named.append((b"Host", urlsplit(url).netloc.encode()))
    network = _Guarded(deadline)
    with httpcore.ConnectionPool(ssl_context=context, network_backend=network) as pool:
        try:
            with pool.stream("POST", url, headers=named, content=body) as response:
                content = _read(response)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise (InDoubt(reason) if network.is_connected else NotSent(reason)) from None
    told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    return Answer(response.status, content.decode("utf-8", "replace"), told)


@cache
def _tls() -> ssl.SSLContext:
    """Made once: it reads all certificates of the machine."""
    return ssl.create_default_context()


def _read(response: Any) -> bytes:
    """The beginning of the answer: that it came at all is what counts."""
    content = b""
    for part in response.iter_stream():
        content += part
        if len(content) >= MOST_BYTES:
            break
    return content[:MOST_BYTES]


def public_address(host: str, port: int) -> str:
    """An address of the host. Raises NotSent when there is none, or when any of them is not on the public Internet."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent(f"{host} is not found ({error})") from None
    addresses = [str(each[4][0]) for each in found]
    if not settings.WEBHOOKS_MAY_BE_PRIVATE and not all(map(is_public, addresses)):
        raise NotSent(f"{host} is not on the public Internet: set WEBHOOKS_MAY_BE_PRIVATE to allow it", is_final=True)
    return addresses[0]


def is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in network for network in _LEADS_TO_IPV4) or address.teredo or address.sixtofour:
            return False
        if address.ipv4_mapped:
            address = address.ipv4_mapped
    return address.is_global and not address.is_multicast


class _Guarded(httpcore.NetworkBackend):
    """Connects to public addresses, until a deadline."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._real = httpcore.SyncBackend()
        self.is_connected = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = public_address(host, port)
        stream = self._real.connect_tcp(address, port, timeout=_left(self._deadline, httpcore.ConnectTimeout))
        return _Timed(stream, self)

    def left(self, error: type[Exception]) -> float:
        return _left(self._deadline, error)


class _Timed(httpcore.NetworkStream):
    def __init__(self, real: httpcore.NetworkStream, network: _Guarded) -> None:
        self._real = real
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._real.read(max_bytes, timeout=self._network.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._network.is_connected = True
        self._real.write(buffer, timeout=self._network.left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._real.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._network.left(httpcore.ConnectTimeout)
        return _Timed(self._real.start_tls(ssl_context, server_hostname, timeout=left), self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._real.get_extra_info(info)


def _left(deadline: float, error: type[Exception]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise error(f"not done within {SECONDS:.0f} s")
    return left
