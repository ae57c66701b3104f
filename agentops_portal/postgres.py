"""The portal's own schema in PostgreSQL, with and without a pooler in between.

Tables live in schema `agentops`, found through the search path: on Supabase, everything in `public` is served to the
world. The path comes with the start-up options of a connection (settings/databases.py). A pooler in transaction mode
passes none, so `migrate` stores it with the role instead: every server connection of the pool then starts with it.
"""

import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error
from psycopg import sql

from .postgres_waiting import WaitingConnection
from .problems import StoreProblem

OLDEST_VERSION = 14
PROBE_SECONDS = 5
MAX_POOL = 50  # server connections that a pool may hold ready; pgbouncer's default is 20
POOL_SECONDS = 1.0  # how long a pool takes at most to give one
NONE_LEFT = "\0"


def behind_pooler() -> bool:
    return bool(settings.DATABASE_POOLER == "transaction")


def probe() -> None:
    """Return when PostgreSQL answers, lets the role in, is new enough and has, or may get, the portal's schema.

    On a connection of its own: Django's pool hides why there is none. Raises StoreProblem.
    """
    parameters = plain_parameters(connections[DEFAULT_DB_ALIAS]) | {"connect_timeout": PROBE_SECONDS}
    try:
        with psycopg.connect(**parameters) as client:
            version = client.info.server_version // 10000
            found = client.execute(
                "SELECT to_regnamespace(%s) IS NOT NULL OR has_database_privilege(current_database(), 'CREATE')",
                [f'"{settings.POSTGRES_SCHEMA}"'],
            ).fetchone()
    except psycopg.Error as error:
        raise _problem(str(error), parameters) from error
    if version < OLDEST_VERSION:
        raise StoreProblem(
            f"PostgreSQL at {_place(parameters)} is version {version}; the portal needs {OLDEST_VERSION} or newer.",
            "Upgrade it, or unset DATABASE_URL to use the one the portal brings along.",
        )
    if found != (True,):
        raise StoreProblem(
            f"The role {parameters['user']} may not create the schema {settings.POSTGRES_SCHEMA} in the database "
            f"{parameters['dbname']}.",
            f"Let an administrator run: GRANT CREATE ON DATABASE {parameters['dbname']} TO {parameters['user']};",
        )


def ensure_schema(connection: BaseDatabaseWrapper) -> None:
    """Create the schema unless it is there; behind a pooler, store the search path with the role, too."""
    with connection.cursor() as cursor:
        # Asked first: a role without the right to create schemas needs none when an administrator made it.
        cursor.execute("SELECT to_regnamespace(%s) IS NULL", [f'"{settings.POSTGRES_SCHEMA}"'])
        if cursor.fetchone() == (True,):
            cursor.execute(_named("CREATE SCHEMA IF NOT EXISTS {}", settings.POSTGRES_SCHEMA))
        if not behind_pooler():
            return
        cursor.execute("SELECT current_database()")
        (database,) = cursor.fetchone()
        statement = "ALTER ROLE CURRENT_USER IN DATABASE {} SET search_path = {}"
        cursor.execute(_named(statement, database, settings.POSTGRES_SCHEMA))
    _renew_pool(connection)


