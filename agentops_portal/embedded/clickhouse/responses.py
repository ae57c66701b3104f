"""Writes responses: headers, bodies, compression, and errors before or in the middle of a result."""

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .coding import Encoder
from .engine import Result
from .errors import ClickHouseError

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # of a query's id, which its client chooses
_LARGE = 1 << 17  # bytes; compressing more would keep other requests waiting
_PLAIN = "text/plain; charset=UTF-8"
# Content types of formats (ClickHouse: FormatFactory), the first pattern that fits counts.
_CONTENT_TYPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), content_type)
    for pattern, content_type in (
        (r"JSON\w*EachRow\w*|JSONLines|NDJSON", "application/x-ndjson; charset=UTF-8"),
        (r"JSON\w*", "application/json; charset=UTF-8"),
        (r"CSVWithNames\w*", "text/csv; charset=UTF-8; header=present"),
        (r"CSV", "text/csv; charset=UTF-8; header=absent"),
        (r"TabSeparated\w*|TSV\w*|Raw\w*", "text/tab-separated-values; charset=UTF-8"),
        (r"XML", "application/xml; charset=UTF-8"),
        (r"Native|RowBinary\w*|Parquet|ORC|Arrow\w*|Avro|MsgPack|Protobuf\w*|CapnProto|BSONEachRow|Npy|RawBLOB|Buffers",
         "application/octet-stream"),
    )
)  # fmt: skip


class Aborted(Exception):
    """The response could not be finished: its connection is to be closed, so that the client sees it."""


def content_type(form: str | None) -> str:
    found = (kind for pattern, kind in _CONTENT_TYPES if form and pattern.fullmatch(form))
    return next(found, _PLAIN)


def summary(result: Result | None) -> str:
    """The value of X-ClickHouse-Summary."""
    figures = {
        "read_rows": result.read_rows if result else 0,
        "read_bytes": result.read_bytes if result else 0,
        "written_rows": result.written_rows if result else 0,
        "written_bytes": result.written_bytes if result else 0,
        "total_rows_to_read": result.read_rows if result else 0,
        "result_rows": result.result_rows if result else 0,
        "result_bytes": result.result_bytes if result else 0,
        "elapsed_ns": int(result.seconds * 1e9) if result else 0,
    }
    return json.dumps({name: str(value) for name, value in figures.items()}, separators=(",", ":"))


class Response:
    """The answer to one request."""

    def __init__(self, send: Send, display_name: str, without_body: bool = False) -> None:
        self._send = send
        self._without_body = without_body
        self._tag = secrets.token_hex(8)
        self._started = False
        self.headers: dict[str, str] = {"X-ClickHouse-Server-Display-Name": display_name}
        self.encoder: Encoder | None = None

    def describe(self, form: str | None, timezone: str, encoding: str) -> None:
        """Headers of a query's result; `encoding` is its Content-Encoding or empty."""
        self.headers |= {"X-ClickHouse-Timezone": timezone, "Content-Type": content_type(form)}
        if form:
            self.headers["X-ClickHouse-Format"] = form
        if encoding:
            self.headers["Content-Encoding"] = encoding

    async def whole(self, body: bytes, status: int = 200) -> None:
        """Send a complete body, its length first."""
        if self.encoder:
            body = await self._encoded(self.encoder, body) + self.encoder.flush()
        self.headers.setdefault("Content-Type", _PLAIN)
        self.headers["Content-Length"] = str(len(body))
        await self._start(status)
        await self._send({"type": "http.response.body", "body": b"" if self._without_body else body})

    async def begin(self) -> None:
        """Start a body of unknown length."""
        self.headers["X-ClickHouse-Exception-Tag"] = self._tag
        await self._start(200)

    async def part(self, data: bytes) -> None:
        if self.encoder:
            data = await self._encoded(self.encoder, data)
        if data and not self._without_body:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        rest = self.encoder.flush() if self.encoder else b""
        await self._send({"type": "http.response.body", "body": b"" if self._without_body else rest})

    async def error(self, error: ClickHouseError) -> None:
        """Send an error in place of a result, or at the end of the part of it that is already sent; then Aborted."""
        if not self._started:
            self.encoder = None
            self.headers.pop("Content-Encoding", None)
            self.headers.pop("X-ClickHouse-Format", None)
            self.headers["Content-Type"] = _PLAIN
            self.headers["X-ClickHouse-Exception-Code"] = str(error.code)
            if error.status == 401:
                self.headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
            await self.whole(str(error).encode("utf-8", "replace") + b"\n", error.status)
            return
        # As ClickHouse 25.11 and newer: __exception__, tag, text, length of the text and tag, __exception__
        text = str(error).encode("utf-8", "replace") + b"\n"
        tag = self._tag.encode()
        await self.part(b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n" % (tag, text, len(text), tag))
        if self.encoder:
            await self._send({"type": "http.response.body", "body": self.encoder.flush(), "more_body": True})
        raise Aborted

    async def _encoded(self, encoder: Encoder, data: bytes) -> bytes:
        if len(data) < _LARGE:
            return encoder.compress(data)
        return await asyncio.to_thread(encoder.compress, data)

    async def _start(self, status: int) -> None:
        self._started = True
        values = {name: _CONTROL.sub("?", value).encode("utf-8", "replace") for name, value in self.headers.items()}
        raw = [(name.encode(), value) for name, value in values.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})
