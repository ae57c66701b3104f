"""A few connections to PostgreSQL for statements that a caller waits for.

Django's pool checks each connection that it hands out, which is a round trip, and pages take all of it when they are
many. A connection that has rested is checked here, too: the server may have been restarted meanwhile.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from agentops_portal.postgres import open_connection

MOST: Final = 8
RESTED_SECONDS: Final = 2.0
WAIT_SECONDS: Final = 5.0
_room = threading.BoundedSemaphore(MOST)
_resting: list[tuple[psycopg.Connection[Any], float]] = []  # and since when


@contextmanager
def own_cursor() -> Iterator[Any]:
    """Each statement is a transaction of its own; within a transaction of the caller's, it is part of that.

    Raises django.db.Error.
    """
    django = connections[DEFAULT_DB_ALIAS]
    if django.in_atomic_block:
        with django.cursor() as cursor:
            yield cursor
        return
    with _borrowed() as connection, connection.cursor() as cursor:
        yield cursor


@contextmanager
def _borrowed() -> Iterator[psycopg.Connection[Any]]:
    if not _room.acquire(timeout=WAIT_SECONDS):
        raise OperationalError(f"none of {MOST} connections was free within {WAIT_SECONDS:g} s")
    try:
        with connections[DEFAULT_DB_ALIAS].wrap_database_errors:
            connection = _connection()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            _resting.append((connection, time.monotonic()))
    finally:
        _room.release()


def close_resting() -> None:
    while _resting:
        _resting.pop()[0].close()


def _connection() -> psycopg.Connection[Any]:
    while _resting:
        try:
            connection, since = _resting.pop()
        except IndexError:
            break  # another thread was quicker
        if time.monotonic() - since < RESTED_SECONDS or _answers(connection):
            return connection
    connection = open_connection()
    connection.autocommit = True
    return connection


def _answers(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("")
    except psycopg.Error:
        connection.close()
        return False
    return True
