"""The one way of spans into ClickHouse: a batch of enveloped requests into the inbox table."""

from functools import cache

from clickhouse_connect.driver.exceptions import DatabaseError, Error, ProgrammingError

from agentops_portal.clickhouse.client import get_client
from traces.schema.decode import NESTED_MARK
from traces.schema.otlp_proto import OTLP_PROTO
from traces.schema.tables import INBOX

from .errors import Unavailable

# Error codes by which ClickHouse says that the data, not the server, is at fault: CANNOT_PARSE_*, ATTEMPT_TO_READ_AFTER_EOF,
# INCORRECT_DATA, UNKNOWN_PROTOBUF_FORMAT, PROTOBUF_BAD_CAST, TOO_LARGE_STRING_SIZE, TOO_LARGE_ARRAY_SIZE, …
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
    except (DatabaseError, ProgrammingError) as error:
        raise _classified(error) from error
    except Error as error:
        raise Unavailable("The span store does not answer; nothing was stored. Send it again later.") from error


def _classified(error: Error) -> Exception:
    if NESTED_MARK in str(error):
        return NestedAttribute()
    if getattr(error, "code", None) in BAD_DATA_CODES:
        return Unreadable(str(error))
    return Unavailable("The span store refused to write; nothing was stored. Send it again later.")


