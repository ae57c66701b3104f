"""The one way to ask ClickHouse: a named query, of one project or named ones, in a time range, with limits.

Functions in an app's `queries/` call `select` (or `stream` for exports). Parameters are bound by the server, never
formatted into the text; the connection may not write; time, rows and memory are limited; name, duration and query id
go to the log and to /metrics.
"""

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error, ProgrammingError
from clickhouse_connect.driver.query import remove_sql_comments
from django.utils.translation import gettext as _
from prometheus_client import Counter, Histogram
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from agentops_portal.units import LAST_MICROSECOND, LAST_MOMENT

from . import errors
from .client import current_address, get_client, pool_of
from .streams import open_blocks

log = structlog.get_logger(__name__)

RANGE = ("{start:DateTime64(9)}", "{end:DateTime64(9)}")
SCOPE_NAMES = frozenset({"project_id", "project_ids", "start", "end"})
SLOW_MS = 1000
# A server that has not answered this long after a query's own limit hangs.
GRACE_SECONDS = 5

QUERY_SECONDS = Histogram("portal_clickhouse_query_seconds", "Time of a query, answer included", ["query"])
QUERY_ERRORS = Counter("portal_clickhouse_query_errors_total", "Queries that failed", ["query", "error"])


class ClickHouseError(Exception):
    """A query without an answer. `str()` is a sentence for people; the rest is for logs and operators."""

    def __init__(self, message: str, *, query: str = "", query_id: str = "", code: int | None = None) -> None:
        super().__init__(message)
        self.query = query  # its name, not its text
        self.query_id = query_id
        self.code = code


class ClickHouseUnavailable(ClickHouseError):
    """The server does not answer, refuses the credentials or has no room for the query right now."""


class QueryTimeout(ClickHouseError):
    """The query ran longer than its limit."""


class QueryTooLarge(ClickHouseError):
    """The query would return more rows, or needs more memory, than its limits allow."""


class QueryError(ClickHouseError):
    """The query itself is wrong: a fault of the portal, not of its user."""


class _Range:
    """The half-open time range [start, end) of a scope.

    No column holds a time behind LAST_MICROSECOND: a range up to it, or beyond, holds the last moment too.
    """

    start: datetime
    end: datetime

    def _check_range(self) -> None:
        for name in ("start", "end"):
            moment: datetime = getattr(self, name)
            if moment.utcoffset() is None:
                raise ValueError(f"{name} has no time zone: pass an aware datetime.")
            object.__setattr__(self, name, moment.astimezone(UTC))
        if self.start >= self.end:
            raise ValueError(f"The time range is empty: {self.start.isoformat()} is not before {self.end.isoformat()}.")

    @property
    def has_no_end(self) -> bool:
        return self.end >= LAST_MICROSECOND

    def _times(self) -> dict[str, str]:
        """As ClickHouse reads them in a UTC session, with a datetime's microseconds."""
        pattern = "%Y-%m-%d %H:%M:%S.%f"
        return {
            "start": self.start.strftime(pattern),
            "end": LAST_MOMENT if self.has_no_end else self.end.strftime(pattern),
        }


@dataclass(frozen=True)
class Scope(_Range):
    """What a query may see: one project's rows in the half-open time range [start, end).

    Raises ValueError when a time has no offset or the range is empty, TypeError when the project is not a UUID.
    """

    REQUIRED: ClassVar = ("{project_id:String}", *RANGE)

    project_id: uuid.UUID
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        _check_project(self.project_id)
        self._check_range()

    def parameters(self) -> dict[str, Any]:
        return {"project_id": str(self.project_id), **self._times()}


@dataclass(frozen=True)
class ProjectsScope(_Range):
    """What a query over several projects may see: their rows in the range. Of no project nothing is asked.

    The caller has found them visible to whoever asks: `Project.objects.visible_to(actor)`. Raises as Scope does.
    """

    REQUIRED: ClassVar = ("{project_ids:Array(String)}", *RANGE)

    project_ids: tuple[uuid.UUID, ...]
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for project_id in self.project_ids:
            _check_project(project_id)
        self._check_range()

    def parameters(self) -> dict[str, Any]:
        return {"project_ids": [str(project_id) for project_id in self.project_ids], **self._times()}


