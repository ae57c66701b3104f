"""What `DATABASES["clickhouse"]` may hold, read once and with types: options of CLICKHOUSE_URL arrive as text."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

# Prefix of an option that is handed on as a ClickHouse setting, as clickhouse-connect does: ch_max_threads=4.
SETTING_PREFIX = "ch_"
SESSION_TIME_ZONE = "UTC"


@dataclass(frozen=True)
class Address:
    """Where and as whom ClickHouse is reached; hashable, so that it can be the key of a shared client."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str | None
    secure: bool = False
    verify: bool = True
    ca_cert: str | None = None
    client_cert: str | None = None
    client_cert_key: str | None = None
    server_host_name: str | None = None
    proxy_path: str = ""
    compress: str | None = None
    connect_timeout: int = 5  # seconds
    send_receive_timeout: int = 300  # seconds between two bytes
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        """The address for people and logs: no user, no password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        path = f"/{self.proxy_path.strip('/')}" if self.proxy_path.strip("/") else ""
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}{path}"

    @property
    def is_loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def read_address(settings_dict: Mapping[str, Any]) -> Address:
    """The address in a Django database's settings.

    Raises ImproperlyConfigured with the option's name when CLICKHOUSE_URL carries one that is unknown or does not fit.
    """
    options: dict[str, Any] = {}
    settings: dict[str, str] = {}
    for name, value in (settings_dict.get("OPTIONS") or {}).items():
        if name.startswith(SETTING_PREFIX) and len(name) > len(SETTING_PREFIX):
            settings[name.removeprefix(SETTING_PREFIX)] = str(value)
        elif name in _READERS:
            options[name] = _READERS[name](name, value)
        else:
            known = ", ".join([*_READERS, f"{SETTING_PREFIX}<ClickHouse setting>"])
            raise ImproperlyConfigured(f"CLICKHOUSE_URL has an unknown option {name!r}. Known are: {known}.")
    address = Address(
        host=settings_dict["HOST"] or "localhost",
        port=int(settings_dict["PORT"] or (8443 if options.get("secure") else 8123)),
        user=settings_dict["USER"] or "default",
        password=settings_dict["PASSWORD"] or "",
        database=settings_dict["NAME"] or None,
        settings=tuple(sorted(settings.items())),
        **{name: value for name, value in options.items() if name != "compress"},
    )
    # On the machine itself compression costs more than the bytes it saves.
    compress = options.get("compress", None if address.is_loopback else "lz4")
    return Address(**{**address.__dict__, "compress": compress})


def _flag(name: str, value: Any) -> bool:
    text = str(value).strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"CLICKHOUSE_URL: {name}={value!r} is not a yes or no: write 1 or 0.")


def _seconds(name: str, value: Any) -> int:
    try:
        seconds = int(value)
    except ValueError:
        seconds = 0
    if seconds < 1:
        raise ImproperlyConfigured(f"CLICKHOUSE_URL: {name}={value!r} is not a whole number of seconds above 0.")
    return seconds


def _file(name: str, value: Any) -> str:
    if name == "ca_cert" and value == "certifi":
        return str(value)
    if not Path(value).is_file():
        raise ImproperlyConfigured(f"CLICKHOUSE_URL: {name}={value!r} is not a file.")
    return str(value)


def _compression(name: str, value: Any) -> str | None:
    text = str(value).strip().lower()
    if text in {"lz4", "zstd", "gzip"}:
        return text
    return "lz4" if _flag(name, value) else None


def _text(_name: str, value: Any) -> str:
    return str(value)


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "secure": _flag,
    "verify": _flag,
    "ca_cert": _file,
    "client_cert": _file,
    "client_cert_key": _file,
    "server_host_name": _text,
    "proxy_path": _text,
    "compress": _compression,
    "connect_timeout": _seconds,
    "send_receive_timeout": _seconds,
}
