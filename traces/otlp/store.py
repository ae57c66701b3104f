"""The one way of spans into ClickHouse: a batch of enveloped requests into the inbox table."""

from functools import cache

import structlog
from clickhouse_connect.driver.exceptions import Error

from agentops_portal.clickhouse.client import get_client
from traces.schema.decode import NESTED_MARK
from traces.schema.otlp_proto import OTLP_PROTO
from traces.schema.tables import INBOX

from .errors import Unavailable

log = structlog.get_logger(__name__)

# Error codes by which ClickHouse says that the data, not the server, is at fault: CANNOT_PARSE_…, INCORRECT_DATA,
# ATTEMPT_TO_READ_AFTER_EOF, PROTOBUF_BAD_CAST, TOO_LARGE_STRING_SIZE, TOO_LARGE_ARRAY_SIZE, UNKNOWN_PROTOBUF_FORMAT, …
BAD_DATA_CODES = frozenset({6, 26, 27, 32, 33, 34, 38, 41, 69, 72, 117, 128, 131, 434, 436, 444})


class NestedAttribute(Exception):
    """The batch holds a value that only text can hold; see traces/otlp/nested.py. Nothing was stored."""


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

    Raises NestedAttribute or Unreadable when the data must be changed or split first, Unavailable otherwise.
    """
    try:
        get_client().raw_insert(INBOX, insert_block=batch, settings=_settings(), fmt="Protobuf")
    except Error as error:
        raise _classified(error) from error


def _classified(error: Error) -> Exception:
    if NESTED_MARK in str(error):
        return NestedAttribute()
    if getattr(error, "code", None) in BAD_DATA_CODES:
        return Unreadable(str(error))
    log.error("the span store did not take a batch", reason=str(error)[:500])
    return Unavailable("The span store cannot take spans now; nothing was stored. Send it again later.")
