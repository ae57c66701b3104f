"""Connections to PostgreSQL that give up on a server that hangs.

`statement_timeout` is the server's own, and a stopped server has none; TCP knows nothing either, for its kernel goes on
acknowledging. So the client counts: psycopg waits for the socket in `Connection.wait`, with a limit here.

Only processes that answer people and clients have one (`limit_waiting`): a migration or a background task may wait for
a long statement, and goes on by itself when the server does.
"""

from typing import Any, Final

import psycopg
from psycopg import errors
from psycopg.abc import PQGen

CHECK_SECONDS: Final = 2.0  # what the pool gives a connection to show that it is alive, before it opens another
SERVING_SECONDS: Final = 6.0  # … and with the five seconds for another one, a page is answered within 15

_limit: float | None = None


class PostgresHangs(psycopg.OperationalError):
    """No answer within the limit; the connection is closed."""


def limit_waiting(seconds: float | None = SERVING_SECONDS) -> None:
    """From now on, no statement of this process waits longer for its answer; None: as long as it takes."""
    global _limit
    _limit = seconds


class WaitingConnection(psycopg.Connection[Any]):
    """psycopg's, with the limits above."""

    _limit: float | None = None  # of the statement that is being executed

    def execute(self, query: Any, params: Any = None, **options: Any) -> psycopg.Cursor[Any]:
        if query == "":  # psycopg_pool's check
            self._limit = CHECK_SECONDS
        try:
            return super().execute(query, params, **options)
        finally:
            self._limit = None

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        limit = timeout or self._limit or _limit
        try:
            return super().wait(gen, interval, limit)
        except errors._WaitTimeout as error:
            if timeout is not None:
                raise
            self.pgconn.finish()  # what it still answers belongs to nobody
            raise PostgresHangs(f"PostgreSQL has not answered within {limit:g} s.") from error
