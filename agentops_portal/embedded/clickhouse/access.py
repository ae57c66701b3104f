"""Who may speak to the server: programs on this machine that know the password, and no web page."""

import base64
import binascii
import hmac
from collections.abc import Mapping

from .errors import ClickHouseError, made

_LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}
_USER = "default"


class Refused(Exception):
    """The request comes from a web page or was addressed to another host."""


def check_sender(headers: Mapping[str, str]) -> None:
    """Raises Refused for a request that a browser sent on behalf of a page.

    An `Origin` tells of a page's script or form, `Sec-Fetch-Site` of any request of a page, images included; a
    foreign `Host` means that a page's own name was made to point at this machine (DNS rebinding).
    """
    if "origin" in headers:
        raise Refused("Requests with an Origin header are refused: web pages have no access to this server.")
    if headers.get("sec-fetch-site", "none") != "none":
        raise Refused("Requests of web pages are refused.")
    host = headers.get("host", "localhost").strip().lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] if ":" in host else host
    if name not in _LOCAL_NAMES:
        raise Refused("This Host is refused: the server answers to localhost and 127.0.0.1 only.")


def authenticate(headers: Mapping[str, str], params: Mapping[str, str], password: str, version: str) -> None:
    """Raises ClickHouseError 516 unless the request's user is `default` with `password`.

    Credentials are headers, basic auth or URL parameters; mixing them is an error, as in ClickHouse's
    authenticateUserByHTTP.cpp.
    """
    given = [
        ("X-ClickHouse HTTP headers", _from_headers(headers)),
        ("Authorization HTTP header", _from_authorization(headers, version)),
        ("authentication via parameters", _from_params(params)),
    ]
    used = [(method, credentials) for method, credentials in given if credentials is not None]
    if len(used) > 1:
        text = f"Invalid authentication: it is not allowed to use {used[0][0]} and {used[1][0]} simultaneously"
        raise _failed(text, version)
    method, (user, key) = used[0] if used else ("", (_USER, ""))
    if not user:
        raise _failed(f"Got an empty user name from {method}", version)
    matches = hmac.compare_digest(key.encode("utf-8", "surrogateescape"), password.encode("utf-8", "surrogateescape"))
    if user != _USER or not matches:
        text = f"{user}: Authentication failed: password is incorrect, or there is no user with such name."
        raise _failed(text, version)


def _from_headers(headers: Mapping[str, str]) -> tuple[str, str] | None:
    user, key = headers.get("x-clickhouse-user", ""), headers.get("x-clickhouse-key", "")
    return (user, key) if user or key else None


def _from_authorization(headers: Mapping[str, str], version: str) -> tuple[str, str] | None:
    value = headers.get("authorization")
    if value is None:
        return None
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() != "basic":
        text = f"Invalid authentication: '{scheme}' HTTP Authorization scheme is not supported"
        raise _failed(text, version)
    try:
        user, _, key = (
            base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "surrogateescape").partition(":")
        )
    except binascii.Error as error:
        raise _failed("Invalid authentication: the Authorization HTTP header is not base64", version) from error
    return user, key


def _from_params(params: Mapping[str, str]) -> tuple[str, str] | None:
    if "user" in params or "password" in params:
        return params.get("user", _USER), params.get("password", "")
    return None


def _failed(text: str, version: str) -> ClickHouseError:
    return made(516, "AUTHENTICATION_FAILED", text, version)
