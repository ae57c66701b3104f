from typing import Any

from clickhouse_backend.backend import operations
from django.conf import settings

from ..ddl import local, on_cluster
from .binding import bind


class DatabaseOperations(operations.DatabaseOperations):
    def settings_sql(self, **kwargs: Any) -> tuple[str, tuple[Any, ...]]:
        """The SETTINGS clause, written out: ClickHouse takes no query parameters there."""
        sql, parameters = super().settings_sql(**kwargs)
        text, _ = bind(sql, parameters, by_server=False)
        return text.replace("%", "%%"), ()

    def sql_flush_table(self, style: Any, table: str) -> str:
        name = self.quote_name(local(table) if settings.CLICKHOUSE_CLUSTER else table)
        return f"TRUNCATE TABLE IF EXISTS {name} {on_cluster()}".strip()
