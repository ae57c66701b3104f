"""Pytest plugin: PostgreSQL away, for real: the connection points at a port where nobody listens."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connection

from tests.services import free_ports

Outage = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def outage() -> Outage:
    @contextmanager
    def postgres_is_away() -> Iterator[None]:
        port = connection.settings_dict["PORT"]
        timeout = connection.settings_dict["OPTIONS"]["pool"]["timeout"]
        move_to(str(free_ports(1)[0]), timeout=0.3)
        try:
            yield
        finally:
            move_to(port, timeout)

    def move_to(port: str, timeout: float) -> None:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined] # it has read the settings already
        connection.settings_dict["PORT"] = port
        connection.settings_dict["OPTIONS"]["pool"]["timeout"] = timeout

    return postgres_is_away
