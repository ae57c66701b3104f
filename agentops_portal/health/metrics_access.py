"""Who may read /metrics, of the web process and of the receiver alike."""

import ipaddress
from collections.abc import Mapping

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.crypto import constant_time_compare

REFUSAL = "Metrics are served to this machine only: set METRICS_TOKEN and send it as a bearer token.\n"

# A proxy on this machine speaks for a stranger; it says so in one of these.
_PROXY_HEADERS = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via")
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


def may_read_metrics(headers: Mapping[str, str], peer: str) -> bool:
    """Whether a request with these headers, from the address `peer`, is answered.

    With METRICS_TOKEN its bearer is, else a program on this machine: no proxy, no script of a web page (`Origin`) and
    no page whose own name was made to point here (a foreign `Host`). `headers` finds names in lower case.
    """
    if settings.METRICS_TOKEN:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and constant_time_compare(given.strip(), settings.METRICS_TOKEN)
    if any(name in headers for name in (*_PROXY_HEADERS, "origin")):
        return False
    return _is_own(headers.get("host", "localhost")) and _is_loopback(peer)


def _is_own(host: str) -> bool:
    """ALLOWED_HOSTS=* believes any Host elsewhere; here it tells a page's name from ours."""
    named = [name for name in settings.ALLOWED_HOSTS if name != "*"]
    return validate_host(split_domain_port(host)[0], [*_LOCAL_HOSTS, *named])


def _is_loopback(peer: str) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # a socket for both families shows 127.0.0.1 as ::ffff:127.0.0.1
    return (mapped or address).is_loopback
