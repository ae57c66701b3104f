"""Where the portal's processes listen."""

import socket

LOCALHOST = "localhost"
_LOOPBACK = ("127.0.0.1", "::1")


def listening(host: str) -> list[str]:
    """The addresses that a process listens on for `host`.

    `localhost` is both loopback addresses, for clients take the one or the other: browsers, curl and many libraries
    know them without asking. A machine without IPv6 has the first only. Anything else stands for itself.
    """
    if host.lower() != LOCALHOST:
        return [host]
    return [_LOOPBACK[0], *(address for address in _LOOPBACK[1:] if _is_there(address))]


def url_host(address: str) -> str:
    """An address as it stands in front of a port."""
    return f"[{address}]" if ":" in address else address


def _is_there(address: str) -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
