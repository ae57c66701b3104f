"""How the embedded server starts, stops and survives."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from .server import Process

Start = Callable[..., Process]
TABLE = "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a"


def test_data_is_there_after_a_restart(start: Start) -> None:
    server = start().wait_until_ready()
    with server.address.http() as http:
        http.post("/", content=TABLE)
        http.post("/", content="INSERT INTO t VALUES (1), (2)")
    assert server.stop() == 0
    with start().wait_until_ready().address.http() as http:
        assert http.post("/", content="SELECT sum(a) FROM t").text == "3\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_query_is_answered_before_the_server_stops(start: Start, number: int) -> None:
    server = start().wait_until_ready()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.post, server.address.url, content="SELECT sleep(1.5)", timeout=30)
        time.sleep(0.7)
        assert server.stop(number) == 0
        assert answer.result().text == "0\n"
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.address.url)


def test_a_query_without_an_end_does_not_keep_the_server_from_stopping(start: Start) -> None:
    server = start().wait_until_ready()
    endless = "SELECT count() FROM system.numbers WHERE NOT ignore(sipHash64(number))"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.post, server.address.url, content=endless, timeout=60)
        time.sleep(0.7)
        begun = time.monotonic()
        assert server.stop() == 0
        assert 4 < time.monotonic() - begun < 9
        assert answer.result().headers["X-ClickHouse-Exception-Code"] == "394"


def test_acknowledged_inserts_survive_a_kill(start: Start) -> None:
    server = start().wait_until_ready()
    with server.address.http() as http:
        http.post("/", content=TABLE)
    acknowledged = [0] * 3

    def write(writer: int) -> None:
        with server.address.http() as http:
            for batch in range(100_000):
                first = (writer * 100_000 + batch) * 100
                rows = b"".join(b"%d\n" % number for number in range(first, first + 100))
                try:
                    response = http.post("/", params={"query": "INSERT INTO t FORMAT TSV"}, content=rows)
                except httpx.TransportError:
                    return
                assert response.status_code == 200
                acknowledged[writer] += 1

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in writers:
        thread.start()
    time.sleep(1.5)
    server.process.kill()
    for thread in writers:
        thread.join()
    assert min(acknowledged) > 0
    with start().wait_until_ready().address.http() as http:
        count, distinct = map(int, http.post("/", content="SELECT count(), uniqExact(a) FROM t").text.split())
        assert count == distinct
        assert 0 <= count - sum(acknowledged) * 100 <= 300
        for writer, batches in enumerate(acknowledged):
            first = writer * 100_000 * 100
            found = http.post("/", content=f"SELECT count() FROM t WHERE a >= {first} AND a < {first + batches * 100}")
            assert found.text == f"{batches * 100}\n"


def test_a_second_server_on_the_same_folder_is_told_so(start: Start, tmp_path: Path) -> None:
    first = start().wait_until_ready()
    second = start()
    assert second.wait_for_exit() == 3
    sentence = f"The data folder {tmp_path / 'data'} is in use by another ClickHouse (process {first.process.pid})"
    assert [line for line in second.log.splitlines() if line.startswith(sentence)]
    assert httpx.get(f"{first.address.url}/ping").text == "Ok.\n"


def test_a_port_that_is_taken_is_named_with_its_variable(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = start(port=port)
        assert server.wait_for_exit() == 4
    sentence = f"Port {port} of 127.0.0.1 is not free (Address already in use)"
    assert server.log == f"{sentence}: set CLICKHOUSE_HTTP_PORT to another one.\n"


def test_a_folder_of_a_newer_engine_is_left_alone(start: Start, tmp_path: Path) -> None:
    assert start().wait_until_ready().stop() == 0
    marker = tmp_path / "data" / "engine-version"
    installed = marker.read_text().strip()
    year, month, *rest = installed.split(".")
    newer = ".".join([str(int(year) + 1), month, *rest])
    marker.write_text(newer)
    server = start()
    assert server.wait_for_exit() == 5
    assert f"belongs to ClickHouse {newer}, but {installed} is installed" in server.log
    assert marker.read_text() == newer
    marker.write_text("25.1.1.1")  # an older one is taken over
    server = start().wait_until_ready()
    assert marker.read_text().strip() == installed


def test_a_folder_that_cannot_be_written_is_named(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    server = start(tmp_path / "file" / "data")
    assert server.wait_for_exit() == 6
    assert server.log.startswith(f"The data folder {tmp_path / 'file' / 'data'} can't be written")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CLICKHOUSE_MEMORY", "lots", "CLICKHOUSE_MEMORY='lots' is not a size"),
        ("CLICKHOUSE_MEMORY", "1M", "CLICKHOUSE_MEMORY='1M' is too little"),
        ("CLICKHOUSE_PASSWORD_FILE", "/no/such/file", "CLICKHOUSE_PASSWORD_FILE=/no/such/file can't be read"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(start: Start, name: str, value: str, sentence: str) -> None:
    server = start(environment={name: value})
    assert server.wait_for_exit() == 2
    assert server.log.startswith(sentence)
    assert len(server.log.splitlines()) == 1


def test_the_memory_cap_ends_the_query_that_would_exceed_it(start: Start) -> None:
    server = start(environment={"CLICKHOUSE_MEMORY": "700MiB"}).wait_until_ready()
    with server.address.http() as http:
        response = http.post("/", content="SELECT length(groupArray(randomString(10000))) FROM numbers(1000000)")
        assert response.headers["X-ClickHouse-Exception-Code"] == "241"
        assert http.post("/", content="SELECT 1").text == "1\n"
    assert server.memory() < 1 << 30


def test_an_idle_server_is_small(start: Start) -> None:
    server = start().wait_until_ready()
    with server.address.connect() as client:
        for _ in range(20):
            client.query("SELECT count() FROM system.tables")
    assert server.memory() < 450 << 20


def test_only_this_machine_can_connect(start: Start) -> None:
    server = start().wait_until_ready()
    listening = [line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    local = [address for address, _, state in listening if state == "0A" and address.endswith(f":{server.port:04X}")]
    assert local == [f"0100007F:{server.port:04X}"]


def test_nothing_of_a_body_is_left_in_the_folder_after_a_kill(start: Start, tmp_path: Path) -> None:
    server = start().wait_until_ready()
    head = "POST /?query=INSERT+INTO+t+FORMAT+TSV HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode())
        for _ in range(100):
            connection.sendall(b"1\n" * 500_000)
        server.process.kill()
        server.process.wait()
    assert [entry.name for entry in os.scandir(tmp_path / "data" / "spool")] == []
