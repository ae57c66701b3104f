"""Every test has projects of its own: rows of ClickHouse stay when a test ends."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connections

PAYLOADS = sorted(path.stem for path in (Path(__file__).parent.parent / "payloads").glob("*.pb"))


@pytest.fixture
def project_id() -> UUID:
    return uuid4()


@pytest.fixture
def sql() -> Callable[..., list[tuple[object, ...]]]:
    """Run a statement in the store as it is, without the gate."""

    def run(statement: str) -> list[tuple[object, ...]]:
        with connections["clickhouse"].cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    return run
