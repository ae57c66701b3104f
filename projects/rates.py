"""Counts requests over all processes, so that a limit is one limit however many workers there are.

Each process takes requests from the count in PostgreSQL by the block, a twentieth of the limit, and spends the block
in memory: one write in many requests, and never more than the limit in all. What a process took and did not spend
is lost for the rest of the window. A flood above the limit costs no writes at all.
"""

import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from django.db import Error, connection

from .models import RequestCount

log = structlog.get_logger(__name__)

BLOCKS: Final = 20
MAX_LEASES: Final = 10_000

# One row for each counted one: its window moves on when a request comes in a later one.
UPSERT: Final = """
INSERT INTO {table} (name, window_start, requests) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET
    requests = CASE WHEN {table}.window_start = excluded.window_start
                    THEN {table}.requests + excluded.requests ELSE excluded.requests END,
    window_start = excluded.window_start
RETURNING requests
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `requests` in each window of `seconds`; windows begin at multiples of their length."""

    name: str
    requests: int
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Usage:
    """How a request counted. `remaining` leaves out what other processes have not spent yet."""

    allowed: bool
    limit: int
    remaining: int
    reset: int  # Unix seconds: the window's end


@dataclass(slots=True)
class _Lease:
    window: int
    taken: int = 0  # from the limit, by all processes, when this one asked last
    left: int = 0  # of this process's block


_leases: dict[str, _Lease] = {}
_lock = threading.Lock()


def forget() -> None:
    """Drop the blocks of this process."""
    with _lock:
        _leases.clear()


def take(limit: Limit, who: str) -> Usage:
    """Count one request of `who`. Without PostgreSQL it is allowed: a limit must not make an outage worse."""
    name = f"{limit.name}:{who}"
    window = int(time.time() // limit.seconds)
    usage = _from_lease(limit, name, window)
    if usage is not None:
        return usage
    block = max(1, limit.requests // BLOCKS)
    try:
        taken = _reserve(name, datetime.fromtimestamp(window * limit.seconds, tz=UTC), block)
    except Error as error:
        log.warning("requests are not counted", error=type(error).__name__)
        return Usage(True, limit.requests, limit.requests, (window + 1) * limit.seconds)
    granted = max(0, min(block, limit.requests - (taken - block)))
    with _lock:
        _make_room(window)
        lease = _leases.get(name)
        if lease is None or lease.window != window:
            lease = _leases[name] = _Lease(window)
        lease.taken = max(lease.taken, taken)
        lease.left += granted
    return _from_lease(limit, name, window) or _usage(limit, lease, allowed=False)


def _from_lease(limit: Limit, name: str, window: int) -> Usage | None:
    """Spend one request of the block; None when a new block must be asked for."""
    with _lock:
        lease = _leases.get(name)
        if lease is None or lease.window != window:
            return None
        if lease.left > 0:
            lease.left -= 1
            return _usage(limit, lease, allowed=True)
        return _usage(limit, lease, allowed=False) if lease.taken >= limit.requests else None


def _usage(limit: Limit, lease: _Lease, *, allowed: bool) -> Usage:
    remaining = max(0, limit.requests - lease.taken) + lease.left
    return Usage(allowed, limit.requests, remaining, (lease.window + 1) * limit.seconds)


def _make_room(window: int) -> None:
    if len(_leases) < MAX_LEASES:
        return
    _leases.clear()  # the blocks of this minute are lost: rather that than a memory that grows with every address


def _reserve(name: str, window_start: datetime, block: int) -> int:
    """Add `block` to the count of this window and return it. Names are hashed: an address is nobody else's business."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(UPSERT.format(table=RequestCount._meta.db_table), [digest, window_start, block])
        (taken,) = cursor.fetchone()
    return int(taken)
