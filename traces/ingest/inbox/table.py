"""The inbox in ClickHouse: where requests are safe from their acknowledgement until their spans are stored.

Storing spans has a high fixed price (about 50 ms: ClickHouse prepares the expressions of every typed column and
roll-up), writing a request down as it came has a low one (5 ms). So a request is acknowledged when it is in the inbox,
and its spans are stored a moment later, many requests at once (decoder.py). What a killed receiver leaves behind,
another one stores (keeper.py).

A row belongs to a segment, `<receiver>-<number>`, which is a partition, because dropping one is cheap.
"""

import time
from base64 import b64decode
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

import structlog
from clickhouse_connect.driver.exceptions import Error
from clickhouse_connect.driver.external import ExternalData
from google.protobuf.message import DecodeError

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.client import get_client
from projects.credentials import Credential
from traces.ingest.otlp.errors import Unavailable
from traces.ingest.otlp.messages import TraceRequest
from traces.ingest.otlp.request import ExportRequest
from traces.ingest.otlp.signals import TRACES
from traces.ingest.otlp.span_keys import SPAN_ID_BYTES, SpanId, ids_of, keys_of
from traces.store.schema.tables import INBOX, UNREADABLE

from .envelope import varint

log = structlog.get_logger(__name__)

_REQUEST = ["project_id", "key_id", "digest", "spans", "body"]
_COLUMNS = ["segment", "span_ids", *_REQUEST]
_UNREADABLE_COLUMNS = ["reason", *_REQUEST]
# On a cluster an insert is done when the shard has the rows, not when this server has noted where they go.
_SETTINGS = {"distributed_foreground_insert": 1, "log_comment": "otlp.inbox"}
_AWAY = "The span store cannot take spans now. Send it again later."
_NO_BODY = ""  # a row that only says that its receiver is alive
# Exporters of one client send spans and logs a few seconds apart.
PATIENCE_SECONDS = 12.0
RECEIVER_LENGTH = 32  # characters of a segment's name before its number


@dataclass(slots=True)
class Entry:
    """A request that is acknowledged, or about to be. `body` is protobuf, with the spans that can be stored."""

    credential: Credential
    digest: bytes
    body: bytes
    spans: int
    keys: bytes = b""  # of its spans (span_keys.py); empty: not read yet
    rejected: int = 0
    rejection: str = ""  # of spans, or of items of another signal
    signal: str = TRACES.name
    not_stored: int = 0  # items of another signal that became no span
    latest_end: int = 0  # Unix nanoseconds, 0: unknown
    size: int = 0  # bytes as they were received, inflated
    doubtful: frozenset[SpanId] = frozenset()  # calls told by log records that a trace may tell, too
    not_before: float = 0.0  # time.monotonic() until which their trace is waited for
    segment: str = ""
    held: int = 0  # bytes of memory until the spans are stored
    repeated: int = 0  # spans that were stored before
    tried: bool = False  # what is stored of it may be from this receiver's own attempt

    @classmethod
    def of(cls, credential: Credential, request: ExportRequest, size: int) -> "Entry":
        return cls(
            credential=credential,
            digest=request.digest,
            body=request.body,
            spans=request.spans,
            rejected=request.rejected if request.signal is TRACES else 0,
            signal=request.signal.name,
            not_stored=request.not_stored + (0 if request.signal is TRACES else request.rejected),
            rejection=request.rejection if request.rejected else "",
            latest_end=request.latest_end,
            size=size,
            keys=request.keys,
            doubtful=request.doubtful,
            not_before=time.monotonic() + PATIENCE_SECONDS if request.doubtful else 0.0,
        )

    @property
    def duplicate(self) -> bool:
        """All of its spans were stored before."""
        return 0 < self.spans <= self.repeated

    @property
    def project_id(self) -> UUID:
        return self.credential.project_id

    def span_ids(self) -> bytes:
        """The ids of its spans, one after the other.

        Of a request that another receiver wrote down they are read; none if it is unreadable, as the insert will say.
        """
        if not self.keys and self.body:
            try:
                self.keys = keys_of(TraceRequest.FromString(self.body))
            except DecodeError:
                return b""
        return ids_of(self.keys)


def put(entries: Collection[Entry], segment: str) -> None:
    """Write entries down; when this returns, ClickHouse has committed them. Raises Unavailable."""
    _insert(INBOX, _COLUMNS, b"".join(_text(segment) + _span_ids(entry) + _request(entry) for entry in entries))


def put_aside(entry: Entry, reason: str) -> None:
    """Keep a request that cannot be decoded, for people to look at. Raises Unavailable."""
    _insert(UNREADABLE, _UNREADABLE_COLUMNS, _text(reason[:1000]) + _request(entry))


def touch(segment: str) -> None:
    """Show that the receiver of a segment is alive. Raises Unavailable."""
    nobody = Credential(project_id=UUID(int=0), key_id=UUID(int=0), scopes=frozenset())
    put([Entry(nobody, digest=bytes(16), body=b"", spans=0)], segment)


