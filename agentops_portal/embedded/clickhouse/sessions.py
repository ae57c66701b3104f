"""Sessions of `session_id`: what SET, USE and CREATE TEMPORARY TABLE left behind, for the requests that follow.

Settings and databases are kept as the statements that made them and are said again on each request's own connection,
so that a request's own settings never stay in the session. Temporary tables live in one connection, which a session
keeps from its first CREATE TEMPORARY TABLE on.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .engine import Connection, Engine
from .errors import made

MAX_TIMEOUT = 3600
DEFAULT_TIMEOUT = 60
_MAX_STATEMENTS = 1000


@dataclass(slots=True)
class Session:
    statements: list[bytes] = field(default_factory=list)
    connection: Connection | None = None
    busy: bool = False
    expires: float = 0.0

    def remember(self, statement: bytes) -> None:
        """Keep what a SET or USE that succeeded leaves behind."""
        if len(self.statements) < _MAX_STATEMENTS:
            self.statements.append(statement)


class Sessions:
    """All open sessions of one server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    @contextmanager
    def use(self, name: str, timeout: int, check: bool) -> Iterator[Session]:
        """The session of that name, made when it is new.

        Raises ClickHouseError when another request uses it, when `check` is set and it does not exist, and for a
        timeout (seconds) that is too long.
        """
        version = self._engine.version
        if timeout > MAX_TIMEOUT:
            text = f"Session timeout '{timeout}' is larger than max_session_timeout: {MAX_TIMEOUT}."
            raise made(374, "INVALID_SESSION_TIMEOUT", text, version)
        with self._lock:
            self._expire()
            session = self._sessions.get(name)
            if session is None:
                if check:
                    raise made(372, "SESSION_NOT_FOUND", f"Session {name} not found", version)
                session = self._sessions[name] = Session()
            if session.busy:
                raise made(373, "SESSION_IS_LOCKED", f"Session {name} is locked by a concurrent client", version)
            session.busy = True
        try:
            yield session
        finally:
            with self._lock:
                session.busy = False
                session.expires = time.monotonic() + timeout

    def close(self, name: str) -> None:
        with self._lock:
            session = self._sessions.pop(name, None)
        if session and session.connection:
            session.connection.close()

    def close_all(self) -> None:
        for name in list(self._sessions):
            self.close(name)

    def _expire(self) -> None:
        now = time.monotonic()
        for name, session in list(self._sessions.items()):
            if not session.busy and session.expires < now:
                del self._sessions[name]
                if session.connection:
                    session.connection.close()
