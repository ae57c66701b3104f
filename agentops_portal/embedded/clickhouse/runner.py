"""Runs one query in a worker thread: on a connection of its own, or as part of a session."""

from dataclasses import dataclass

from .engine import Connection, Engine, Result
from .errors import made
from .queries import Query
from .sessions import Session, Sessions


@dataclass(frozen=True, slots=True)
class SessionUse:
    """What a request says of its session: `timeout` in seconds, `check` that it must exist, `close` it afterwards."""

    name: str
    timeout: int
    check: bool
    close: bool


def run(engine: Engine, sessions: Sessions, query: Query, use: SessionUse | None, out: str) -> Result:
    """Run a query and wait for its end; raises ClickHouseError, also for what clients may not ask."""
    engine.check(query)
    if use is None:
        return _run_alone(engine, query, [], out)
    try:
        with sessions.use(use.name, use.timeout, use.check) as session:
            if session.connection is None and not query.statement.makes_temporary_table:
                result = _run_alone(engine, query, session.statements, out)
            else:
                result = _run_in(engine, session, query, out)
            if query.statement.changes_session:
                session.remember(query.text)
            return result
    finally:
        if use.close:
            sessions.close(use.name)


def _run_alone(engine: Engine, query: Query, before: list[bytes], out: str) -> Result:
    connection = engine.connect()
    try:
        engine.prepare(connection, [*before, *query.preparation()])
        return engine.run(connection, query, out)
    finally:
        connection.close()


def _run_in(engine: Engine, session: Session, query: Query, out: str) -> Result:
    """Run on the connection that holds a session's temporary tables, and take this query's settings back after it."""
    if session.connection is None:
        session.connection = engine.connect()
        engine.prepare(session.connection, session.statements)
    connection = session.connection
    if query.is_readonly():
        _check_readonly(engine, connection, query)  # the engine's own setting could not be taken back
    try:
        engine.prepare(connection, list(query.preparation(with_readonly=False)))
        return engine.run(connection, query, out)
    finally:
        engine.prepare(connection, [*query.restoration(), *session.statements])


def _check_readonly(engine: Engine, connection: Connection, query: Query) -> None:
    if connection.classify_query(query.text.decode(errors="replace"))["query_class"].name != "READ_ONLY":
        raise made(164, "READONLY", "default: Cannot execute query in readonly mode.", engine.version)
