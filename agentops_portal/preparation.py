"""What must be true before the portal's processes start; each step does nothing when it has nothing to do."""

import hashlib
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from agentops_portal.clickhouse import shape
from agentops_portal.clickhouse.client import ALIAS
from agentops_portal.clickhouse.examination import examine

# Of packages that bring more than the portal's pages load.
UNUSED_FILES = ["redoc", "swagger-ui-bundle.js.map", "swagger-ui-standalone-preset*"]


def compile_translations() -> list[str]:
    """Compile each `django.po` that is newer than its `django.mo`; returns the languages compiled.

    With Babel, for GNU gettext, which Django's compilemessages needs, is not on every machine.
    """
    stale = stale_translations()
    for source in stale:
        target = source.with_suffix(".mo")
        draft = target.with_suffix(".mo.new")
        with source.open("rb") as text, draft.open("wb") as binary:
            write_mo(binary, read_po(text))
        draft.replace(target)
    return [source.parent.parent.name for source in stale]


def stale_translations() -> list[Path]:
    """The `django.po` files whose `django.mo` is missing or older."""
    return [
        source
        for source in _translations()
        if not (target := source.with_suffix(".mo")).exists() or target.stat().st_mtime_ns < source.stat().st_mtime_ns
    ]


def stale_static() -> bool:
    """Whether a static file, or the way they are stored, has changed since collect_static() ran."""
    stamp = _static_stamp()
    return not (stamp.exists() and settings.STATIC_ROOT.is_dir() and stamp.read_text() == _static_fingerprint())


def collect_static() -> None:
    """Copy and compress the static files into STATIC_ROOT, where the web process serves them from."""
    stamp = _static_stamp()
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=UNUSED_FILES)
    stamp.write_text(_static_fingerprint())


def unapplied_migrations() -> list[str]:
    """The migrations that `manage.py migrate` would apply, as "alias: app.name"."""
    found = []
    for alias in connections:
        connection = connections[alias]
        creation: Any = connection.creation
        if connection.vendor == "clickhouse" and not creation.database_exists():
            loader = MigrationLoader(None)
            plan = [loader.graph.nodes[key] for key in loader.graph.leaf_nodes()]
        else:
            executor = MigrationExecutor(connection)
            plan = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
        found += [f"{alias}: {migration.app_label}.{migration.name}" for migration in plan]
    return found


def store_differs() -> bool:
    """Whether `manage.py migrate` would alter ClickHouse though all migrations are applied."""
    return bool(shape.faults(connections[ALIAS]))


def examine_store(connection: BaseDatabaseWrapper) -> None:
    """Raises StoreProblem when this code must not touch the store. A database that does not exist yet is fine."""
    creation: Any = connection.creation
    if connection.vendor != "clickhouse" or creation.database_exists():
        examine(connection)


def make_folders() -> None:
    """The folders that the broker and uploads expect to find."""
    folders = [settings.MEDIA_ROOT]
    if settings.CELERY_BROKER_IS_EMBEDDED:
        folders += [settings.BROKER_DIR / name for name in ("queue", "control", "processed")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)


def _translations() -> list[Path]:
    return [file for folder in settings.LOCALE_PATHS for file in sorted(folder.glob("*/LC_MESSAGES/django.po"))]


def _static_stamp() -> Path:
    return Path(settings.PORTAL_VAR / "static.stamp")


def _static_fingerprint() -> str:
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
