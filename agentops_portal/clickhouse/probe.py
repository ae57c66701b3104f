"""Can the portal use the ClickHouse it is told to use? Asked before anything starts."""

import re
from collections.abc import Mapping
from typing import Any

from clickhouse_connect.driver.exceptions import Error
from django.conf import settings
from django.db import connections
from urllib3.exceptions import HTTPError

from ..problems import StoreProblem
from . import errors
from .client import ALIAS, open_client
from .options import Address, read_address

OLDEST_VERSION = (25, 8)
READONLY = 164
PROBE_SECONDS = 5


def probe(settings_dict: Mapping[str, Any] | None = None) -> None:
    """Return when ClickHouse answers, lets the user in and is new enough; its database may still be missing.

    Raises StoreProblem, or ImproperlyConfigured for an option of CLICKHOUSE_URL that is unknown.
    """
    chosen = settings_dict or connections.settings[ALIAS]
    address = read_address(chosen)
    try:
        client = open_client(
            chosen, database=None, connect_timeout=PROBE_SECONDS, send_receive_timeout=4 * PROBE_SECONDS
        )
        client.command("SELECT 1")
    except (Error, HTTPError) as error:
        raise _problem(error, address) from error
    version = client.server_version or ""
    if _parsed(version) < OLDEST_VERSION:
        oldest = ".".join(map(str, OLDEST_VERSION))
        raise StoreProblem(
            f"ClickHouse at {address.url} is version {version}; the portal needs {oldest} or newer.",
            "Upgrade it, or unset CLICKHOUSE_URL to use the one the portal brings along.",
        )


def _problem(error: Exception, address: Address) -> StoreProblem:
    code = getattr(error, "code", None)
    if errors.is_unreachable(error):
        message = errors.unreachable_message(error, address.url)
        if "TLS failed" in message:
            return StoreProblem(
                message, "Name its authority with ?ca_cert=/path in CLICKHOUSE_URL, or write http:// if it has no TLS."
            )
        return StoreProblem(message, _start_hint())
    if code in errors.AUTHENTICATION_CODES:
        return StoreProblem(
            f"ClickHouse at {address.url} refuses the user {address.user} or the password.",
            "Correct them in CLICKHOUSE_URL; a password may also stand in CLICKHOUSE_PASSWORD.",
        )
    if code == READONLY:
        return StoreProblem(
            f"ClickHouse at {address.url} gives the user {address.user} a read-only profile.",
            "Name a user in CLICKHOUSE_URL who may create tables and change settings.",
        )
    if code is None:
        answer = errors.server_message(error) if isinstance(error, Error) else str(error)
        return StoreProblem(
            f"{address.url} answers, but not as ClickHouse's HTTP interface does: {_first_line(answer)}",
            "Its port is 8123, or 8443 with https, unless the server was set up otherwise: check CLICKHOUSE_URL.",
        )
    return StoreProblem(
        f"ClickHouse at {address.url} refuses the portal: {_first_line(str(error))}", "Check CLICKHOUSE_URL."
    )


def _start_hint() -> str:
    if settings.CLICKHOUSE_IS_EMBEDDED:
        return "`make up` starts it."
    return "Start it, or correct CLICKHOUSE_URL."


def _first_line(text: str) -> str:
    line = " ".join(text.split())
    return f"{line[:197]}…" if len(line) > 198 else line


def _parsed(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
