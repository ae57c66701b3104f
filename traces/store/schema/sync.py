"""Brings the typed columns of a store that has spans in line with the dialects of today's code.

A new store gets its columns from tables.py. One that exists is altered: columns are added or get another expression,
none is removed. Spans that come from then on have the new values. Spans stored before keep what they have in a column
that was there, and a column that is new is computed for them when it is read.
"""

import hashlib
from collections.abc import Mapping

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.operations import ClickHouseSQL

from .tables import SPANS
from .typed_columns import typed_columns

Columns = Mapping[str, tuple[str, str]]  # name → (type, expression)

_STORED = """
    SELECT name, type, default_kind, default_expression FROM system.columns
    WHERE database = currentDatabase() AND table = %s
"""


def sync_typed_columns(connection: BaseDatabaseWrapper, wanted: Columns | None = None) -> list[str]:
    """The statements that give `otel_traces` the columns `wanted`, by default those of the dialects; [] if it has them.

    On a cluster they alter the table of each shard and the one that spreads over them.
    """
    stored = _stored(connection)
    commands = [
        f"{'MODIFY COLUMN' if name in stored else 'ADD COLUMN IF NOT EXISTS'} {name} {kind} MATERIALIZED {expression}"
        for name, (kind, expression) in (typed_columns() if wanted is None else wanted).items()
        if stored.get(name) != (kind, "MATERIALIZED", _as_stored(connection, expression))
    ]
    if not commands:
        return []
    return [
        f"ALTER TABLE {' '.join(filter(None, (table, ddl.on_cluster())))} {', '.join(commands)}"
        for table in dict.fromkeys((ddl.local(SPANS), SPANS))
    ]


def fingerprint() -> str:
    """Twelve characters that change when a typed column does."""
    return hashlib.sha256(repr(typed_columns()).encode()).hexdigest()[:12]


class SyncTypedColumns(ClickHouseSQL):
    """The migration that a change of traces/store/dialects needs: `operations = [SyncTypedColumns("<fingerprint>")]`.

    The fingerprint, which a test compares, says which change the migration was written for; it always brings the store
    to the dialects of the code it runs with, so there is nothing to undo.
    """

    def __init__(self, fingerprint: str) -> None:
        super().__init__(_statements, ())
        self.fingerprint = fingerprint

    def describe(self) -> str:
        return f"ClickHouse: typed columns of {SPANS}, {self.fingerprint}"


def _statements(editor: BaseDatabaseSchemaEditor) -> list[str]:
    return sync_typed_columns(editor.connection)


def _stored(connection: BaseDatabaseWrapper) -> dict[str, tuple[str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_STORED, [ddl.local(SPANS)])
        return {name: (kind, default_kind, expression) for name, kind, default_kind, expression in cursor.fetchall()}


def _as_stored(connection: BaseDatabaseWrapper, expression: str) -> str:
    """The expression as ClickHouse writes it into system.columns: in its own notation."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT formatQuerySingleLine(concat('SELECT ', %s))", [expression])
        [(text,)] = cursor.fetchall()
    return str(text).removeprefix("SELECT ")
