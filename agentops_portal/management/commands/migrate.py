from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.core.checks import Tags
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from agentops_portal import postgres
from agentops_portal.clickhouse import shape
from agentops_portal.clickhouse.backend.creation import DatabaseCreation as ClickHouseCreation
from agentops_portal.clickhouse.client import ALIAS as CLICKHOUSE
from agentops_portal.clickhouse.probe import probe
from agentops_portal.preparation import examine_store
from agentops_portal.problems import StoreProblem

# People, projects and keys first: spans refer to them.
ALIASES = (DEFAULT_DB_ALIAS, CLICKHOUSE)


class MissingDatabaseError(Exception):
    """A look at a database that no migration has created yet."""


class Command(migrate.Command):
    help = "Updates the schema of both databases, PostgreSQL and ClickHouse; creates what is missing around it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=None)
        for action in parser._actions:
            if action.dest == "database":
                action.help = "Nominates one database to synchronize. Defaults to all of them."

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        # Database checks follow in handle(), once the database exists; others may look into tables that do not.
        return {"tags": [Tags.models]}

    def handle(self, *args: Any, **options: Any) -> None:
        aliases = [options["database"]] if options["database"] else list(ALIASES)
        complete = True
        for alias in aliases:  # before the first of them is changed
            self._examine(connections[alias])
        for alias in aliases:
            connection = connections[alias]
            if len(aliases) > 1 and options["verbosity"] >= 1:
                self.stdout.write(self.style.MIGRATE_HEADING(f"{connection.display_name} ({alias}):"))
            complete &= self._migrate(connection, args, {**options, "database": alias})
        if not complete:
            raise SystemExit(1)

    def _migrate(self, connection: BaseDatabaseWrapper, args: tuple[Any, ...], options: dict[str, Any]) -> bool:
        """Bring one database up to date; False when --check finds it is not."""
        try:
            with self._prepared(connection, changes=not (options["plan"] or options["check_unapplied"])):
                if not options["skip_checks"]:
                    self.check(databases=[connection.alias], tags=[Tags.database])
                super().handle(*args, **options)
                return self._shaped(connection, options)
        except MissingDatabaseError:
            name = connection.settings_dict["NAME"]
            self.stdout.write(f"  The database {name} does not exist yet: migrate creates it.")
            return not options["check_unapplied"]
        except SystemExit:  # how Django's command ends --check
            return False

    def _shaped(self, connection: BaseDatabaseWrapper, options: dict[str, Any]) -> bool:
        """Bring ClickHouse into the shape of today's code, once all migrations are applied; progress is always printed.

        --check only looks, and False says that something differs. Raises CommandError when it cannot be done.
        """
        if connection.alias != CLICKHOUSE or options["plan"] or options["fake"]:
            return True
        if options["check_unapplied"]:
            faults = shape.faults(connection)
            for fault in faults:
                self.stdout.write(f"  {fault}")
            return not faults
        try:
            shape.keep(connection, lambda line: self.stdout.write(f"  {line}"))
        except StoreProblem as problem:
            raise CommandError(str(problem)) from problem
        return True

    def _examine(self, connection: BaseDatabaseWrapper) -> None:
        """Raises CommandError for a store that does not answer, or that this code must not touch."""
        try:
            (probe if connection.alias == CLICKHOUSE else postgres.probe)()
            examine_store(connection)
        except StoreProblem as problem:
            raise CommandError(str(problem)) from problem

    def _prepared(self, connection: BaseDatabaseWrapper, *, changes: bool) -> AbstractContextManager[None]:
        """Database and schema exist; --plan and --check change nothing. Raises MissingDatabaseError."""
        if isinstance(connection.creation, ClickHouseCreation):
            if changes:
                connection.creation.ensure_database()
            elif not connection.creation.database_exists():
                raise MissingDatabaseError
        elif changes:
            postgres.ensure_schema(connection)
            return postgres.pinned_schema(connection)
        return nullcontext()
