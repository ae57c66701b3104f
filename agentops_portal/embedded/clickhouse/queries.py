"""From an HTTP request to a query the engine can run: its text, settings, parameters and data."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import sql
from .errors import made
from .spool import Spool

# Parameters of a request that are no settings (ClickHouse, HTTPHandler.cpp: reserved_param_names).
RESERVED = frozenset(
    {
        "query",
        "database",
        "default_format",
        "user",
        "password",
        "quota_key",
        "query_id",
        "stacktrace",
        "role",
        "compress",
        "decompress",
        "buffer_size",
        "wait_end_of_query",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "client_protocol_version",
    }
)
_TABLE_SUFFIXES = ("_format", "_types", "_structure")
_NAME = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)


@dataclass(slots=True)
class Table:
    """A table that comes with the query (ClickHouse's "external data")."""

    name: str
    structure: str
    format: str
    data: Spool


@dataclass(slots=True)
class Query:
    """One query; `data` are the rows of an INSERT."""

    id: str
    text: bytes = b""
    statement: sql.Statement = field(default_factory=sql.Statement)
    settings: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    database: str = ""
    default_format: str = "TabSeparated"
    readonly: bool = False  # the method of the request promises to change nothing
    data: Spool | None = None
    tables: list[Table] = field(default_factory=list)

    @property
    def format(self) -> str | None:
        """The format of the result; None when there is none."""
        if self.statement.kind is sql.Kind.SELECT or self.statement.words[:1] in _WITH_RESULT:
            return self.statement.format or self.default_format
        return None

    def is_readonly(self) -> bool:
        """Whether the query may change nothing, by its method or by its settings."""
        return self.readonly or self.settings.get("readonly", "0") not in ("0", "")

    def preparation(self, with_readonly: bool = True) -> Iterator[bytes]:
        """The statements that give a connection this query's database, parameters and settings."""
        if self.database:
            yield b"USE " + identifier(self.database)
        changes = {f"param_{name}": value for name, value in self.parameters.items()} | self.settings
        if not with_readonly:
            changes.pop("readonly", None)
        elif self.readonly and not (self.settings.get("readonly") or "0").strip("0"):
            changes["readonly"] = "2"
        if changes:
            yield b"SET " + b", ".join(name.encode() + b" = " + literal(value) for name, value in changes.items())

    def restoration(self) -> Iterator[bytes]:
        """The statements that take database and settings back."""
        if self.database:
            yield b"USE default"
        names = [name.encode() for name in self.settings if name != "readonly"]
        if names:
            yield b"SET " + b", ".join(name + b" = DEFAULT" for name in names)

    def take(self, text: bytes, new_spool: Callable[[], Spool]) -> None:
        """Part a text into the query and the rows of an INSERT that follow it."""
        self.statement = sql.read(text)
        self.text = text
        if self.statement.kind is sql.Kind.INSERT:
            self.text = text[: self.statement.data]
            self.data = new_spool()
            self.data.write(text[self.statement.data :])

    def close(self) -> None:
        """Let go of the data."""
        for spool in [self.data, *(table.data for table in self.tables)]:
            if spool is not None:
                spool.close()


_WITH_RESULT = {
    (word,) for word in (b"SHOW", b"DESCRIBE", b"DESC", b"EXISTS", b"EXPLAIN", b"CHECK", b"KILL", b"BACKUP")
}


def literal(value: str) -> bytes:
    """A value as a string of SQL."""
    data = value.encode("utf-8", "surrogateescape")
    return b"'" + data.replace(b"\\", b"\\\\").replace(b"'", b"\\'") + b"'"


def identifier(name: str) -> bytes:
    """A name as an identifier of SQL."""
    data = name.encode("utf-8", "surrogateescape")
    return b"`" + data.replace(b"\\", b"\\\\").replace(b"`", b"\\`") + b"`"


def from_request(method: str, headers: dict[str, str], params: dict[str, str], version: str) -> Query:
    """What a request says of its query beside the text. Raises ClickHouseError for names that can't be settings."""
    with_tables = headers.get("content-type", "").startswith("multipart/form-data")
    query = Query(
        id=params.get("query_id") or headers.get("x-clickhouse-query-id") or str(uuid.uuid4()),
        database=headers.get("x-clickhouse-database") or params.get("database", ""),
        default_format=headers.get("x-clickhouse-format") or params.get("default_format") or "TabSeparated",
        readonly=method in ("GET", "HEAD"),
    )
    if not _NAME.fullmatch(query.default_format):
        raise made(73, "UNKNOWN_FORMAT", f"Unknown format {query.default_format}", version)
    for name, value in params.items():
        if not name or name in RESERVED or (with_tables and name.endswith(_TABLE_SUFFIXES)):
            continue
        add_parameter(query, name, value, version)
    return query


def add_parameter(query: Query, name: str, value: str, version: str) -> None:
    """A parameter of the request is a value for a placeholder (`param_…`) or else a setting."""
    if not _NAME.fullmatch(name):
        raise made(115, "UNKNOWN_SETTING", f"Unknown setting '{name}'", version)
    if name.startswith("param_"):
        query.parameters.setdefault(name.removeprefix("param_"), value)
    else:
        query.settings[name] = value


def flag(params: dict[str, str], name: str, version: str) -> bool:
    """A parameter that is yes or no; raises ClickHouseError for anything else."""
    value = params.get(name, "0").strip().lower()
    if value in ("0", "false", ""):
        return False
    if value in ("1", "true"):
        return True
    raise made(467, "CANNOT_PARSE_BOOL", f"Cannot parse boolean value of {name}", version)


def number(params: dict[str, str], name: str, default: int, version: str) -> int:
    """A parameter that is a whole number; raises ClickHouseError for anything else."""
    value = params.get(name, "")
    if not value:
        return default
    if not re.fullmatch(r"\d{1,18}", value, re.ASCII):
        raise made(72, "CANNOT_PARSE_NUMBER", f"Cannot parse the number of {name}", version)
    return int(value)
