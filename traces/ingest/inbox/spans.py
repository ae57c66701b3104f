"""Spans into ClickHouse: a batch of enveloped requests into the table that decodes them, and what is stored already."""

from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from uuid import UUID

from clickhouse_connect.driver.exceptions import Error, OperationalError
from clickhouse_connect.driver.external import ExternalData

from agentops_portal.clickhouse.client import get_client
from traces.ingest.otlp.errors import Unavailable
from traces.ingest.otlp.span_keys import ANYWHERE, TRACE_ID_BYTES, SpanId, split_ids, starts_of
from traces.store.schema.otlp_proto import OTLP_PROTO
from traces.store.schema.otlp_rows import NESTED_MARK
from traces.store.schema.tables import MESSAGES, SPANS

from .table import unavailable

# Error codes by which ClickHouse says that the data, not the server, is at fault: CANNOT_PARSE_…, INCORRECT_DATA,
# ATTEMPT_TO_READ_AFTER_EOF, PROTOBUF_BAD_CAST, TOO_LARGE_STRING_SIZE, TOO_LARGE_ARRAY_SIZE, UNKNOWN_PROTOBUF_FORMAT, …
BAD_DATA_CODES = frozenset({6, 26, 27, 32, 33, 34, 38, 41, 69, 72, 117, 128, 131, 434, 436, 444})
MEMORY_LIMIT_EXCEEDED = 241

# What is read of a project: stretches of time, so many at most, of 2^30 nanoseconds or, if they are more, longer ones.
MAX_STRETCHES = 32
_STRETCH_BITS = 30


class ConnectionLost(Unavailable):
    """Nobody knows whether the batch was stored: the connection broke before ClickHouse answered."""


class TooMuchAtOnce(Unavailable):
    """ClickHouse has not the memory for the batch. Nothing was stored."""


class NestedAttribute(Exception):
    """The batch holds a value that only text can hold; see traces/ingest/otlp/plain_text.py. Nothing was stored."""


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


@dataclass(frozen=True)
class Wanted:
    """Spans of a project that are looked for: their ids, and their keys (span_keys.py), which say where."""

    project_id: UUID
    ids: bytes
    keys: Collection[bytes]


def stored_spans(wanted: Collection[Wanted]) -> dict[UUID, dict[SpanId, bool]]:
    """By project the spans that are stored, by whatever process: id → whether it is final, and not just pending.

    Raises Unavailable.
    """
    found: dict[UUID, dict[SpanId, bool]] = {each.project_id: {} for each in wanted}
    ids = b"".join(each.ids for each in wanted)
    if not ids:
        return found
    places = _Places()
    for each in wanted:
        if each.ids:
            places.add(each)
    tables = ExternalData(file_name="ids", data=ids, fmt="RowBinary", structure="t FixedString(16), s FixedString(8)")
    try:
        rows = get_client().query(places.sql(), parameters=places.values, external_data=tables).result_rows
    except Error as error:
        raise unavailable(error) from error
    for project_id, trace_id, span_id, is_final in rows:
        spans = found[UUID(project_id)]
        key = bytes.fromhex(trace_id) + bytes.fromhex(span_id)
        spans[key] = spans.get(key, False) or bool(is_final)
    return found


class _Places:
    """Where spans are looked for, as a condition and its values."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self._conditions: list[str] = []

    def add(self, wanted: Wanted) -> None:
        starts = array("q")
        for keys in wanted.keys:
            starts.extend(starts_of(keys))
        times = [
            f"Timestamp BETWEEN {self._time(first)} AND {self._time(last)}"
            for first, last in stretches(start for start in starts if start != ANYWHERE)
        ]
        if ANYWHERE in starts:
            ids = zip(split_ids(wanted.ids), starts, strict=True)
            names = [span_id[TRACE_ID_BYTES:].hex() for span_id, start in ids if start == ANYWHERE]
            times.append(f"SpanId IN {self._bound(names, 'Array(String)')}")
        project = self._bound(str(wanted.project_id), "String")
        self._conditions.append(f"(project_id = {project} AND ({' OR '.join(times)}))")

    def sql(self) -> str:
        return f"""
            SELECT project_id, TraceId, SpanId, NOT is_pending FROM {SPANS}
            WHERE ({" OR ".join(self._conditions)})
              AND span_hash GLOBAL IN (SELECT cityHash64(lower(hex(t)), lower(hex(s))) FROM ids)
            SETTINGS log_comment = 'otlp.stored_spans'
        """

    def _time(self, nanoseconds: int) -> str:
        return f"fromUnixTimestamp64Nano({self._bound(nanoseconds, 'Int64')}, 'UTC')"

    def _bound(self, value: object, kind: str) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"


def stretches(starts: Iterable[int]) -> list[tuple[int, int]]:
    """First and last nanosecond of stretches of time that hold all of `starts`; at most MAX_STRETCHES."""
    bits = _STRETCH_BITS
    numbers = {start >> bits for start in starts}
    while True:
        found: list[tuple[int, int]] = []
        for number in sorted(numbers):
            first, end = number << bits, (number + 1 << bits) - 1
            if found and found[-1][1] + 1 == first:
                found[-1] = found[-1][0], end
            else:
                found.append((first, end))
        if len(found) <= MAX_STRETCHES:
            return found
        bits += 2
        numbers = {number >> 2 for number in numbers}


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
