"""A Django database backend: django-clickhouse-backend's ORM and schema editor over clickhouse-connect (HTTP)."""

from typing import Any

from clickhouse_backend.backend import base
from clickhouse_connect import dbapi
from clickhouse_connect.driver.exceptions import Error
from django.conf import settings

from ..client import shared_client
from ..errors import as_database_error
from ..options import read_address
from .creation import DatabaseCreation
from .cursor import Connection, Cursor
from .operations import DatabaseOperations

# An UPDATE or DELETE is done when the ORM's call returns, on this server and on its replicas that are reachable.
SETTINGS = {"mutations_sync": 1}
STREAM_BLOCK_ROWS = 10_000


class DatabaseWrapper(base.DatabaseWrapper):
    Database = dbapi  # the DB-API exceptions that Django translates
    creation_class = DatabaseCreation
    ops_class = DatabaseOperations

    def __init__(self, settings_dict: dict[str, Any], alias: str = "clickhouse") -> None:
        without_name = not settings_dict["NAME"]
        super().__init__({**settings_dict, "OPTIONS": {**settings_dict["OPTIONS"]}}, alias)
        # The very dict that all threads' wrappers share: creating a test database changes its NAME.
        self.settings_dict = settings_dict
        if without_name:
            settings_dict["NAME"] = None  # the user's default database, not one called "default"
        self.migration_cluster = settings.CLICKHOUSE_CLUSTER or None
        self.distributed_migrations = bool(settings.CLICKHOUSE_CLUSTER)

    @property
    def needs_rollback(self) -> bool:
        """Never: there is no transaction that a failed statement could have broken."""
        return False

    @needs_rollback.setter
    def needs_rollback(self, value: bool) -> None:
        pass

    def get_connection_params(self) -> dict[str, Any]:
        return {"settings_dict": self.settings_dict}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        url = read_address(conn_params["settings_dict"]).url
        try:
            client = shared_client(conn_params["settings_dict"])
        except Error as error:
            raise as_database_error(error, url) from error
        return Connection(client, url, SETTINGS)

    def create_cursor(self, name: str | None = None) -> Cursor:
        return self.connection.cursor()

    def chunked_cursor(self) -> Any:
        """A cursor that reads its rows from the server while they are fetched."""
        self.ensure_connection()
        with self.wrap_database_errors:
            return self._prepare_cursor(self.connection.cursor(streaming=True))

    def _close(self) -> None:
        if self.connection is not None:
            self.connection.close()

    def is_usable(self) -> bool:
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except self.Database.Error:
            return False
        return True