def drop(segments: Iterable[str]) -> None:
    """Forget segments, all of whose requests are stored. Raises Unavailable."""
    actions = ", ".join(f"DROP PARTITION '{segment}'" for segment in segments)
    try:
        get_client().command(f"ALTER TABLE {ddl.local(INBOX)} {ddl.on_cluster()} {actions}")
    except Error as error:
        raise unavailable(error) from error


def rows_of_others(receiver: str) -> dict[str, int]:
    """Segment → rows, of every receiver but this one. Raises Unavailable."""
    return dict(
        _query(
            f"""
            SELECT segment, count() FROM {INBOX}
            WHERE substring(segment, 1, {RECEIVER_LENGTH}) != {{receiver:String}} GROUP BY segment
            """,
            {"receiver": receiver},
        )
    )


def waiting(project_id: UUID) -> int:
    """How many of a project's requests are acknowledged and wait for their spans to be stored. Raises Unavailable."""
    [(count,)] = _query(
        f"SELECT count() FROM {INBOX} WHERE project_id = {{project_id:UUID}}", {"project_id": str(project_id)}
    )
    return int(count)


def told_to_others_first(entries: Collection[Entry], receiver: str) -> set[tuple[UUID, SpanId]]:
    """Project and ids of those of their spans that another receiver wrote down before and has not stored.

    `receiver` wrote these entries down. Raises Unavailable.
    """
    others = f"substring(segment, 1, {RECEIVER_LENGTH}) != {{receiver:String}}"
    mine = {"receiver": receiver}
    if not list(_query(f"SELECT 1 FROM {INBOX} WHERE {others} AND spans > 0 LIMIT 1", mine)):
        return set()  # as always when one process receives
    ids = b"".join(entry.span_ids() for entry in entries)
    rows = _query(
        f"""
        SELECT project_id, hex(span_id) FROM {INBOX} ARRAY JOIN span_ids AS span_id
        WHERE project_id IN {{projects:Array(UUID)}} AND span_id GLOBAL IN (SELECT id FROM ids)
        GROUP BY project_id, span_id
        HAVING substring(argMin(segment, (received_at, segment)), 1, {RECEIVER_LENGTH}) != {{receiver:String}}
        """,
        {**mine, "projects": sorted({str(entry.project_id) for entry in entries})},
        ExternalData(file_name="ids", data=ids, fmt="RowBinary", structure="id FixedString(24)"),
    )
    return {(project_id, bytes.fromhex(span_id)) for project_id, span_id in rows}


def read(segment: str) -> list[Entry]:
    """All of a segment. Raises Unavailable."""
    rows = _query(
        f"""
        SELECT project_id, key_id, hex(digest), spans, base64Encode(body)
        FROM {INBOX} WHERE segment = {{segment:String}} AND body != '{_NO_BODY}' ORDER BY received_at
        """,
        {"segment": segment},
    )
    return [_entry(segment, *row) for row in rows]


def _entry(segment: str, project_id: UUID, key_id: UUID, digest: str, spans: int, body: str) -> Entry:
    credential = Credential(project_id=project_id, key_id=key_id, scopes=frozenset({"ingest"}))
    content = b64decode(body)
    return Entry(credential, bytes.fromhex(digest), content, spans, size=len(content), segment=segment)


def _insert(table: str, columns: list[str], rows: bytes) -> None:
    try:
        # A stream, because the driver sends bytes a second time when a connection breaks, stored or not.
        get_client().raw_insert(
            table, column_names=columns, insert_block=BytesIO(rows), settings=_SETTINGS, fmt="RowBinary"
        )
    except Error as error:
        raise unavailable(error) from error


def _query(sql: str, parameters: Mapping[str, object], tables: ExternalData | None = None) -> Iterator[Any]:
    try:
        return iter(get_client().query(sql, parameters=dict(parameters), external_data=tables).result_rows)
    except Error as error:
        raise unavailable(error) from error


def unavailable(error: Error) -> Unavailable:
    log.error("the span store did not answer", reason=str(error)[:500])
    return Unavailable(_AWAY)


def _text(value: str) -> bytes:
    """RowBinary: https://clickhouse.com/docs/interfaces/formats/RowBinary"""
    encoded = value.encode()
    return varint(len(encoded)) + encoded


def _span_ids(entry: Entry) -> bytes:
    ids = entry.span_ids()
    return varint(len(ids) // SPAN_ID_BYTES) + ids


def _request(entry: Entry) -> bytes:
    return b"".join(
        (
            _uuid(entry.credential.project_id),
            _uuid(entry.credential.key_id),
            entry.digest,
            entry.spans.to_bytes(4, "little"),
            varint(len(entry.body)),
            entry.body,
        )
    )


def _uuid(value: UUID) -> bytes:
    """Two little-endian halves."""
    return value.bytes[7::-1] + value.bytes[:7:-1]
