"""Has the traces judged whose spans were stored (traces/store/calls/judging.py).

Of several receivers one does it at a time: the lock is PostgreSQL's. While somebody else has it, or PostgreSQL is away,
spans are stored all the same, and the next look goes back to where the last one ended.
"""

import structlog
from clickhouse_connect.driver.exceptions import Error
from django.db import Error as DatabaseError
from django.db import close_old_connections

from agentops_portal.clickhouse.client import get_client
from traces.store.calls.finding import Memory
from traces.store.calls.judging import alone, judge_received

log = structlog.get_logger(__name__)


class Settling:
    """Not to be used by two threads at once."""

    def __init__(self) -> None:
        self._since_ms: int | None = None
        self._memory = Memory()
        self.is_due = False  # something was stored of which the traces were not judged

    def settle(self) -> None:
        """Judge what was stored since the last time. Raises nothing: `is_due` says that it must be tried again."""
        self.is_due = True
        try:
            with alone() as is_alone:
                if is_alone:
                    self._since_ms = judge_received(get_client(), self._since_ms, self._memory)
                    self.is_due = False
        except (Error, DatabaseError) as error:
            log.warning("which calls are the same is decided later", reason=str(error)[:300])
        except Exception:  # what decides must not keep spans from being stored
            log.exception("which calls are the same was not decided")
        finally:
            close_old_connections()  # of a thread that nobody else does it for