@contextmanager
def pinned_schema(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Make sure that what runs inside finds and creates tables in the portal's schema, and nowhere else.

    Behind a pooler that takes one transaction: each would otherwise get another server connection, and one that was
    opened before the role had its search path would create tables in `public`.
    """
    if not behind_pooler():
        yield
        return
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as cursor:
            cursor.execute(_named("SET LOCAL search_path = {}", settings.POSTGRES_SCHEMA))
            # A deferred foreign key of one migration would forbid the next one to alter its table.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield


def open_connection() -> psycopg.Connection[Any]:
    """A connection to the database of alias `default` for the caller alone, outside of Django and its pool.

    Raises psycopg.OperationalError at once when there is no server, where the pool would wait for one.
    """
    return WaitingConnection.connect(**plain_parameters(connections[DEFAULT_DB_ALIAS]))


def _renew_pool(connection: BaseDatabaseWrapper) -> None:
    """Give the pool's idle server connections the search path that new ones start with.

    They are held, one open transaction each, until the pool hands out one that has the path already, or no more.
    """
    parameters = plain_parameters(connection)
    set_path = _named("SET search_path = {}", settings.POSTGRES_SCHEMA).encode()
    held: list[psycopg.Connection[Any]] = []
    try:
        for _ in range(MAX_POOL):
            held.append(psycopg.connect(**parameters))
            if _current_schema(held[-1]) in {settings.POSTGRES_SCHEMA, NONE_LEFT}:
                break
            held[-1].pgconn.exec_(set_path)
    finally:
        for each in held[:-1]:
            each.pgconn.exec_(b"COMMIT")
        for each in held:
            each.close()


def _current_schema(client: psycopg.Connection[Any]) -> str:
    """What a server connection of the pool uses, held in a transaction; NONE_LEFT when the pool gives none in time."""
    client.pgconn.send_query(b"BEGIN; SELECT coalesce(current_schema(), '')")
    if not select.select([client.fileno()], [], [], POOL_SECONDS)[0]:
        return NONE_LEFT
    found = b""
    while (result := client.pgconn.get_result()) is not None:
        found = result.get_value(0, 0) or found
    return found.decode()


def _named(statement: str, *names: str) -> str:
    """The statement with each {} replaced by a quoted name, for which PostgreSQL knows no parameters."""
    return sql.SQL(statement).format(*map(sql.Identifier, names)).as_string(None)


def _problem(text: str, parameters: dict[str, Any]) -> StoreProblem:
    place = _place(parameters)
    lowered = text.lower()
    hint = "Correct it in DATABASE_URL."
    if "unsupported startup parameter" in lowered:
        return StoreProblem(f"There is a pooler at {place}.", "Set DATABASE_POOLER=transaction.")
    if "password authentication failed" in lowered or "no password supplied" in lowered or "role" in lowered:
        return StoreProblem(f"PostgreSQL at {place} refuses the user {parameters['user']} or the password.", hint)
    if "database" in lowered and "does not exist" in lowered:
        return StoreProblem(
            f"PostgreSQL at {place} has no database {parameters['dbname']}.",
            f"Create it (CREATE DATABASE {parameters['dbname']}), or correct DATABASE_URL.",
        )
    if "fatal" in lowered or "ssl" in lowered or "certificate" in lowered:
        return StoreProblem(f"PostgreSQL at {place} refuses the portal: {_reason(text)}.", "Check DATABASE_URL.")
    start = "`make up` starts it." if settings.POSTGRES_IS_EMBEDDED else "Start it, or correct DATABASE_URL."
    return StoreProblem(f"PostgreSQL at {place} cannot be reached: {_reason(text)}.", start)


def _reason(text: str) -> str:
    first = text.strip().splitlines()[0]
    return first.rpartition("failed: ")[2].removeprefix("FATAL:").strip().rstrip(".") or first


def _place(parameters: dict[str, Any]) -> str:
    return f"{parameters.get('host') or 'localhost'}:{parameters.get('port') or 5432}"


def plain_parameters(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    """What `psycopg.connect` needs to reach the same database, without Django's cursor, adapters and pool."""
    parameters = connection.get_connection_params()
    return {name: value for name, value in parameters.items() if name not in {"cursor_factory", "context"}}


@checks.register(checks.Tags.database)
def check_schema(*, databases: Sequence[str] | None = None, **_: Any) -> Sequence[checks.CheckMessage]:
    """portal.E101: tables would be made in, and read from, another schema than the portal's."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SELECT current_schema(), to_regnamespace(%s)", [f'"{settings.POSTGRES_SCHEMA}"'])
            current, exists = cursor.fetchone()
    except Error:
        return []  # an unreachable server is reported where it is used
    if current == settings.POSTGRES_SCHEMA or (exists is None and not behind_pooler()):
        return []
    return [
        checks.Error(
            f"PostgreSQL uses the schema {current or 'none'}, the portal's tables belong into "
            f"{settings.POSTGRES_SCHEMA}.",
            hint=_hint(),
            id="portal.E101",
        )
    ]


def _hint() -> str:
    if behind_pooler():
        return "Run `manage.py migrate` and let the pooler open new server connections (pgbouncer: RECONNECT)."
    return "Set DATABASE_POOLER=transaction if DATABASE_URL leads to a pooler, and take `options` out of DATABASE_URL."
