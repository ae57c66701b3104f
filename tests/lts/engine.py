"""The engine of chdb-core 26.3, as our HTTP front uses one: what that package lacks beside the newer ones."""

import re
from typing import Any

from agentops_portal.embedded.clickhouse.engine import Engine

_DROP = re.compile(rb"(DROP\s.*)\sSYNC\s*", re.DOTALL)


class LtsEngine(Engine):
    def connect(self) -> "_Connection":
        return _Connection(super().connect())


class _Connection:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def query(self, text: bytes, form: str) -> "_Result":
        # The task that removes dropped tables does not run in this package: whoever waits for it waits for ever.
        drop = _DROP.fullmatch(text)
        return _Result(self._connection.query(drop[1] if drop else text, form))

    def close(self) -> None:
        self._connection.close()


class _Result:
    def __init__(self, result: Any) -> None:
        self._result = result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)

    def rows_written(self) -> int:
        """Not counted here; the portal does not look at it."""
        return 0

    bytes_written = rows_written
