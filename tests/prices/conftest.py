from collections.abc import Iterator

import pytest

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.client import get_client
from traces.store.prices.filling import fill
from traces.store.schema.rates import HELD


@pytest.fixture
def filled_book(db: None) -> Iterator[None]:
    """ClickHouse holds what the package says; other tests count on it that nothing has a price."""
    fill()
    yield
    get_client().command(f"TRUNCATE TABLE {ddl.database()}.{HELD}")
