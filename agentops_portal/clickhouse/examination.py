"""Looks into a store before anything is migrated: is it one that this code can work with?"""

from collections.abc import Callable

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from ..problems import StoreProblem

OURS = ("projects", "traces", "guardrails")  # apps whose migrations say how old a store is

Look = Callable[[BaseDatabaseWrapper], None]
_looks: list[Look] = []


def register(look: Look) -> None:
    """Called when the portal starts, by an app that keeps tables in ClickHouse. `look` raises StoreProblem."""
    _looks.append(look)


def examine(connection: BaseDatabaseWrapper) -> None:
    """Raises StoreProblem when the store must not be touched by this code. Its database exists; nothing is changed."""
    _refuse_newer(connection)
    if connection.vendor == "clickhouse":
        for look in _looks:
            look(connection)


def _refuse_newer(connection: BaseDatabaseWrapper) -> None:
    """A store that a newer portal has migrated has tables of which this one knows nothing."""
    known = MigrationLoader(None).disk_migrations
    applied = MigrationRecorder(connection).applied_migrations()
    newer = sorted(f"{app}.{name}" for app, name in applied if app in OURS and (app, name) not in known)
    if newer:
        raise StoreProblem(
            f"The {connection.display_name} database {connection.settings_dict['NAME']} was migrated by a newer portal "
            f"({newer[-1]}).",
            "Start that version, or restore the backup from before its migration; nothing was changed.",
        )
