"""What the command line and the environment say."""

import argparse
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PORT = 8124
DEFAULT_MEMORY = "2GiB"
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SMALLEST_MEMORY = 512 << 20


class Unusable(Exception):
    """The server can't start; the text is one sentence for the person who started it."""

    def __init__(self, text: str, exit_code: int = 2) -> None:
        super().__init__(text)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Options:
    folder: Path
    port: int
    memory: int  # bytes
    password: str = field(repr=False)


def parse(arguments: list[str]) -> Options:
    """Read the command line; raises Unusable for what it can't use and SystemExit for what it does not know."""
    parser = argparse.ArgumentParser(
        prog="python -m agentops_portal.embedded.clickhouse",
        description="Serves a ClickHouse data folder on 127.0.0.1 with ClickHouse's HTTP interface.",
        epilog="CLICKHOUSE_PASSWORD, or the file that CLICKHOUSE_PASSWORD_FILE names, is the password of `default`.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the data folder, made when missing")
    parser.add_argument(
        "--port",
        default=os.environ.get("CLICKHOUSE_HTTP_PORT") or str(DEFAULT_PORT),
        help=f"HTTP port (CLICKHOUSE_HTTP_PORT, {DEFAULT_PORT})",
    )
    parser.add_argument(
        "--memory",
        default=os.environ.get("CLICKHOUSE_MEMORY") or DEFAULT_MEMORY,
        metavar="SIZE",
        help=f"the most memory the engine takes, such as 1500M or 4GiB (CLICKHOUSE_MEMORY, {DEFAULT_MEMORY})",
    )
    given = parser.parse_args(arguments)
    return Options(_folder(given.data), _port(given.port), _size(given.memory), _password())


def _folder(path: Path) -> Path:
    folder = path.expanduser().resolve()
    if set(str(folder)) & set("?&%#"):
        raise Unusable(f"The data folder {folder} can't be used: its path must not hold any of ? & % #.")
    return folder


def _port(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or not 0 < int(text) < 65536:
        raise Unusable(f"CLICKHOUSE_HTTP_PORT={text!r} is not a port: write a number from 1 to 65535.")
    return int(text)


def _size(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*([KMG]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise Unusable(f"CLICKHOUSE_MEMORY={text!r} is not a size: write bytes, or a number with M or GiB behind it.")
    size = int(match.group(1)) * _UNITS[match.group(2).upper()]
    if size < _SMALLEST_MEMORY:
        raise Unusable(f"CLICKHOUSE_MEMORY={text!r} is too little: the engine needs 512 MiB.")
    return size


def _password() -> str:
    path = os.environ.get("CLICKHOUSE_PASSWORD_FILE")
    if not path:
        return os.environ.get("CLICKHOUSE_PASSWORD", "")
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise Unusable(f"CLICKHOUSE_PASSWORD_FILE={path} can't be read: {error.strerror}.") from error
