"""Pytest plugin: what a transactional test leaves in PostgreSQL is deleted where there is something.

Django truncates every table and then makes all content types and permissions anew, which takes ten times as long.
ClickHouse is left as it is: a test uses a project of its own.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache

import pytest
from django.apps import apps
from django.db import IntegrityError, connection
from django.test import TransactionTestCase

from agentops_portal.clickhouse.router import is_clickhouse_model

# Made by `migrate`, and the same for every test.
KEPT = {"django_content_type", "auth_permission"}
TRIES = 10


def flush() -> None:
    """Delete all rows.

    Processes that a test has started go on writing: a receipt that comes between the look and the deletion keeps the
    key that it names. Then all is looked at again.
    """
    for _ in range(TRIES - 1):
        with suppress(IntegrityError):
            return _delete()
    _delete()


def _delete() -> None:
    """In any order: foreign keys are checked when all is done. Raises IntegrityError, with nothing deleted."""
    tables = _tables()
    filled = " UNION ALL ".join(f"SELECT {n} WHERE EXISTS (SELECT FROM {name})" for n, name in enumerate(tables))
    with connection.cursor() as cursor:
        cursor.execute(filled)
        if numbers := [number for (number,) in cursor.fetchall()]:
            cursor.execute("; ".join(f"DELETE FROM {tables[number]}" for number in numbers))


@cache
def _tables() -> list[str]:
    models = [model for model in apps.get_models(include_auto_created=True) if not is_clickhouse_model(model)]
    names = {model._meta.db_table for model in models if model._meta.managed}
    return [connection.ops.quote_name(name) for name in sorted(names - KEPT)]


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: flush())
        yield
