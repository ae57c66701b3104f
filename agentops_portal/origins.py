"""Is this a page of ours? A browser sends the session cookie whoever's page asks, so what may change or tell something
asks here first. Every door has this one answer; it goes by ALLOWED_HOSTS, PORTAL_URL, CSRF_TRUSTED_ORIGINS and
CORS_ALLOWED_ORIGINS.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host


def is_own_host(host: str) -> bool:
    """Whether the portal goes by this name, which a header Host gave. Any name can be made to point here (DNS
    rebinding), and a browser takes a page of it for one of the portal.
    """
    domain, _port = split_domain_port(host.lower())
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def is_own_page(origin: str, *, host: str, scheme: str = "") -> bool:
    """Whether a page of this origin may use the portal's sessions.

    `host` and `scheme` are those of the request. Without a scheme http and https both do: a WebSocket behind a proxy
    does not tell.
    """
    if origin in {settings.PORTAL_URL, *settings.CSRF_TRUSTED_ORIGINS, *settings.CORS_ALLOWED_ORIGINS}:
        return True
    own = {f"{each}://{host.lower()}" for each in ([scheme] if scheme else ["http", "https"])}
    return origin.lower() in own and is_own_host(host)


def page_origin(headers: Mapping[str, str]) -> str:
    """The origin of the page that asks, as Origin, else Referer, says; "" when neither does."""
    return headers.get("Origin") or _origin_of(headers.get("Referer", ""))


def _origin_of(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
