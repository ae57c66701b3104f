"""The engine of the `chdb` wheel: one per process, opened on one folder, used through a connection per request."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb
from chdb._chdb import connect  # type: ignore[attr-defined]  # its stubs leave it out

from . import errors, sql
from .errors import ClickHouseError
from .permits import Permits
from .queries import Query, Table, identifier, literal

log = logging.getLogger(__name__)

ENGINE_VERSION: str = chdb.engine_version  # such as 26.9.2.1

PLACEHOLDER = "/dev/fd/0"  # for the file of a query's data or result, where only the text counts

Connection = Any  # chdb's; it has no type hints

# Where the embedded engine's defaults differ from those of a server.
_AS_A_SERVER = "implicit_select=0&allow_introspection_functions=0"


@dataclass(slots=True)
class Result:
    """What the engine says when a query is done; `body` is empty when the result went into a pipe."""

    body: bytes
    seconds: float
    read_rows: int
    read_bytes: int
    written_rows: int
    written_bytes: int
    result_rows: int
    result_bytes: int


class Engine:
    """The opened data folder. Raises RuntimeError when it can't be opened."""

    def __init__(self, folder: Path, configuration: Path) -> None:
        self._path = str(folder)
        # The first connection stays open: the engine stops with its last one.
        self._first: Connection = connect(f"{folder}?config-file={configuration}")
        row = self._first.query("SELECT version(), timezone(), displayName()", "TSVRaw").bytes().decode()
        self.version, self.timezone, self.display_name = row.rstrip("\n").split("\t")
        self._permits = Permits(self._answer, self.version)

    def connect(self) -> Connection:
        """A connection of its own: its settings, parameters, database and temporary tables are nobody else's."""
        return connect(f"{self._path}?{_AS_A_SERVER}")

    def close(self) -> None:
        self._first.close()

    def check(self, query: Query) -> None:
        """Raises ClickHouseError for what clients may not ask."""
        for name, value in query.settings.items():
            self._permits.check_setting(name, value)
        for table in query.tables:
            for statement in _loading(table, PLACEHOLDER):
                self._permits.check(statement, {})
        text = runnable(query, PLACEHOLDER, PLACEHOLDER)
        self._permits.check(text, query.parameters, fed=query.statement.input is not None)

    def run(self, connection: Connection, query: Query, out: str = "") -> Result:
        """Run a query that was checked on a prepared connection; a SELECT writes its result into the file `out`."""
        try:
            for table in query.tables:
                for statement in _loading(table, table.data.path()):
                    connection.query(statement, "Null")
            data = query.data.path() if query.data else ""
            result = connection.query(runnable(query, out, data), query.default_format)
        except RuntimeError as error:
            raise errors.from_engine(error, self.version) from error
        return _measured(result, query)

    def prepare(self, connection: Connection, statements: list[bytes]) -> None:
        """Give a connection its database, parameters and settings."""
        try:
            for statement in statements:
                connection.query(statement, "Null")
        except RuntimeError as error:
            raise errors.from_engine(error, self.version) from error

    def kill(self, path: str) -> None:
        """Stop the query that reads or writes the file `path` of a spool or pipe."""
        connection = self.connect()
        try:
            connection.query(b"KILL QUERY WHERE position(query, " + literal(f"'{path}'") + b") > 0 ASYNC", "Null")
        except RuntimeError as error:
            log.warning("a query could not be stopped: %s", errors.from_engine(error, self.version).name)
        finally:
            connection.close()

    def kill_all(self) -> None:
        """Cancel every query that runs."""
        self._first.query("KILL QUERY WHERE 1 ASYNC", "Null")

    def with_own_ids(self, text: bytes, running: Mapping[str, str]) -> bytes:
        """A KILL QUERY in which ids of clients are replaced by the ids the engine has given to the same queries.

        The engine chooses ids itself; a query is known by the file it reads or writes (`running`: id → file).
        """
        found = {literal(name): path for name, path in running.items() if path}
        parts = [(token, found[token.text]) for token in sql.tokens(text) if token.text in found]
        for token, path in reversed(parts):
            text = text[: token.start] + literal(self._id_of(path)) + text[token.end :]
        return text

    def _id_of(self, path: str) -> str:
        connection = self.connect()
        try:
            query = b"SELECT query_id FROM system.processes WHERE position(query, " + literal(f"'{path}'") + b") > 0"
            return str(connection.query(query + b" ORDER BY elapsed DESC LIMIT 1", "TSVRaw").bytes().decode().strip())
        finally:
            connection.close()

    def _answer(self, text: bytes, parameters: Mapping[str, str]) -> str:
        """The engine's own answer to one of our queries, whatever the settings of clients."""
        connection = self.connect()
        try:
            values = [f"param_{name} = ".encode() + literal(value) for name, value in parameters.items()]
            connection.query(b"SET " + b", ".join([b"max_query_size = 1000000000", *values]), "Null")
            return str(connection.query(text, "TSVRaw").bytes().decode("utf-8", "surrogateescape"))
        except RuntimeError as error:
            raise errors.from_engine(error, self.version) from error
        finally:
            connection.close()


def _loading(table: Table, data: str) -> list[bytes]:
    """The statements that make a table which comes with a query from the file `data`."""
    name = identifier(table.name)
    return [
        b"CREATE TEMPORARY TABLE %s (%s)" % (name, table.structure.encode()),
        b"INSERT INTO %s FROM INFILE %s FORMAT %s" % (name, literal(data), table.format.encode()),
    ]


def refusal(fault: sql.Fault, version: str) -> ClickHouseError:
    code, name, text = fault.value
    return errors.made(code, name, text, version)


def runnable(query: Query, out: str, data: str) -> bytes:
    """The text of a query with the files it writes its result to and reads its data from."""
    statement, text = query.statement, query.text
    if statement.kind is sql.Kind.SELECT and out:
        form = b"" if statement.format else b" FORMAT " + query.default_format.encode()
        into = b" INTO OUTFILE " + literal(out) + b" TRUNCATE "
        return text[: statement.into] + into + statement.tail + form
    if query.data is None:
        return text
    source = literal(data)
    if statement.input:
        start, end = statement.input
        bracket = text.index(b"(", end) + 1
        form = literal(statement.format or "")
        arguments = b"file(" + source + b", " + form + b", "
        return text[:start] + arguments + text[bracket : statement.into] + statement.tail
    return text[: statement.into] + b" FROM INFILE " + source + b" " + statement.tail


def _measured(result: Any, query: Query) -> Result:
    inserts = query.statement.kind is sql.Kind.INSERT or result.rows_written() > 0
    written_rows, written_bytes = result.rows_written(), result.bytes_written()
    return Result(
        body=result.bytes(),
        seconds=result.elapsed(),
        read_rows=result.storage_rows_read() or (written_rows if inserts else 0),
        read_bytes=result.storage_bytes_read() or (written_bytes if inserts else 0),
        written_rows=written_rows,
        written_bytes=written_bytes,
        result_rows=written_rows if inserts else result.rows_read(),
        result_bytes=written_bytes if inserts else result.bytes_read(),
    )
