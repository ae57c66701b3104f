"""Django's PostgreSQL, but a request that found it away does not wait for it a second time."""

import time
from typing import Any, Final

from django.db.backends.postgresql import base
from psycopg import OperationalError

REMEMBERED_SECONDS: Final = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """A thread's connection. Middleware, throttle, view and error page each ask for one: the first waits, and the
    others hear at once what it found, until the next request.
    """

    _failed_at = float("-inf")

    def get_new_connection(self, conn_params: Any) -> Any:
        if time.monotonic() - self._failed_at < REMEMBERED_SECONDS:
            raise OperationalError("PostgreSQL did not answer a moment ago.")
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            self._failed_at = time.monotonic()
            raise

    def close_if_unusable_or_obsolete(self) -> None:
        """Django calls it before and after each request."""
        self._failed_at = float("-inf")
        super().close_if_unusable_or_obsolete()

    def close_pool(self) -> None:
        self._failed_at = float("-inf")
        super().close_pool()  # type: ignore[misc]  # the stubs do not know it
