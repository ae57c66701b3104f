import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from clickhouse_connect.driver.client import Client

from .server import Address, Process

Ask = Callable[..., httpx.Response]


def test_the_client_streams_blocks_of_a_large_result(client: Client) -> None:
    total = count = blocks = 0
    with client.query_column_block_stream("SELECT number FROM numbers(3000000)") as stream:
        for (column,) in stream:
            blocks += 1
            count += len(column)
            total += sum(column)
    assert (count, total) == (3_000_000, sum(range(3_000_000)))
    assert blocks > 10


def test_a_result_begins_to_arrive_before_it_is_complete(http: httpx.Client) -> None:
    query = "SELECT number, repeat('x', 100000), sleepEachRow(0.01) FROM numbers(200) SETTINGS max_block_size = 10"
    begun = time.monotonic()
    with http.stream("POST", "/", content=query) as response:
        pieces = response.iter_raw()
        next(pieces)
        first = time.monotonic() - begun
        for _ in pieces:
            pass
    assert first < (time.monotonic() - begun) / 2


def test_wait_end_of_query_gives_the_whole_summary_of_a_large_result(ask: Ask) -> None:
    response = ask("SELECT number FROM numbers(2000000)", wait_end_of_query=1)
    assert '"result_rows":"2000000"' in response.headers["X-ClickHouse-Summary"]
    assert len(response.content) == sum(len(str(number)) + 1 for number in range(2_000_000))


@pytest.mark.parametrize("wait", [0, 1])
def test_a_result_larger_than_memory_needs_little_of_it(http: httpx.Client, embedded_only: Process, wait: int) -> None:
    before = embedded_only.memory()
    most = size = 0
    params = {
        "query": "SELECT number, repeat('x', 1000) FROM numbers(1000000)",
        "max_block_size": "2000",
        "wait_end_of_query": str(wait),
    }
    with http.stream("GET", "/", params=params) as response:
        for number, piece in enumerate(response.iter_raw()):
            size += len(piece)
            if number % 500 == 0:
                most = max(most, embedded_only.memory())
    assert size > 1_000_000_000
    assert most - before < 300 << 20


def test_a_client_that_hangs_up_ends_its_query(http: httpx.Client, address: Address) -> None:
    mark = f"forgotten-{time.monotonic_ns()}"
    running = f"SELECT count() FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%processes%'"
    params = {"readonly": 1, "cancel_http_readonly_queries_on_client_close": 1}
    query = f"SELECT number, '{mark}' FROM system.numbers"
    with address.http() as impatient, impatient.stream("POST", "/", content=query, params=params) as response:
        pieces = response.iter_raw()
        next(pieces)
        assert http.post("/", content=running).text == "1\n"
    deadline = time.monotonic() + 10
    while http.post("/", content=running).text != "0\n":
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.usefixtures("embedded_only")
def test_a_client_that_hangs_up_before_the_first_row_ends_its_query(http: httpx.Client, address: Address) -> None:
    mark = f"forgotten-{time.monotonic_ns()}"
    query = f"SELECT count(), '{mark}' FROM system.numbers WHERE NOT ignore(sipHash64(number))"
    with pytest.raises(httpx.ReadTimeout), address.http() as impatient:
        impatient.post("/", content=query, timeout=0.5)
    running = f"SELECT count() FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%processes%'"
    deadline = time.monotonic() + 10
    while http.post("/", content=running).text != "0\n":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_id_is_used_by_one_query_at_a_time(address: Address, http: httpx.Client) -> None:
    name = f"twice-{time.monotonic_ns()}"

    def sleep() -> str:
        with address.http() as other:
            return other.post("/", content="SELECT sleep(1.5)", params={"query_id": name}).text

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(sleep)
        time.sleep(0.5)
        response = http.post("/", content="SELECT 1", params={"query_id": name})
        assert response.headers["X-ClickHouse-Exception-Code"] == "216"
        assert first.result() == "0\n"
    assert http.post("/", content="SELECT 1", params={"query_id": name}).text == "1\n"


def test_a_query_is_killed_by_the_id_its_client_gave_it(address: Address, http: httpx.Client) -> None:
    name = f"it's-endless-{time.monotonic_ns()}"
    endless = "SELECT count() FROM system.numbers WHERE NOT ignore(sipHash64(number))"

    def wait() -> httpx.Response:
        with address.http() as other:
            return other.post("/", content=endless, params={"query_id": name})

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(wait)
        time.sleep(0.5)
        quoted = name.replace("'", "\\'")
        assert http.post("/", content=f"KILL QUERY WHERE query_id = '{quoted}' SYNC").text.startswith("finished\t")
        assert answer.result(10).headers["X-ClickHouse-Exception-Code"] == "394"


def test_a_short_query_does_not_wait_for_a_long_one(address: Address, http: httpx.Client) -> None:
    def sleep() -> None:
        with address.http() as other:
            other.post("/", content="SELECT sleep(2)")

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(sleep)
        time.sleep(0.3)
        begun = time.monotonic()
        assert http.post("/", content="SELECT 1").text == "1\n"
        assert time.monotonic() - begun < 1


def test_writers_and_readers_work_side_by_side(address: Address, database: str, ask: Ask) -> None:
    ask("CREATE TABLE t (writer UInt8, n UInt64, b String) ENGINE = MergeTree ORDER BY (writer, n)")
    rows, batches, writers = 500, 20, 3
    done = threading.Event()

    def write(writer: int) -> None:
        with address.connect(database=database) as client:
            for batch in range(batches):
                block = [[writer, batch * rows + number, "x" * 20] for number in range(rows)]
                client.insert("t", block, column_names=["writer", "n", "b"])

    def read() -> int:
        seen = 0
        with address.connect(database=database) as client:
            while not done.is_set():
                ((count, distinct),) = client.query("SELECT count(), uniqExact(writer, n) FROM t").result_rows
                assert count == distinct >= seen
                assert count % rows == 0  # an insert is seen whole or not at all
                seen = count
        return seen

    with ThreadPoolExecutor(writers + 3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for writing in [pool.submit(write, writer) for writer in range(writers)]:
            writing.result()
        done.set()
        for reading in readers:
            reading.result()
    written = rows * batches * writers
    assert ask("SELECT count(), uniqExact(writer, n) FROM t").text == f"{written}\t{written}\n"
