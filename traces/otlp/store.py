"""The one way of spans into ClickHouse: a batch of enveloped requests into the inbox table, none of them twice."""

from collections.abc import Collection
from functools import cache
from io import BytesIO

import structlog
from clickhouse_connect.driver.exceptions import Error, OperationalError

from agentops_portal.clickhouse.client import get_client
from traces.schema.decode import NESTED_MARK
from traces.schema.otlp_proto import OTLP_PROTO
from traces.schema.tables import INBOX, SPANS

from .errors import Unavailable

log = structlog.get_logger(__name__)

# Error codes by which ClickHouse says that the data, not the server, is at fault: CANNOT_PARSE_…, INCORRECT_DATA,
# ATTEMPT_TO_READ_AFTER_EOF, PROTOBUF_BAD_CAST, TOO_LARGE_STRING_SIZE, TOO_LARGE_ARRAY_SIZE, UNKNOWN_PROTOBUF_FORMAT, …
BAD_DATA_CODES = frozenset({6, 26, 27, 32, 33, 34, 38, 41, 69, 72, 117, 128, 131, 434, 436, 444})

# How long a request is remembered. Exporters give up long before:
# https://opentelemetry.io/docs/specs/otel/protocol/exporter/#retry
DUPLICATE_MINUTES = 10
_STORED_LATELY = f"""
SELECT DISTINCT hex(request_digest) FROM {SPANS}
WHERE received_at > now64(3) - toIntervalMinute({{minutes:UInt16}})
  AND request_digest IN (SELECT toFixedString(unhex(arrayJoin({{digests:Array(String)}})), 16))
"""  # noqa: S608  (a table of ours)
_AWAY = "The span store cannot take spans now. Send it again later."


class ConnectionLost(Unavailable):
    """Nobody knows whether the batch was stored: the connection broke before ClickHouse answered."""


class NestedAttribute(Exception):
    """The batch holds a value that only text can hold; see traces/otlp/plain_text.py. Nothing was stored."""


class Unreadable(Exception):
    """ClickHouse could not read the batch. Nothing was stored."""


@cache
def _settings() -> dict[str, str | int]:
    return {
        "format_schema_source": "string",
        "format_schema": OTLP_PROTO,
        "format_schema_message_name": "Envelope",
        # A client's clock may be anything: spans of many months in one batch are stored, not refused.
        "throw_on_max_partitions_per_insert_block": 0,
        "log_comment": "otlp",
    }


def insert(batch: bytes) -> None:
    """Store a batch; when this returns, ClickHouse has committed it.

    Raises NestedAttribute or Unreadable when the data must be changed or split first, ConnectionLost when it may or
    may not be stored, Unavailable otherwise.
    """
    try:
        # A stream, because the driver sends bytes a second time when a connection breaks, stored or not.
        get_client().raw_insert(INBOX, insert_block=BytesIO(batch), settings=_settings(), fmt="Protobuf")
    except Error as error:
        raise _classified(error) from error


def stored_lately(digests: Collection[bytes]) -> set[bytes]:
    """Which of these requests were stored in the last DUPLICATE_MINUTES, by whatever process. Raises Unavailable."""
    try:
        result = get_client().query(
            _STORED_LATELY,
            parameters={"minutes": DUPLICATE_MINUTES, "digests": [digest.hex() for digest in digests]},
        )
    except Error as error:
        raise _unavailable(error) from error
    return {bytes.fromhex(row[0]) for row in result.result_rows}


def _classified(error: Error) -> Exception:
    if NESTED_MARK in str(error):
        return NestedAttribute()
    if getattr(error, "code", None) in BAD_DATA_CODES:
        return Unreadable(str(error))
    if isinstance(error, OperationalError) and getattr(error, "code", None) is None:
        return ConnectionLost(_AWAY)
    return _unavailable(error)


def _unavailable(error: Error) -> Unavailable:
    log.error("the span store did not take a batch", reason=str(error)[:500])
    return Unavailable(_AWAY)