def _check_project(value: uuid.UUID) -> None:
    if not isinstance(value, uuid.UUID):
        raise TypeError(f"project_id is a UUID, not {type(value).__name__}.")


@dataclass(frozen=True)
class Limits:
    """What one query may use. Above a limit it fails; an answer is never cut silently."""

    seconds: int = 10
    rows: int = 100_000  # of the answer
    memory_bytes: int = 1 << 30

    def settings(self) -> dict[str, Any]:
        """https://clickhouse.com/docs/operations/settings/query-complexity"""
        return {
            "readonly": 2,  # reads only, while the settings of the query itself may still be changed
            "max_execution_time": self.seconds,
            "timeout_overflow_mode": "throw",
            "max_result_rows": self.rows,
            "result_overflow_mode": "throw",
            "max_memory_usage": self.memory_bytes,
        }


DEFAULT = Limits()
EXPORT = Limits(seconds=300, rows=10_000_000, memory_bytes=2 << 30)


def select(
    query: str,
    *,
    name: str,
    scope: Scope | ProjectsScope,
    parameters: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT,
) -> list[dict[str, Any]]:
    """The rows of `query`, one dict each, for one project, or those of a ProjectsScope, and a time range.

    `query` uses {project_id:String} (of a ProjectsScope {project_ids:Array(String)}), {start:DateTime64(9)} and
    {end:DateTime64(9)}, which come from `scope`, and {other:Type} for each of `parameters`. DateTime64 arrives as an
    aware datetime, in UTC unless the column names a time zone (nanoseconds are cut to microseconds: select
    toUnixTimestamp64Nano(...) where they matter), Decimal as Decimal, UUID as UUID, Map as dict.

    Raises QueryError, QueryTimeout, QueryTooLarge or ClickHouseUnavailable.
    """
    bound = _bound(query, name, scope, parameters)
    return _rows(_ranged(query, scope), name, bound, limits) if _has_projects(scope) else []


def stream(
    query: str,
    *,
    name: str,
    scope: Scope | ProjectsScope,
    parameters: Mapping[str, Any] | None = None,
    limits: Limits = EXPORT,
) -> Iterator[dict[str, Any]]:
    """Like `select`, but row by row while the server still reads: for exports, which do not fit into memory.

    An error may be raised after the first rows.
    """
    bound = _bound(query, name, scope, parameters)
    return _streamed(_ranged(query, scope), name, bound, limits) if _has_projects(scope) else iter(())


def unscoped_admin_select(
    query: str, *, name: str, parameters: Mapping[str, Any] | None = None, limits: Limits = DEFAULT
) -> list[dict[str, Any]]:
    """Rows of no particular project: system tables, retention, health. Never for what a project's member sees."""
    return _rows(query, name, _checked(parameters or {}, name), limits)


def ping(timeout: float) -> None:
    """Return when ClickHouse answers a query within `timeout` seconds, else raise ClickHouseUnavailable.

    Opens no client, which would take three queries and longer time-outs.
    """
    address = current_address()
    headers = {"X-ClickHouse-User": address.user, "X-ClickHouse-Key": address.password}
    database = {"X-ClickHouse-Database": address.database} if address.database else {}
    try:
        response = pool_of(address).request(
            "POST",
            f"{address.url}/",
            body=b"SELECT 1",
            headers={**headers, **database},
            timeout=Timeout(total=timeout),
            retries=False,
        )
    except HTTPError as error:
        raise ClickHouseUnavailable(errors.unreachable_message(_caused(error), address.url), query="ping") from error
    if response.status != 200 or response.data.strip() != b"1":
        answer = response.data[:300].decode(errors="replace").strip()
        raise ClickHouseUnavailable(f"ClickHouse at {address.url} answers {response.status}: {answer}", query="ping")


def _caused(error: Exception) -> Exception:
    wrapped = Exception(str(error))
    wrapped.__cause__ = error
    return wrapped


def _has_projects(scope: Scope | ProjectsScope) -> bool:
    return isinstance(scope, Scope) or bool(scope.project_ids)


