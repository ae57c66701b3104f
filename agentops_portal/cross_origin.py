"""CORS for answers that Django does not give (projects/api/middleware.py sees to those that it gives)."""

from typing import Any

from django.conf import settings


def cors_headers(scope: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """What lets the page that asks read an error that tells nothing but what is wrong with its own request; without it
    a browser reports an error of the network. https://fetch.spec.whatwg.org/#http-cors-protocol
    """
    origin = next((value for name, value in scope["headers"] if name.lower() == b"origin"), b"")
    if origin.decode("latin-1") in settings.CORS_ALLOWED_ORIGINS:  # it may have sent the cookie, then `*` does not do
        allowed = [(b"access-control-allow-origin", origin), (b"access-control-allow-credentials", b"true")]
        return [*allowed, (b"vary", b"origin")]
    return [(b"access-control-allow-origin", b"*")] if origin else []
