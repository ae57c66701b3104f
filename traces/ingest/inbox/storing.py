"""Stores the spans of requests that are in the inbox: none twice, and no request for the fault of another.

Until it has run through, it may be called again with the same entries.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog
from google.protobuf.message import DecodeError

from traces.ingest.otlp import metrics
from traces.ingest.otlp.messages import TraceRequest
from traces.ingest.otlp.plain_text import flatten_nested
from traces.ingest.otlp.span_keys import split_ids
from traces.ingest.otlp.wire_types import forget_unknown

from . import spans as store
from . import table as inbox
from .envelope import envelopes
from .once import leave_out_stored
from .settling import Settling
from .table import Entry
from .told_twice import leave_calls_to_traces

log = structlog.get_logger(__name__)

Unreadable = Callable[[Entry, str], None]  # what becomes of a request that cannot be decoded
# Between the look for what is stored and the insert no other thread may store the same.
_one_at_a_time = threading.Lock()
_settling = Settling()


def decode(entries: list[Entry], receiver: str, unreadable: Unreadable, patient: bool = False) -> list[Entry]:
    """Store the spans of entries that one receiver wrote down; what was stored before is left out and counted.

    Gives the entries that are not stored yet. When `patient`, some wait for a trace that may tell the same
    (told_twice.py). Others wait because another receiver was told a span of theirs first: when it has stored that, or
    died and somebody has for it, they may be tried again. Who was first is the order of the inbox, the same for all, so
    no two wait for each other. Raises Unavailable: some or all were not stored.
    """
    with _one_at_a_time:
        early = [entry for entry in entries if patient and entry.not_before > time.monotonic()]
        due = without(entries, early)
        if not due:
            return early
        waiting = _told_to_others_first(due, receiver)
        fresh = _first_of_equals(without(due, waiting))
        # After the inbox: what another receiver had there and has stored meanwhile is found here.
        leave_out_stored(fresh.values())
        for entry in fresh.values():
            entry.tried = True
        news = [entry for entry in fresh.values() if entry.body]
        doubtful = [entry for entry in news if entry.doubtful]
        if sure := without(news, doubtful):
            _insert(sure, unreadable)
        if doubtful:
            leave_calls_to_traces(doubtful)
            _insert(doubtful, unreadable)
        _settling.is_due = _settling.is_due or bool(news)
        return waiting + early


def settle_what_waits() -> None:
    """Judge the traces of which spans were stored since the last time. Not within a transaction of PostgreSQL, for
    another one is needed: who recovers spans holds a lock meanwhile.
    """
    with _one_at_a_time:
        if _settling.is_due:
            _settling.settle()


def without(entries: list[Entry], others: list[Entry]) -> list[Entry]:
    """Those that are none of the others; equal ones are not the same."""
    left_out = set(map(id, others))
    return [entry for entry in entries if id(entry) not in left_out]


def _told_to_others_first(entries: list[Entry], receiver: str) -> list[Entry]:
    theirs = inbox.told_to_others_first(entries, receiver)
    if not theirs:
        return []
    return [
        entry for entry in entries if any((entry.project_id, each) in theirs for each in split_ids(entry.span_ids()))
    ]


def _first_of_equals(entries: list[Entry]) -> dict[bytes, Entry]:
    """The first of each set of equal requests by their digest."""
    first: dict[bytes, Entry] = {}
    for entry in entries:
        if first.setdefault(entry.digest, entry) is not entry:
            entry.repeated = entry.spans
    return first


def _insert(entries: list[Entry], unreadable: Unreadable) -> None:
    """Store entries at once, or, when ClickHouse does not take them together, in halves."""
    metrics.DECODED_REQUESTS.observe(len(entries))
    try:
        with metrics.DECODE_SECONDS.time():
            _insert_rewritten(entries)
    except (store.Unreadable, store.TooMuchAtOnce) as error:
        halves = _halves(entries, error)
        if not halves:
            _put_aside(entries[0], error, unreadable)
        for half in halves:
            _insert(half, unreadable)


def _halves(entries: list[Entry], error: Exception) -> list[list[Entry]]:
    """What to try instead: half of the requests, or half of a request's spans. Nothing: it is as small as can be."""
    middle = len(entries) // 2
    if middle:
        return [entries[:middle], entries[middle:]]
    if isinstance(error, store.Unreadable):
        return []
    parts = [_part(entries[0], first_half) for first_half in (True, False)]
    return [[part] for part in parts] if all(part.body for part in parts) else []


def _part(entry: Entry, first_half: bool) -> Entry:
    """The request with one half of its spans."""
    message = TraceRequest.FromString(entry.body)
    scopes = [scope for resource_spans in message.resource_spans for scope in resource_spans.scope_spans]
    middle = sum(len(scope.spans) for scope in scopes) // 2
    position = kept = 0
    for scope in scopes:
        spans = [span for number, span in enumerate(scope.spans, position) if (number < middle) is first_half]
        position += len(scope.spans)
        kept += len(spans)
        del scope.spans[:]
        scope.spans.extend(spans)
    return replace(entry, body=message.SerializeToString() if kept else b"")


def _insert_rewritten(entries: list[Entry]) -> None:
    """Store entries as they are, or else in a form that ClickHouse can read."""
    rewrites: dict[type[Exception], Callable[[Any], bool]] = {
        store.NestedAttribute: flatten_nested,
        store.Unreadable: forget_unknown,
    }
    while True:
        try:
            store.insert(_joined(entries))
            return
        except tuple(rewrites) as error:
            rewrite = rewrites.pop(type(error))
        for entry in entries:
            entry.body = _rewritten(entry.body, rewrite)


def _rewritten(body: bytes, rewrite: Callable[[Any], bool]) -> bytes:
    try:
        message = TraceRequest.FromString(body)
    except DecodeError:
        return body  # no rewriting helps
    return message.SerializeToString() if rewrite(message) else body


def _put_aside(entry: Entry, error: Exception, unreadable: Unreadable) -> None:
    """Lets a request go that no retry will store, once it is safe elsewhere. Raises Unavailable."""
    inbox.put_aside(entry, str(error))
    log.error("a request cannot be decoded", project_id=str(entry.project_id), reason=str(error)[:500])
    unreadable(entry, str(error))


def _joined(entries: list[Entry]) -> bytes:
    return b"".join(envelopes(entry.body, entry.project_id, entry.digest) for entry in entries)
