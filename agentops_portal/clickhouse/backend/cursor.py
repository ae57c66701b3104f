"""A DB-API connection and cursor over clickhouse-connect, as Django's ORM expects them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import Any

from clickhouse_connect.driver.binding import quote_identifier
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DataError, Error, InterfaceError, ProgrammingError

from ..errors import as_database_error
from ..streams import open_blocks
from .binding import bind

Row = Sequence[Any]

_READS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN"})
_KEYWORD = re.compile(r"[\s(]*(\w+)")
_NAME = r'"((?:[^"\\]|\\.|"")+)"'
# What the compiler of django-clickhouse-backend writes when rows come beside the statement.
_INSERT = re.compile(
    rf"^\s*INSERT\s+INTO\s+{_NAME}\s*\(([^()]*)\)\s*(?:SETTINGS\s+(.+?)\s+)?VALUES\s*;?\s*$", re.IGNORECASE | re.DOTALL
)
_MUTATION = re.compile(rf"^ALTER TABLE ({_NAME}) (?:UPDATE|DELETE)\b")
_WHERE, _SETTINGS = " WHERE ", " SETTINGS "

# Values as the fields of django-clickhouse-backend expect them.
QUERY_FORMATS = {"FixedString": "string", "Tuple": "tuple"}


class Connection:
    """Hands out cursors over a client that all threads share; there is no transaction, so nothing to commit."""

    def __init__(self, client: Client, url: str, settings: Mapping[str, Any]) -> None:
        self.client = client
        self.url = url
        self.settings = dict(settings)
        self.closed = False

    def cursor(self, *, streaming: bool = False) -> "Cursor":
        if self.closed:
            raise InterfaceError("The connection is closed.")
        return Cursor(self, streaming=streaming)

    def commit(self) -> None:
        pass

    def rollback(self) -> None:
        pass

    def close(self) -> None:
        """Ends this handle; the HTTP connections stay open for other threads."""
        self.closed = True


class Cursor:
    """https://peps.python.org/pep-0249/#cursor-objects"""

    arraysize = 1
    lastrowid = None

    def __init__(self, connection: Connection, *, streaming: bool = False) -> None:
        self._connection = connection
        self._streaming = streaming
        self._stack = ExitStack()
        self.closed = False
        self._forget()

    def execute(self, sql: str, parameters: Any = None) -> "Cursor":
        """Run one statement. `parameters` are values for `%s`, or rows when the statement is `INSERT … VALUES`."""
        self._check_open()
        self._forget()
        insert = _INSERT.match(sql)
        if insert and parameters:
            self._insert(insert, parameters)
            return self
        bound: dict[str, str] = {}
        keyword = _first_word(sql)
        if parameters is not None:
            with self._translated():
                sql, bound = bind(sql, parameters, by_server=keyword != "INSERT")
        if keyword in _READS:
            self._read(sql, bound)
        else:
            self._command(sql, bound)
        return self

    def executemany(self, sql: str, rows: Sequence[Row]) -> "Cursor":
        if _INSERT.match(sql):
            return self.execute(sql, rows)
        for row in rows:
            self.execute(sql, row)
        return self

    def fetchone(self) -> Row | None:
        with self._translated():
            return next(self._fetchable(), None)

    def fetchmany(self, size: int | None = None) -> list[Row]:
        with self._translated():
            return list(islice(self._fetchable(), size or self.arraysize))

    def fetchall(self) -> list[Row]:
        with self._translated():
            return list(self._fetchable())

    def __iter__(self) -> Iterator[Row]:
        while (row := self.fetchone()) is not None:
            yield row

    def __enter__(self) -> "Cursor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if not self.closed:
            self._forget()
            self.closed = True

    def _forget(self) -> None:
        self._stack.close()  # ends a stream that was not read to its end
        self._rows: Iterator[Row] | None = None
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1

    def _check_open(self) -> None:
        if self.closed or self._connection.closed:
            raise InterfaceError("The cursor is closed.")

    def _fetchable(self) -> Iterator[Row]:
        self._check_open()
        if self._rows is None:
            raise ProgrammingError("There is nothing to fetch: the last statement returned no rows.")
        return self._rows

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Error as error:
            raise as_database_error(error, self._connection.url) from error

    def _read(self, sql: str, bound: dict[str, str]) -> None:
        with self._translated():
            if self._streaming:
                stream = open_blocks(
                    self._connection.client,
                    sql,
                    parameters=bound,
                    settings=self._connection.settings,
                    query_formats=QUERY_FORMATS,
                )
                blocks = self._stack.enter_context(stream)
                self._rows = (row for block in blocks.rows for row in block)
                self._describe(blocks.names, blocks.types)
            else:
                result = self._query(sql, bound)
                self._rows = iter(result.result_rows)
                self.rowcount = len(result.result_rows)
                self._describe(result.column_names, result.column_types)

    def _describe(self, names: Sequence[str], types: Sequence[Any]) -> None:
        self.description = [
            (name, kind.name, None, None, None, None, kind.nullable) for name, kind in zip(names, types, strict=True)
        ]

    def _query(self, sql: str, bound: dict[str, str]) -> Any:
        return self._connection.client.query(
            sql,
            parameters=bound or None,
            settings=self._connection.settings,
            query_formats=QUERY_FORMATS,
            query_tz="UTC",
        )

    def _command(self, sql: str, bound: dict[str, str]) -> None:
        # ClickHouse does not say how many rows a mutation touched, and Model.save() wants to know.
        count = self._count_touched(sql, bound)
        with self._translated():
            self._connection.client.command(sql, parameters=bound or None, settings=self._connection.settings)
        self.rowcount = count

    def _count_touched(self, sql: str, bound: dict[str, str]) -> int:
        mutation = _MUTATION.match(sql)
        where = sql.rfind(_WHERE)
        if not mutation or where < 0:
            return -1
        condition = sql[where + len(_WHERE) :].rpartition(_SETTINGS)
        predicate = condition[0] or condition[2]
        table = mutation.group(1)
        with self._translated():
            # The ORM's own text; its values are bound.
            result = self._query(f"SELECT count() FROM {table} WHERE {predicate}", bound)  # noqa: S608
        return int(result.result_rows[0][0])

    def _insert(self, insert: re.Match[str], rows: Sequence[Row]) -> None:
        table, columns, settings = insert.groups()
        names = [_unquoted(name) for name in re.findall(_NAME, columns)]
        with self._translated():
            try:
                self._connection.client.insert(
                    quote_identifier(_unquoted(table)),
                    rows,
                    column_names=names,
                    settings={**self._connection.settings, **_settings(settings)},
                )
            except (TypeError, ValueError, OverflowError, AttributeError) as error:
                raise DataError(f"A value does not fit into {table}: {error}") from error
        self.rowcount = len(rows)


def _first_word(sql: str) -> str:
    found = _KEYWORD.match(sql)
    return found.group(1).upper() if found else ""


def _unquoted(name: str) -> str:
    return re.sub(r'\\(.)|""', lambda match: match.group(1) or '"', name)


def _settings(text: str | None) -> dict[str, str]:
    """`a=1, b='x'` as a dict."""
    found = re.findall(r"(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|[^,\s]+)", text or "")
    return {name: re.sub(r"\\(.)", r"\1", value[1:-1]) if value[:1] == "'" else value for name, value in found}
