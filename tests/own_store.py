"""Pytest plugin: a ClickHouse database for one file, with every table and no row.

Rows stay when a test ends, so that a worker's database holds hundreds of partitions after a while. What goes through
whole tables (repairs, rebuilds, deletions) would go through the spans of all tests before it.
"""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from agentops_portal.clickhouse.backend.creation import copy_tables
from agentops_portal.clickhouse.ddl import on_cluster

from .fresh import CLICKHOUSE


@pytest.fixture(scope="module")
def own_store(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Of the alias `clickhouse`, until the file's last test has ended."""
    connection, name = connections[CLICKHOUSE], f"own_{uuid4().hex[:8]}"
    shared = connection.settings_dict["NAME"]
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} {on_cluster()}")
        copy_tables(cursor, shared, name)
    _use(name)
    yield
    _use(shared)
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} {on_cluster()} SYNC")


def _use(name: str) -> None:
    connections[CLICKHOUSE].close()
    connections.settings[CLICKHOUSE]["NAME"] = name
