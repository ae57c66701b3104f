import json
import socket
from collections.abc import Callable, Iterator

import httpx
import pytest
from clickhouse_connect.driver.client import Client

from .server import Address, Process

Ask = Callable[..., httpx.Response]


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("INSERT INTO t VALUES", "(1, 'a'), (2, 'b')"),
        ("INSERT INTO t (a, b) VALUES (1, 'a'), (2, 'b')", ""),
        ("", "INSERT INTO t VALUES (1, 'a'), (2, lower('B'));"),
        ("INSERT INTO t", "VALUES (1, 'a'), (2, 'b')"),
        ("INSERT INTO t (b, a) FORMAT TSV", "a\t1\nb\t2\n"),
        ("", "INSERT INTO t FORMAT CSV\n1,a\n2,b\n"),
        ("INSERT INTO t FORMAT JSONEachRow {'a':1,'b':'a'}".replace("'", '"'), '{"a":2,"b":"b"}'),
        ("INSERT INTO t SETTINGS max_threads = 1 FORMAT CSV", "1,a\n2,b\n"),
        ("INSERT INTO t FORMAT CSV SETTINGS max_threads = 1", "1,a\n2,b\n"),
        ("INSERT INTO TABLE t (* EXCEPT (b)) FORMAT CSV", "1\n2\n"),
        ("INSERT INTO t SELECT number + 1, ['a', 'b'][number + 1] FROM numbers(2)", ""),
        ("INSERT INTO t", "WITH 1 AS one SELECT number + one, 'x' FROM numbers(2)"),
        ("INSERT INTO t (a) (SELECT number + 1 FROM numbers(2))", ""),
        ("INSERT INTO t SELECT x + 1, 'x' FROM input('x Int32') WHERE x >= 0 FORMAT CSV", "0\n1\n"),
        ("-- why\nINSERT /* x */ INTO `t` /* FORMAT TSV */ FORMAT CSV", "1,a\n2,b\n"),
        ("insert into t format csv", "1,a\n2,b\n"),
    ],
)
def test_an_insert_stores_its_rows(ask: Ask, query: str, body: str) -> None:
    assert ask("CREATE TABLE t (a UInt32, b String) ENGINE = MergeTree ORDER BY a").status_code == 200
    response = ask(body, **({"query": query} if query else {}))
    assert (response.status_code, response.text) == (200, "")
    assert ask("SELECT count(), sum(a) FROM t").text == "2\t3\n"


def test_bytes_of_binary_data_arrive_as_they_are(ask: Ask) -> None:
    ask("CREATE TABLE t (a String) ENGINE = Memory")
    value = bytes(range(256)) * 4
    row = bytes([len(value) & 127 | 128, len(value) >> 7]) + value
    assert ask(b"INSERT INTO t FORMAT RowBinary\n" + row).status_code == 200
    assert ask("SELECT a FROM t FORMAT RawBLOB").content == value


@pytest.mark.parametrize("length", [9, 10, 12, 13, 32])
def test_data_may_begin_with_a_byte_that_is_a_blank(ask: Ask, length: int) -> None:
    ask("CREATE TABLE t (a String) ENGINE = Memory")
    row = bytes([length]) + b"x" * length
    assert ask(row, query="INSERT INTO t FORMAT RowBinary").status_code == 200
    assert ask(b"INSERT INTO t FORMAT RowBinary\n" + row).status_code == 200
    assert ask("SELECT length(a) FROM t").text == f"{length}\n{length}\n"


def test_an_insert_without_rows_stores_none(ask: Ask) -> None:
    ask("CREATE TABLE t (a UInt32) ENGINE = Memory")
    for query in ("INSERT INTO t FORMAT TSV", "INSERT INTO t FORMAT Native", "INSERT INTO t FORMAT JSONEachRow"):
        assert ask("", query=query).status_code == 200
    assert ask("SELECT count() FROM t").text == "0\n"


def test_the_settings_of_the_request_hold_for_its_data(ask: Ask) -> None:
    ask("CREATE TABLE t (a UInt32, b String) ENGINE = Memory")
    rows = "INSERT INTO t FORMAT JSONEachRow\n" + '{"a":1,"b":"x","extra":true}'
    assert ask(rows, input_format_skip_unknown_fields=0).status_code == 400
    assert ask(rows, input_format_skip_unknown_fields=1).status_code == 200


def large_rows(count: int) -> Iterator[bytes]:
    for number in range(0, count, 1000):
        yield b"".join(b'{"a":%d,"b":"%s"}\n' % (n, b"x" * 200) for n in range(number, number + 1000))


def test_a_large_streamed_insert_stays_small_in_memory(
    ask: Ask, http: httpx.Client, database: str, embedded: Process
) -> None:
    count = 1_000_000  # 220 MB
    ask("CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
    before = embedded.memory() if embedded else 0
    query = {"query": f"INSERT INTO {database}.t FORMAT JSONEachRow", "max_insert_block_size": "100000"}
    response = http.post("/", params=query, content=large_rows(count))
    assert json.loads(response.headers["X-ClickHouse-Summary"])["written_rows"] == str(count)
    assert ask("SELECT count(), sum(a), min(length(b)) FROM t").text == f"{count}\t{sum(range(count))}\t200\n"
    if embedded:
        assert embedded.memory() - before < 600 << 20


@pytest.mark.usefixtures("embedded_only")
def test_a_request_that_breaks_off_stores_nothing(address: Address, ask: Ask, database: str) -> None:
    ask("CREATE TABLE t (a UInt32) ENGINE = Memory")
    head = (
        f"POST /?query=INSERT+INTO+{database}.t+FORMAT+TSV HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    )
    with socket.create_connection(address.endpoint) as connection:
        connection.sendall(head.encode() + b"1\n2\n3\n")
    assert ask("SELECT count() FROM t").text == "0\n"


def test_the_client_s_insert_tells_what_was_written(client: Client) -> None:
    client.command("CREATE TABLE t (a UInt32, b String) ENGINE = Memory")
    summary = client.insert("t", [[1, "a"], [2, "b"], [3, "c"]], column_names=["a", "b"])
    assert summary.written_rows == 3
    assert client.raw_insert("t", ["a", "b"], b"4,d\n5,e\n", fmt="CSV").written_rows == 2
    assert client.query("SELECT sum(a) FROM t").result_rows == [(15,)]
