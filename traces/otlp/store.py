"""Spans into ClickHouse: a batch of enveloped requests into the table that decodes them, and what is stored already."""

from collections.abc import Collection, Sequence
from functools import cache
from io import BytesIO
from typing import Any

from clickhouse_connect.driver.exceptions import Error, OperationalError

from agentops_portal.clickhouse.client import get_client
from traces.schema.decode import NESTED_MARK
from traces.schema.otlp_proto import OTLP_PROTO
from traces.schema.tables import MESSAGES, SPANS

from .errors import Unavailable
from .inbox import unavailable

# Error codes by which ClickHouse says that the data, not the server, is at fault: CANNOT_PARSE_…, INCORRECT_DATA,
# ATTEMPT_TO_READ_AFTER_EOF, PROTOBUF_BAD_CAST, TOO_LARGE_STRING_SIZE, TOO_LARGE_ARRAY_SIZE, UNKNOWN_PROTOBUF_FORMAT, …
BAD_DATA_CODES = frozenset({6, 26, 27, 32, 33, 34, 38, 41, 69, 72, 117, 128, 131, 434, 436, 444})
MEMORY_LIMIT_EXCEEDED = 241

# How long a request is remembered. Exporters give up long before:
# https://opentelemetry.io/docs/specs/otel/protocol/exporter/#retry
DUPLICATE_MINUTES = 10
_OF_REQUESTS = f"""
FROM {SPANS}
WHERE received_at > now64(3) - toIntervalMinute({{minutes:UInt32}})
  AND request_digest IN (SELECT toFixedString(unhex(arrayJoin({{digests:Array(String)}})), 16))
"""


class ConnectionLost(Unavailable):
    """Nobody knows whether the batch was stored: the connection broke before ClickHouse answered."""


class TooMuchAtOnce(Unavailable):
    """ClickHouse has not the memory for the batch. Nothing was stored."""


class NestedAttribute(Exception):
    """The batch holds a value that only text can hold; see traces/otlp/plain_text.py. Nothing was stored."""


class Unreadable(Exception):
    """ClickHouse could not read the batch. Nothing was stored."""


@cache
def insert_settings() -> dict[str, str | int]:
    return {
        "format_schema_source": "string",
        "format_schema": OTLP_PROTO,
        "format_schema_message_name": "Envelope",
        # A client's clock may be anything: spans of many months in one batch are stored, not refused.
        "throw_on_max_partitions_per_insert_block": 0,
        "distributed_foreground_insert": 1,
        "log_comment": "otlp",
    }


def insert(batch: bytes) -> None:
    """Store the spans of a batch of envelopes; when this returns, ClickHouse has committed them.

    Raises NestedAttribute or Unreadable when the data must be changed or split first, TooMuchAtOnce when it must be
    split, ConnectionLost when it may or may not be stored, Unavailable otherwise.
    """
    try:
        # A stream, because the driver sends bytes a second time when a connection breaks, stored or not.
        get_client().raw_insert(MESSAGES, insert_block=BytesIO(batch), settings=insert_settings(), fmt="Protobuf")
    except Error as error:
        raise _classified(error) from error


def stored_spans(digests: Collection[bytes], minutes: int = DUPLICATE_MINUTES) -> dict[bytes, int]:
    """Of these requests those with spans that were stored in the last minutes, by whatever process, and how many.

    Raises Unavailable.
    """
    sql = f"SELECT hex(request_digest), count() {_OF_REQUESTS} GROUP BY request_digest"
    return {bytes.fromhex(digest): count for digest, count in _query(sql, digests, minutes)}


def stored_span_ids(digest: bytes, minutes: int) -> set[tuple[bytes, bytes]]:
    """(trace id, span id) of the spans of one request that are stored. Raises Unavailable."""
    rows = _query(f"SELECT TraceId, SpanId {_OF_REQUESTS}", [digest], minutes)
    return {(bytes.fromhex(trace_id), bytes.fromhex(span_id)) for trace_id, span_id in rows}


def _query(sql: str, digests: Collection[bytes], minutes: int) -> list[Sequence[Any]]:
    parameters = {"minutes": minutes, "digests": [digest.hex() for digest in digests]}
    try:
        return list(get_client().query(sql, parameters=parameters).result_rows)
    except Error as error:
        raise unavailable(error) from error


def _classified(error: Error) -> Exception:
    code = getattr(error, "code", None)
    if NESTED_MARK in str(error):
        return NestedAttribute()
    if code in BAD_DATA_CODES:
        return Unreadable(str(error))
    if isinstance(error, OperationalError) and code is None:
        return ConnectionLost(str(unavailable(error)))
    if code == MEMORY_LIMIT_EXCEEDED:
        return TooMuchAtOnce(str(unavailable(error)))
    return unavailable(error)
