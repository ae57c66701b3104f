"""One query from its request to its response."""

import asyncio
import logging
import time
from dataclasses import dataclass

from . import access, bodies, coding, errors, queries, sql
from .bodies import Gone, Receive
from .engine import Result, refusal
from .errors import ClickHouseError
from .pipes import Pipe
from .queries import Query
from .responses import Response, summary
from .runner import SessionUse
from .service import Service
from .sessions import DEFAULT_TIMEOUT
from .spool import Spool

log = logging.getLogger(__name__)

_HELD = 1 << 20  # bytes of a result that are held back until its status is certain (ClickHouse's buffer_size)
_SLOW = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    headers: dict[str, str]  # names in lower case
    params: dict[str, str]  # of the URL
    receive: Receive


class Exchange:
    def __init__(self, service: Service, request: Request, response: Response) -> None:
        self._service = service
        self._request = request
        self._response = response
        self._version = service.engine.version

    async def answer(self) -> None:
        """Send a result or an error. Raises Gone and Aborted."""
        begun = time.monotonic()
        query: Query | None = None
        failure: ClickHouseError | None = None
        try:
            access.authenticate(self._request.headers, self._request.params, self._service.password, self._version)
            query = queries.from_request(
                self._request.method, self._request.headers, self._request.params, self._version
            )
            self._response.headers["X-ClickHouse-Query-Id"] = query.id
            await self._read(query)
            await self._execute(query)
        except ClickHouseError as error:
            failure = error
        except (Gone, asyncio.CancelledError):
            raise
        except OSError as error:  # of the spool
            text = f"The data of the query could not be kept: {error.strerror}"
            failure = errors.made(243, "NOT_ENOUGH_SPACE", text, self._version)
        except Exception:
            log.exception("query %s failed in this server itself", query.id if query else "-")
            failure = errors.made(
                1002, "UNKNOWN_EXCEPTION", "An error of the embedded server, see its log", self._version
            )
        finally:
            if query:
                query.close()
        _report(query.id if query else "-", time.monotonic() - begun, failure)
        if failure:
            await self._response.error(failure)

    async def _read(self, query: Query) -> None:
        """Take text and data from the body; raises ClickHouseError for what is refused."""
        headers, params = self._request.headers, self._request.params
        for name in ("compress", "decompress"):
            if queries.flag(params, name, self._version):
                text = f"{name}=1 is not supported: use Accept-Encoding or Content-Encoding with gzip, zstd or lz4"
                raise errors.made(48, "NOT_IMPLEMENTED", text, self._version)
        decoder = coding.Decoder(headers.get("content-encoding", "").lower(), self._version)
        body = bodies.pieces(self._request.receive, decoder)
        begin = params.get("query", "").encode("utf-8", "surrogateescape")
        content_type = headers.get("content-type", "")
        if content_type.startswith("multipart/form-data"):
            form = bodies.Form(content_type, self._service.spool, self._version)
            await form.read(query, begin, params, body)
        else:
            await bodies.read(query, begin, body, self._service.spool, self._version)
        if query.statement.fault:
            raise refusal(query.statement.fault, self._version)

    async def _execute(self, query: Query) -> None:
        encoding = ""
        if queries.flag(query.settings, "enable_http_compression", self._version):
            encoding = coding.chosen(self._request.headers.get("accept-encoding", ""))
        if encoding:
            level = queries.number(query.settings, "http_zlib_compression_level", 3, self._version)
            self._response.encoder = coding.encoder(encoding, level)
        self._response.describe(query.format, self._service.engine.timezone, encoding)
        use = self._session()
        if query.statement.kind is sql.Kind.SELECT:
            await self._stream(query, use)
        else:
            result = await self._service.run(query, use)
            self._response.headers["X-ClickHouse-Summary"] = summary(result)
            await self._response.whole(result.body)

    async def _stream(self, query: Query, use: SessionUse | None) -> None:
        """Send a result while it is made, once it is too long to be held back."""
        pipe = Pipe()
        work = asyncio.ensure_future(self._service.run(query, use, pipe.path))
        work.add_done_callback(lambda _: pipe.close_write())
        watch = asyncio.ensure_future(self._stop_when_gone(pipe, work))
        try:
            if queries.flag(self._request.params, "wait_end_of_query", self._version):
                await self._send_when_complete(pipe, work)
            else:
                await self._send_while_made(pipe, work)
        finally:
            watch.cancel()
            if not work.done():
                await self._service.kill(pipe.path, work)
            pipe.close()

    async def _send_while_made(self, pipe: Pipe, work: "asyncio.Future[Result]") -> None:
        limit = max(queries.number(self._request.params, "buffer_size", _HELD, self._version), _HELD)
        held = bytearray()
        while (data := await pipe.read()) and len(held) + len(data) <= limit:
            held += data
        if not data:
            self._response.headers["X-ClickHouse-Summary"] = summary(await work)
            await self._response.whole(bytes(held))
            return
        self._response.headers["X-ClickHouse-Summary"] = summary(None)
        await self._response.begin()
        await self._response.part(bytes(held))
        while data:
            await self._response.part(data)
            data = await pipe.read()
        await work
        await self._response.end()

    async def _send_when_complete(self, pipe: Pipe, work: "asyncio.Future[Result]") -> None:
        held = bytearray()
        spool: Spool | None = None
        try:
            while data := await pipe.read():
                if spool:
                    spool.write(data)
                    continue
                held += data
                if len(held) > _HELD:
                    spool = self._service.spool()
                    spool.write(bytes(held))
            self._response.headers["X-ClickHouse-Summary"] = summary(await work)
            if spool is None:
                await self._response.whole(bytes(held))
                return
            await self._response.begin()
            for chunk in spool.chunks():
                await self._response.part(chunk)
            await self._response.end()
        finally:
            if spool:
                spool.close()

    async def _stop_when_gone(self, pipe: Pipe, work: "asyncio.Future[Result]") -> None:
        """Stop the query when its client hangs up; nobody wants its result any more."""
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        await self._service.kill(pipe.path, work)

    def _session(self) -> SessionUse | None:
        params = self._request.params
        name = params.get("session_id")
        if not name:
            return None
        timeout = queries.number(params, "session_timeout", DEFAULT_TIMEOUT, self._version)
        check, close = params.get("session_check") == "1", params.get("close_session") == "1"
        return SessionUse(name, timeout, check, close)


def _report(query_id: str, seconds: float, failure: ClickHouseError | None) -> None:
    """One line for a query that failed or was slow; never its text or data."""
    if failure:
        log.warning("query %s failed with %d (%s) after %.3f s", query_id, failure.code, failure.name, seconds)
    elif seconds > _SLOW:
        log.info("query %s took %.3f s", query_id, seconds)
