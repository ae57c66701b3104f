"""Reads the body of a request: the rest of the query's text, the rows of an INSERT, or a form with tables."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from . import queries
from .coding import Decoder
from .errors import made
from .queries import Query, Table
from .spool import Spool

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
NewSpool = Callable[[], Spool]

# ClickHouse's default of the setting `max_query_size`, in bytes.
_MAX_QUERY_SIZE = 262_144
_MAX_FIELD = 4 * _MAX_QUERY_SIZE


class Gone(Exception):
    """The client went away before its request was complete: nothing of it counts."""


async def pieces(receive: Receive, decoder: Decoder) -> AsyncIterator[bytes]:
    """The decoded body. Raises Gone, or ClickHouseError when its encoding can't be undone."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        data = message.get("body", b"")
        if data:
            yield decoder.feed(data)
        if not message.get("more_body"):
            break
    decoder.finish()


async def read(query: Query, begin: bytes, body: AsyncIterator[bytes], new_spool: NewSpool, version: str) -> None:
    """Complete a query from `begin`, the text in the URL, and the body behind it (ClickHouse joins them by a break)."""
    limit = queries.number(query.settings, "max_query_size", _MAX_QUERY_SIZE, version) or 1 << 62
    text = bytearray(begin + b"\n" if begin else b"")
    ended = True
    async for piece in body:
        text += piece
        if len(text) > limit:
            ended = False
            break
    query.take(bytes(text), new_spool)
    if query.data is None and len(text) > limit:
        raise made(62, "SYNTAX_ERROR", f"Syntax error: Max query size exceeded: {limit} bytes", version)
    if query.data is not None and not ended:
        async for piece in body:
            query.data.write(piece)


@dataclass(slots=True)
class _Part:
    """One field or file of a form."""

    name: str = ""
    value: bytearray = field(default_factory=bytearray)
    file: Spool | None = None


class Form:
    """A request of multipart/form-data: `query`, settings and `param_…` as fields, tables as files."""

    def __init__(self, content_type: str, new_spool: NewSpool, version: str) -> None:
        self._content_type = content_type
        self._new_spool = new_spool
        self._version = version
        self._parts: list[_Part] = []
        self._header = bytearray()
        self._value = bytearray()

    async def read(self, query: Query, begin: bytes, params: dict[str, str], body: AsyncIterator[bytes]) -> None:
        """Complete a query; raises ClickHouseError for a form that can't be read."""
        try:
            _, options = parse_options_header(self._content_type)
            parser = MultipartParser(options.get(b"boundary", b""), self._callbacks())
            async for piece in body:
                parser.write(piece)
            parser.finalize()
        except (FormParserError, ValueError) as error:
            raise made(36, "BAD_ARGUMENTS", f"The form can't be read: {error}", self._version) from error
        finally:
            query.tables = [Table(part.name, "", "", part.file) for part in self._parts if part.file]
        text = begin
        for part in self._parts:
            if part.name == "query":
                text += part.value
            elif part.file is None and part.name not in queries.RESERVED:
                queries.add_parameter(query, part.name, part.value.decode("utf-8", "surrogateescape"), self._version)
        for table in query.tables:
            table.structure = self._structure(table.name, params)
            table.format = params.get(f"{table.name}_format", "TabSeparated")
        query.take(text, self._new_spool)

    def _callbacks(self) -> Any:
        return {
            "on_part_begin": lambda: self._parts.append(_Part()),
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_part_data": self._on_part_data,
        }

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._parts[-1].name = options.get(b"name", b"").decode("utf-8", "surrogateescape")
            if b"filename" in options:
                self._parts[-1].file = self._new_spool()
        self._header.clear()
        self._value.clear()

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._parts[-1]
        if part.file is not None:
            part.file.write(data[start:end])
            return
        part.value += data[start:end]
        if len(part.value) > _MAX_FIELD:
            raise FormParserError(f"field {part.name} is longer than {_MAX_FIELD} bytes")

    def _structure(self, name: str, params: dict[str, str]) -> str:
        structure, types = params.get(f"{name}_structure"), params.get(f"{name}_types")
        if structure is not None:
            return structure
        if types is None:
            text = f"Neither structure nor types are given for external table {name}: send {name}_structure"
            raise made(36, "BAD_ARGUMENTS", text, self._version)
        return ", ".join(f"_{number} {kind}" for number, kind in enumerate(types.split(","), 1))