def _ranged(query: str, scope: Scope | ProjectsScope) -> str:
    """The query with the last moment in its range where that has no end: nothing could be bound that is later."""
    return query.replace("< {end:DateTime64(9)}", "<= {end:DateTime64(9)}") if scope.has_no_end else query


def _bound(query: str, name: str, scope: Scope | ProjectsScope, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    text = remove_sql_comments(query).replace(" ", "")
    missing = [placeholder for placeholder in scope.REQUIRED if placeholder not in text]
    if missing:
        raise QueryError(f"Query {name} does not use {', '.join(missing)}.", query=name)
    own = SCOPE_NAMES & set(parameters or {})
    if own:
        raise QueryError(f"Query {name} passes {', '.join(sorted(own))} itself; they come from its scope.", query=name)
    return {**_checked(parameters or {}, name), **scope.parameters()}


def _checked(parameters: Mapping[str, Any], name: str) -> dict[str, Any]:
    for key, value in parameters.items():
        if isinstance(value, datetime) and value.utcoffset() is None:
            raise QueryError(f"Query {name}: parameter {key} has no time zone.", query=name)
    return dict(parameters)


def _rows(query: str, name: str, parameters: dict[str, Any], limits: Limits) -> list[dict[str, Any]]:
    with _measured(name) as call:
        result = _client(limits).query(query, parameters=parameters, settings=call.settings(limits), query_tz="UTC")
        rows = list(result.named_results())
        call.rows = len(rows)
    return rows


def _streamed(query: str, name: str, parameters: dict[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    with _measured(name) as call:
        stream = open_blocks(_client(limits), query, parameters=parameters, settings=call.settings(limits))
        with stream as blocks:
            for block in blocks.rows:
                call.rows += len(block)
                for row in block:
                    yield dict(zip(blocks.names, row, strict=True))


def _client(limits: Limits) -> Client:
    return get_client(send_receive_timeout=limits.seconds + GRACE_SECONDS)


@dataclass
class _Call:
    name: str
    query_id: str
    rows: int = 0

    def settings(self, limits: Limits) -> dict[str, Any]:
        return {**limits.settings(), "log_comment": self.name, "query_id": self.query_id}


@contextmanager
def _measured(name: str) -> Iterator[_Call]:
    """Time, log and count one query, and turn the client's errors into the gate's."""
    call = _Call(name, f"portal-{uuid.uuid4()}")
    started = time.perf_counter()
    try:
        yield call
    except Error as error:
        failure = _failure(error, call)
        QUERY_ERRORS.labels(name, type(failure).__name__).inc()
        log.warning("clickhouse_query_failed", query=name, query_id=call.query_id, error=str(error))
        raise failure from error
    seconds = time.perf_counter() - started
    QUERY_SECONDS.labels(name).observe(seconds)
    milliseconds = round(seconds * 1000, 1)
    write = log.warning if milliseconds >= SLOW_MS else log.debug
    write("clickhouse_query", query=name, query_id=call.query_id, ms=milliseconds, rows=call.rows)


def _failure(error: Error, call: _Call) -> ClickHouseError:
    kind: type[ClickHouseError]
    if errors.is_unreachable(error):
        kind, message = ClickHouseUnavailable, errors.unreachable_message(error, current_address().url)
    elif error.code in errors.AUTHENTICATION_CODES:
        kind = ClickHouseUnavailable
        message = f"ClickHouse at {current_address().url} refuses the user or password of CLICKHOUSE_URL."
    elif error.code in errors.BUSY_CODES:
        kind, message = ClickHouseUnavailable, f"ClickHouse cannot take the query now: {errors.server_message(error)}"
    elif error.code in errors.TIMEOUT_CODES:
        kind, message = QueryTimeout, _("The query took too long: choose a shorter time range.")
    elif error.code in errors.SIZE_CODES:
        kind, message = QueryTooLarge, _("The answer is too large: choose a shorter time range or a narrower filter.")
    elif error.code is None and not isinstance(error, ProgrammingError):
        kind, message = ClickHouseUnavailable, f"ClickHouse broke off its answer: {error}"
    else:
        kind, message = QueryError, f"Query {call.name} failed: {errors.server_message(error)}"
    return kind(message, query=call.name, query_id=call.query_id, code=error.code)
