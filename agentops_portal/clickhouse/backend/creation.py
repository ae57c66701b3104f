"""Test databases: `test_<name>`, one per parallel worker, created and dropped like PostgreSQL's."""

from typing import Any

from clickhouse_backend.backend import creation

from ..ddl import on_cluster


class DatabaseCreation(creation.DatabaseCreation):
    def create_test_db(
        self, verbosity: int = 1, autoclobber: bool = False, serialize: bool = True, keepdb: bool = False
    ) -> str:
        # Django's TestCase then keeps PostgreSQL's transactions instead of flushing every table after each test.
        # ClickHouse's rows stay: a test uses a project of its own.
        self.connection.settings_dict["TEST"]["fake_transaction"] = True
        super().create_test_db(verbosity, autoclobber, serialize, keepdb)
        return str(self.connection.settings_dict["NAME"])

    def sql_table_creation_suffix(self) -> str:
        return on_cluster()

    def _get_on_cluster(self) -> str:
        return on_cluster()

    def _execute_create_test_db(self, cursor: Any, parameters: dict[str, str], keepdb: bool = False) -> None:
        # Neither kept nor wanted: left over from a run that was killed.
        if not keepdb and self._database_exists(cursor, parameters["dbname"]):
            cursor.execute(f"DROP DATABASE {parameters['dbname']} {on_cluster()} SYNC")
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {parameters['dbname']} {parameters['suffix']}")
        if template := self.connection.settings_dict["TEST"].get("TEMPLATE"):
            copy_tables(cursor, template, parameters["dbname"])

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        with self._nodb_cursor() as cursor:
            name = self.connection.ops.quote_name(test_database_name)
            cursor.execute(f"DROP DATABASE IF EXISTS {name} {on_cluster()} SYNC")

    def database_exists(self) -> bool:
        with self._nodb_cursor() as cursor:
            return bool(self._database_exists(cursor, self.connection.settings_dict["NAME"]))

    def ensure_database(self) -> None:
        """Create the database unless it exists: a user without the right to create databases needs none then."""
        if not self.database_exists():
            name = self.connection.ops.quote_name(self.connection.settings_dict["NAME"])
            with self._nodb_cursor() as cursor:
                cursor.execute(f"CREATE DATABASE IF NOT EXISTS {name} {on_cluster()}")


def copy_tables(cursor: Any, template: str, name: str) -> None:
    """Make the tables and views of another database here, too; the only rows are those of django_migrations."""
    cursor.execute(
        "SELECT create_table_query FROM system.tables WHERE database = %s "
        "ORDER BY engine = 'MaterializedView', engine != 'Join'",
        [template],
    )
    plain = name.strip('"')
    for (statement,) in cursor.fetchall():
        # Tables are named as they are, what functions look up in as texts.
        cursor.execute(statement.replace(f" {template}.", f" {name}.").replace(f"'{template}.", f"'{plain}."))
    cursor.execute(f"INSERT INTO {name}.django_migrations SELECT * FROM {template}.django_migrations")
