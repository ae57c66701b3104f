"""Pytest plugin: databases that no migration has seen, in the servers of the test run."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from django.db import connections
from psycopg import sql
from pytest_django import DjangoDbBlocker

from agentops_portal.clickhouse.client import open_client
from agentops_portal.postgres import plain_parameters

POSTGRES, CLICKHOUSE = "default", "clickhouse"


def _use(names: dict[str, str]) -> None:
    for alias, name in names.items():
        connection = connections[alias]
        connection.close()
        if alias == POSTGRES:
            connection.close_pool()  # type: ignore[attr-defined]
        connections.settings[alias]["NAME"] = name


@pytest.fixture
def fresh(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Both aliases point to databases that no migration has seen; ClickHouse's does not even exist."""
    name = f"migrate_{uuid4().hex[:8]}"
    kept = {alias: connections.settings[alias]["NAME"] for alias in (POSTGRES, CLICKHOUSE)}
    with django_db_blocker.unblock():
        server = plain_parameters(connections[POSTGRES]) | {"dbname": "postgres"}
        with psycopg.connect(**server, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            _use({POSTGRES: name, CLICKHOUSE: name})
            try:
                yield name
            finally:
                _use(kept)
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
                in_clickhouse(f"DROP DATABASE IF EXISTS {name}")


def in_clickhouse(query: str) -> list[str]:
    """The first column of a SELECT; of another statement nothing."""
    client = open_client(connections.settings[CLICKHOUSE], database=None)
    if not query.lstrip().startswith("SELECT"):
        client.command(query)
        return []
    return [row[0] for row in client.query(query).result_rows]
