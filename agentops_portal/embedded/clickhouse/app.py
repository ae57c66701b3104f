"""ClickHouse's HTTP interface as an ASGI application over the engine."""

import asyncio
import base64
import gzip
import json
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import lz4.frame
import zstandard

from . import errors, sql
from .engine import Engine, spool

_OWN = {
    "query", "database", "default_format", "user", "password", "query_id", "session_id", "session_timeout",
    "session_check", "compress", "decompress", "buffer_size", "wait_end_of_query", "quota_key", "role", "stacktrace",
    "client_protocol_version", "close_session",
}  # fmt: skip


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _inflated(body: bytes, encoding: str) -> bytes:
    match encoding:
        case "gzip":
            return gzip.decompress(body)
        case "deflate":
            return zlib.decompress(body)
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(body)
        case "lz4":
            return bytes(lz4.frame.decompress(body))
    return body


def _deflated(body: bytes, accepted: str) -> tuple[bytes, str]:
    for name in ("zstd", "lz4", "gzip", "deflate"):
        if name in accepted:
            match name:
                case "zstd":
                    return zstandard.ZstdCompressor(level=1).compress(body), name
                case "lz4":
                    return bytes(lz4.frame.compress(body)), name
                case "gzip":
                    return gzip.compress(body, 3), name
            return zlib.compress(body, 3), name
    return body, ""


class Application:
    """Answers one HTTP request."""

    def __init__(self, engine: Engine, password: str = "") -> None:
        self.engine = engine
        self.password = password
        self.pool = ThreadPoolExecutor(16, "query")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        query_params = dict(parse_qsl(scope["query_string"].decode("utf-8", "surrogateescape"), keep_blank_values=True))
        path = scope["path"]
        if path == "/ping" or (path == "/" and scope["method"] == "GET" and "query" not in query_params):
            return await self._answer(send, 200, b"Ok.\n", {})
        query_id = query_params.get("query_id") or str(uuid.uuid4())
        out = {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Timezone": self.engine.timezone}
        try:
            self._authenticate(headers, query_params)
            loop = asyncio.get_running_loop()
            result, summary, name = await loop.run_in_executor(
                self.pool, self._run, scope["method"], headers, query_params, body
            )
        except errors.ClickHouseError as error:
            out["X-ClickHouse-Exception-Code"] = str(error.code)
            return await self._answer(send, error.status, str(error).encode() + b"\n", out)
        out["X-ClickHouse-Summary"] = json.dumps(summary)
        if name:
            out["X-ClickHouse-Format"] = name
        if query_params.get("enable_http_compression") == "1":
            result, encoding = _deflated(result, headers.get("accept-encoding", ""))
            if encoding:
                out["Content-Encoding"] = encoding
        await self._answer(send, 200, result, out)

    def _authenticate(self, headers: dict[str, str], params: dict[str, str]) -> None:
        user, key = headers.get("x-clickhouse-user", "default"), headers.get("x-clickhouse-key", "")
        if headers.get("authorization", "").lower().startswith("basic "):
            user, _, key = base64.b64decode(headers["authorization"][6:]).decode().partition(":")
        user, key = params.get("user", user), params.get("password", key)
        if (user or "default") != "default" or key != self.password:
            raise errors.made(516, "AUTHENTICATION_FAILED", f"{user}: Authentication failed: password is incorrect, "
                              "or there is no user with such name.", self.engine.version)  # fmt: skip

    def _run(self, method: str, headers: dict[str, str], params: dict[str, str], body: bytes) -> Any:
        body = _inflated(body, headers.get("content-encoding", ""))
        head = params.get("query", "").encode("utf-8", "surrogateescape")
        text = head + b"\n" + body if head else body
        statement = sql.read(text)
        connection = self.engine.connect()
        try:
            settings = [f"{k}={_quoted(v)}" for k, v in params.items() if k not in _OWN and not k.startswith("param_")]
            if method in ("GET", "HEAD") and "readonly" not in params:
                settings.append("readonly=2")
            for name, value in params.items():
                if name.startswith("param_"):
                    connection.query(f"SET {name}={_quoted(value)}")
            if database := params.get("database") or headers.get("x-clickhouse-database"):
                connection.query(f"USE `{database}`")
            if settings:
                connection.query("SET " + ", ".join(settings))
            default = params.get("default_format") or headers.get("x-clickhouse-format") or "TabSeparated"
            if statement.kind is sql.Kind.INSERT:
                with spool(text[statement.data :]) as file:
                    start, rest = text[: statement.into].decode(), text[statement.into : statement.end].decode()
                    query = f"{start} FROM INFILE '/dev/fd/{file.fileno()}' {rest}"
                    query += " FORMAT Values" if statement.values else ""
                    result = connection.query(query, default)
            else:
                result = connection.query(text[: statement.end or len(text)].decode(), default)
            name = statement.format or (default if len(result.bytes()) else None)
            summary = {
                "read_rows": str(result.storage_rows_read()), "read_bytes": str(result.storage_bytes_read()),
                "written_rows": str(result.rows_written()), "written_bytes": str(result.bytes_written()),
                "total_rows_to_read": "0", "result_rows": str(result.rows_read() or result.rows_written()),
                "result_bytes": str(result.bytes_read()), "elapsed_ns": str(int(result.elapsed() * 1e9)),
            }  # fmt: skip
            return result.bytes(), summary, name
        except RuntimeError as error:
            raise errors.from_engine(error, self.engine.version) from error
        finally:
            connection.close()

    async def _answer(self, send: Any, status: int, body: bytes, headers: dict[str, str]) -> None:
        headers = {"Content-Type": "text/plain; charset=UTF-8", "Content-Length": str(len(body)), **headers}
        raw = [(k.encode(), v.encode()) for k, v in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})
