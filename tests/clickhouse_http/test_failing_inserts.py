"""An insert that fails anywhere is an error to the client, and stores nothing."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from .server import Process

Ask = Callable[..., httpx.Response]

ROWS = b"".join(b"%d\n" % number for number in range(50_000))


def stored(ask: Ask, table: str = "t") -> int:
    return int(ask(f"SELECT count() FROM {table}").text)


def test_a_materialized_view_that_throws(ask: Ask) -> None:
    ask("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    ask("CREATE TABLE source (a UInt64) ENGINE = Null")
    ask("CREATE MATERIALIZED VIEW v TO t AS SELECT a + throwIf(a = 49999, 'NESTED') AS a FROM source")
    response = ask(ROWS, query="INSERT INTO source FORMAT TSV")
    assert (response.status_code, response.headers["X-ClickHouse-Exception-Code"]) == (500, "395")
    assert "NESTED" in response.text
    assert stored(ask) == 0
    assert ask(ROWS[:100], query="INSERT INTO source FORMAT TSV").status_code == 200


def test_a_view_behind_a_view_that_throws(ask: Ask) -> None:
    ask("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    ask("CREATE TABLE middle (a UInt64) ENGINE = Null")
    ask("CREATE TABLE source (a UInt64) ENGINE = Null")
    ask("CREATE MATERIALIZED VIEW v TO middle AS SELECT a FROM source")
    ask("CREATE MATERIALIZED VIEW w TO t AS SELECT a + throwIf(a = 3) AS a FROM middle")
    assert ask(ROWS, query="INSERT INTO source FORMAT TSV").status_code == 500
    assert stored(ask) == 0


@pytest.mark.parametrize("engine", ["MergeTree ORDER BY a", "Memory", "Null"])
def test_a_violated_constraint(ask: Ask, engine: str) -> None:
    ask(f"CREATE TABLE t (a UInt64, CONSTRAINT small CHECK a < 49999) ENGINE = {engine}")
    response = ask(ROWS, query="INSERT INTO t FORMAT TSV")
    assert response.headers["X-ClickHouse-Exception-Code"] == "469"
    assert stored(ask) == 0


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("TSV", ROWS + b"x\n"),
        ("CSV", ROWS + b"1,2\n"),
        ("JSONEachRow", b'{"a":1}\n{"a":\n'),
        ("Values", b"(1), (2), (x)"),
        ("RowBinary", b"\x00" * 12),
        ("Native", b"\x01\x02\x01a\x06UInt64" + b"\x00" * 12),
        ("Parquet", b"PAR1 no, it is not"),
        ("Arrow", b"ARROW1 no, it is not"),
        ("Protobuf", b"\xff\xff\xff"),
        ("NoSuchFormat", b"1"),
    ],
)
def test_data_that_cannot_be_parsed(ask: Ask, name: str, data: bytes) -> None:
    ask("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    response = ask(data, query=f"INSERT INTO t FORMAT {name}")
    assert response.status_code >= 400
    assert response.headers["X-ClickHouse-Exception-Code"]
    assert "/dev/fd" not in response.text
    assert stored(ask) == 0


def test_a_memory_limit(ask: Ask) -> None:
    ask("CREATE TABLE t (a UInt64, b String DEFAULT repeat('x', 100000)) ENGINE = MergeTree ORDER BY a")
    response = ask(ROWS, query="INSERT INTO t (a) FORMAT TSV", max_memory_usage=50_000_000)
    assert response.headers["X-ClickHouse-Exception-Code"] == "241"
    assert stored(ask) == 0


def test_too_many_partitions(ask: Ask) -> None:
    ask("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a PARTITION BY a % 1000")
    response = ask(ROWS, query="INSERT INTO t FORMAT TSV", max_partitions_per_insert_block=10)
    assert response.headers["X-ClickHouse-Exception-Code"] == "252"
    assert stored(ask) == 0


def test_rows_of_a_query_that_throws(ask: Ask) -> None:
    ask("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    assert ask("INSERT INTO t SELECT throwIf(number = 900) + number FROM numbers(1000)").status_code == 500
    assert stored(ask) == 0


def test_a_column_that_is_not_there(client: Client) -> None:
    client.command("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    with pytest.raises(DatabaseError) as caught:
        client.raw_insert("t", ["a", "b"], b"1,2\n", fmt="CSV")
    assert caught.value.code == 16
    assert client.query("SELECT count() FROM t").result_rows == [(0,)]


def test_the_client_raises_what_a_view_throws(client: Client) -> None:
    client.command("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    client.command("CREATE TABLE source (a UInt64) ENGINE = Null")
    client.command("CREATE MATERIALIZED VIEW v TO t AS SELECT a + throwIf(a = 2) AS a FROM source")
    with pytest.raises(DatabaseError, match="FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"):
        client.insert("source", [[1], [2], [3]], column_names=["a"])
    assert client.query("SELECT count() FROM t").result_rows == [(0,)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_an_error_and_damages_nothing(start: Callable[..., Process], small_disk: Path) -> None:
    server = start(small_disk / "data").wait_until_ready()
    with server.address.http() as http:
        http.post("/", content="CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
        random = "INSERT INTO t SELECT number, randomString(1000) FROM numbers(2000) SETTINGS max_threads = 1"
        accepted = 0
        while (response := http.post("/", content=random)).status_code == 200:
            accepted += 1
            assert accepted < 100
        assert response.headers["X-ClickHouse-Exception-Code"] == "243"
        assert re.search("not enough space|disk is full", response.text)
        assert http.post("/", content="SELECT count() FROM t").text == f"{accepted * 2000}\n"
        data = http.post("/", content="SELECT number, randomString(1000) FROM numbers(200000) FORMAT Native").content
        response = http.post("/", params={"query": "INSERT INTO t FORMAT Native"}, content=data)
        assert response.headers["X-ClickHouse-Exception-Code"] == "243"
    server.stop()
    again = start(small_disk / "data").wait_until_ready()
    with again.address.http() as http:
        assert http.post("/", content="SELECT count() FROM t").text == f"{accepted * 2000}\n"
        # With no byte left ClickHouse cannot write the empty parts of a TRUNCATE; dropping needs no room.
        assert http.post("/", content="DROP TABLE t SYNC").status_code == 200
        http.post("/", content="CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
        assert http.post("/", content=random).status_code == 200
