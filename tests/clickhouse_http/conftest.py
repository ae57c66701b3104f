import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from clickhouse_connect.driver.client import Client

from .server import Address, Process


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process | None]:
    """The process under test; None when CLICKHOUSE_URL names another server."""
    if os.environ.get("CLICKHOUSE_URL"):
        yield None
        return
    folder = tmp_path_factory.mktemp("clickhouse")
    process = Process(folder / "data", folder / "log").wait_until_ready()
    yield process
    assert process.stop() == 0, process.log


@pytest.fixture(scope="session")
def address(embedded: Process | None) -> Address:
    return embedded.address if embedded else Address.parse(os.environ["CLICKHOUSE_URL"])


@pytest.fixture
def http(address: Address) -> Iterator[httpx.Client]:
    with address.http() as client:
        yield client


@pytest.fixture
def database(address: Address) -> Iterator[str]:
    """The name of a database that is dropped after the test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with address.http() as client:
        assert client.post("/", content=f"CREATE DATABASE {name}").status_code == 200
        yield name
        assert client.post("/", content=f"DROP DATABASE {name} SYNC").status_code == 200


@pytest.fixture
def client(address: Address, database: str) -> Iterator[Client]:
    """The official client, in a database of its own."""
    with address.connect(database=database) as client:
        yield client


@pytest.fixture
def ask(http: httpx.Client, database: str) -> Callable[..., httpx.Response]:
    """Sends a POST: its body, and the parameters of its URL by keyword."""

    def send(body: str | bytes, /, **params: Any) -> httpx.Response:
        return http.post("/", content=body, params={"database": database, **params})

    return send


@pytest.fixture
def embedded_only(embedded: Process | None) -> Process:
    """The process under test, for what only the embedded server promises."""
    if embedded is None:
        pytest.skip("about the embedded ClickHouse")
    return embedded


@pytest.fixture
def start(tmp_path: Path, embedded_only: Process) -> Iterator[Callable[..., Process]]:
    """Starts servers of this test's own, on `tmp_path/data` unless a folder is given."""
    processes: list[Process] = []

    def begin(folder: Path | None = None, **options: Any) -> Process:
        process = Process(folder or tmp_path / "data", tmp_path / f"log-{len(processes)}", **options)
        processes.append(process)
        return process

    yield begin
    for process in processes:
        if process.process.poll() is None:
            process.process.kill()
            process.process.wait()
