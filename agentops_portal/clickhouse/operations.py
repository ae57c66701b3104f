"""The migration operation for what ClickHouse has and Django's models have not: engines, views, TTLs, projections."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import router
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from .router import HINT

Statements = str | Sequence[str]
# Called when the operation runs, so that DDL follows the settings of the day (see ddl.py); None when it did the work.
Source = Statements | Callable[[BaseDatabaseSchemaEditor], Statements | None]


class ClickHouseSQL(Operation):
    """Runs statements, one after the other, on the ClickHouse alias and on no other.

    `forward` and `backward` are SQL text (a `%` is just a `%`), several texts, or a function that takes the schema
    editor and returns them. They must be safe to run twice (IF NOT EXISTS, IF EXISTS): ClickHouse has no transaction,
    so a migration that failed half-way starts again. Without `backward` it cannot be undone; pass () when there is
    nothing to undo. `state_operations` tell Django what the statements did to its models.
    """

    reduces_to_sql = True

    def __init__(
        self, forward: Source, backward: Source | None = None, *, state_operations: Sequence[Operation] = ()
    ) -> None:
        self.forward = forward
        self.backward = backward
        self.state_operations = state_operations

    @property
    def reversible(self) -> bool:  # type: ignore[override]
        return self.backward is not None

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for operation in self.state_operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self._run(app_label, schema_editor, self.forward)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if self.backward is None:
            raise NotImplementedError("This operation cannot be undone.")
        self._run(app_label, schema_editor, self.backward)

    def describe(self) -> str:
        text = _name(self.forward) if callable(self.forward) else " ".join(_listed(self.forward))
        text = " ".join(text.split())
        return f"ClickHouse: {text[:77]}…" if len(text) > 78 else f"ClickHouse: {text}"

    def _run(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, source: Source) -> None:
        if not router.allow_migrate(schema_editor.connection.alias, app_label, **{HINT: True}):
            return
        statements: Any = source(schema_editor) if callable(source) else source
        for statement in _listed(statements or ()):
            schema_editor.execute(statement, params=None)


def _listed(statements: Statements) -> Sequence[str]:
    return [statements] if isinstance(statements, str) else statements


def _name(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "")
    return "statements" if name in {"", "<lambda>"} else f"{name}()"
