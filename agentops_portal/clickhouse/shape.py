"""Does ClickHouse have the tables and views that today's code means? The app that owns them says how to tell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from .client import ALIAS

Say = Callable[[str], None]


@dataclass(frozen=True)
class Keeper:
    """app: whose migrations make the objects; faults: what differs, a sentence each, changing nothing; keep: brings the
    store into shape, with a line to `say` for each step, and raises StoreProblem when it cannot.
    """

    app: str
    faults: Callable[[BaseDatabaseWrapper], list[str]]
    keep: Callable[[BaseDatabaseWrapper, Say], None]


_keepers: list[Keeper] = []


def register_keeper(keeper: Keeper) -> None:
    """Called when the portal starts."""
    _keepers.append(keeper)


def faults(connection: BaseDatabaseWrapper) -> list[str]:
    """What differs in a store to which all migrations are applied; nothing in one that waits for some."""
    return [fault for keeper in _migrated(connection) for fault in keeper.faults(connection)]


def keep(connection: BaseDatabaseWrapper, say: Say) -> None:
    """Bring the store into shape, unless it waits for migrations. Raises StoreProblem."""
    for keeper in _migrated(connection):
        keeper.keep(connection, say)


def _migrated(connection: BaseDatabaseWrapper) -> list[Keeper]:
    """The keepers all of whose app's migrations are applied."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    return [keeper for keeper in _keepers if not executor.migration_plan(graph.leaf_nodes(keeper.app))]


@register(Tags.database)
def check_shape(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """portal.W006: the store has other tables or views than this code means. `check --database clickhouse` looks."""
    if ALIAS not in (databases or ()) or not _exists(connections[ALIAS]):
        return []
    return [
        Warning(
            f"The ClickHouse store differs from what this portal needs: {fault}.",
            hint="Run `manage.py migrate`, which says what it alters and computes anew.",
            id="portal.W006",
        )
        for fault in faults(connections[ALIAS])
    ]


def _exists(connection: BaseDatabaseWrapper) -> bool:
    creation: Any = connection.creation
    return bool(creation.database_exists())
