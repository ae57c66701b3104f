"""Has the traces judged whose spans were stored (traces/store/calls/judging.py).

Of several receivers one does it at a time: the lock is PostgreSQL's. While that is away spans are stored all the same,
and the next look goes back to where the last one ended.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from clickhouse_connect.driver.exceptions import Error
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection, transaction

from agentops_portal.clickhouse.client import get_client
from traces.store.calls.judging import judge_received

log = structlog.get_logger(__name__)

LOCK = 0x0071_CA11  # of pg_advisory_xact_lock: whoever holds it judges


class Settling:
    """Not to be used by two threads at once."""

    def __init__(self) -> None:
        self._since_ms: int | None = None
        self.is_due = False  # something was stored of which the traces were not judged

    def settle(self) -> None:
        """Judge what was stored since the last time. Raises nothing: `is_due` says that it must be tried again."""
        self.is_due = True
        try:
            with alone():
                self._since_ms = judge_received(get_client(), self._since_ms)
            self.is_due = False
        except (Error, DatabaseError) as error:
            log.warning("which calls are the same is decided later", reason=str(error)[:300])
        except Exception:  # what decides must not keep spans from being stored
            log.exception("which calls are the same was not decided")


@contextmanager
def alone() -> Iterator[None]:
    """While nobody else judges, in whatever process. Raises django.db.Error."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            yield
    finally:
        close_old_connections()
