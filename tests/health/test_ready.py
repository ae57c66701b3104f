import socket
import threading
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from agentops_portal.clickhouse.client import close_clients
from agentops_portal.health import stores

from ..services import free_ports

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


@pytest.fixture
def store_settings() -> Iterator[dict[str, dict[str, Any]]]:
    """What the connections are made from, to be changed by a test."""
    before = {alias: deepcopy(connections.settings[alias]) for alias in connections}
    live = {alias: connections[alias].settings_dict for alias in connections}
    yield live
    for alias, settings_dict in live.items():
        settings_dict.clear()
        settings_dict.update(before[alias])
    close_clients()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    taken.append(listening.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield listening.getsockname()[1]
    for each in taken:
        each.close()


def test_both_stores_answer(client: Client) -> None:
    response = client.get("/ready")
    assert response.json() == {"status": "ok", "postgres": "ok", "clickhouse": "ok"}
    assert response.status_code == 200


@pytest.mark.parametrize("alias", ["default", "clickhouse"])
def test_a_store_that_is_down_is_named_and_the_other_is_not(
    client: Client, store_settings: dict[str, dict[str, Any]], alias: str
) -> None:
    store_settings[alias]["PORT"] = free_ports(1)[0]
    response = client.get("/ready")
    assert response.status_code == 503
    down, up = ("postgres", "clickhouse") if alias == "default" else ("clickhouse", "postgres")
    assert response.json() == {"status": "unavailable", down: "it cannot be reached", up: "ok"}


@pytest.mark.parametrize("alias", ["default", "clickhouse"])
def test_a_store_that_does_not_answer_is_given_up_in_time(
    client: Client,
    store_settings: dict[str, dict[str, Any]],
    alias: str,
    silent_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stores, "ANSWER_SECONDS", 1)
    store_settings[alias]["PORT"] = silent_port
    response = client.get("/ready")
    assert response.status_code == 503
    assert "no answer within 1 s" in response.json().values()


def test_a_wrong_password_is_said_without_user_or_host(
    client: Client, store_settings: dict[str, dict[str, Any]]
) -> None:
    store_settings["default"]["PASSWORD"] = "hunter2"
    response = client.get("/ready")
    assert response.json()["postgres"] == "it refuses the user name or password"
    assert "agentops" not in response.text
    assert "127.0.0.1" not in response.text


def test_stores_without_the_portals_tables_are_not_ready(
    client: Client, store_settings: dict[str, dict[str, Any]]
) -> None:
    store_settings["default"]["NAME"] = "postgres"
    store_settings["clickhouse"]["NAME"] = "default"
    response = client.get("/ready")
    missing = "the portal's tables are missing: run manage.py migrate"
    assert response.json() == {"status": "unavailable", "postgres": missing, "clickhouse": missing}
