import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator

import httpx
import lz4.frame
import pyarrow.ipc
import pyarrow.parquet
import pytest
import zstandard
from clickhouse_connect.driver.client import Client

from .server import Address

Ask = Callable[..., httpx.Response]

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "lz4": lz4.frame.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
}
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "lz4": lz4.frame.decompress,
}
ROWS = b"".join(b"%d\n" % number for number in range(200_000))


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_request_body_may_be_compressed(http: httpx.Client, encoding: str) -> None:
    headers = {"Content-Encoding": encoding}
    assert http.post("/", content=ENCODERS[encoding](b"SELECT 7"), headers=headers).text == "7\n"


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_compressed_chunked_insert_arrives_whole(http: httpx.Client, database: str, encoding: str) -> None:
    http.post("/", content=f"CREATE TABLE {database}.t (a UInt32) ENGINE = Memory")
    data = ENCODERS[encoding](ROWS)

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(data), 5000):
            yield data[start : start + 5000]

    query = {"query": f"INSERT INTO {database}.t FORMAT TSV"}
    assert http.post("/", params=query, content=pieces(), headers={"Content-Encoding": encoding}).status_code == 200
    found = http.post("/", content=f"SELECT count(), sum(a) FROM {database}.t").text
    assert found == f"200000\t{sum(range(200_000))}\n"


def test_a_gzip_body_may_have_several_members(http: httpx.Client) -> None:
    body = gzip.compress(b"SELECT ") + gzip.compress(b"8")
    assert http.post("/", content=body, headers={"Content-Encoding": "gzip"}).text == "8\n"


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_truncated_compressed_body_stores_nothing(http: httpx.Client, database: str, encoding: str) -> None:
    http.post("/", content=f"CREATE TABLE {database}.t (a UInt32) ENGINE = Memory")
    data = ENCODERS[encoding](ROWS)
    query = {"query": f"INSERT INTO {database}.t FORMAT TSV"}
    response = http.post("/", params=query, content=data[:-20], headers={"Content-Encoding": encoding})
    assert response.status_code >= 400
    assert http.post("/", content=f"SELECT count() FROM {database}.t").text == "0\n"


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4"])
def test_a_body_that_is_not_what_it_says_is_an_error(http: httpx.Client, encoding: str) -> None:
    response = http.post("/", content=b"SELECT 1", headers={"Content-Encoding": encoding})
    assert response.status_code >= 400
    assert response.headers["X-ClickHouse-Exception-Code"]


def test_an_unknown_encoding_is_not_implemented(http: httpx.Client) -> None:
    response = http.post("/", content=b"SELECT 1", headers={"Content-Encoding": "rot13"})
    assert (response.status_code, response.headers["X-ClickHouse-Exception-Code"]) == (501, "48")


@pytest.mark.parametrize("rows", [3, 1_000_000])
@pytest.mark.parametrize("encoding", DECODERS)
def test_a_result_is_compressed_as_the_client_accepts(address: Address, encoding: str, rows: int) -> None:
    params = {"query": f"SELECT number FROM numbers({rows})", "enable_http_compression": "1"}
    with (
        address.http() as http,
        http.stream("GET", "/", params=params, headers={"Accept-Encoding": encoding}) as response,
    ):
        assert response.headers["Content-Encoding"] == encoding
        body = b"".join(response.iter_raw())
    lines = DECODERS[encoding](body).split()
    assert (len(lines), lines[-1]) == (rows, b"%d" % (rows - 1))


def test_a_result_is_compressed_only_when_asked_for(http: httpx.Client) -> None:
    params = {"query": "SELECT 1"}
    assert "Content-Encoding" not in http.get("/", params=params, headers={"Accept-Encoding": "gzip"}).headers
    both = {**params, "enable_http_compression": "1"}
    assert "Content-Encoding" not in http.get("/", params=both, headers={"Accept-Encoding": "identity"}).headers


@pytest.mark.parametrize("compress", [False, "gzip", "zstd", "lz4"])
def test_the_client_reads_and_writes_with_each_of_its_encodings(
    address: Address, database: str, compress: bool | str
) -> None:
    with address.connect(database=database, compress=compress) as client:
        client.command("CREATE TABLE t (a UInt32, b String) ENGINE = Memory")
        client.insert("t", [[number, str(number)] for number in range(1000)])
        assert client.query("SELECT count(), max(b) FROM t").result_rows == [(1000, "999")]
        assert len(client.query("SELECT * FROM t").result_rows) == 1000


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("TabSeparated", "text/tab-separated-values; charset=UTF-8"),
        ("TSV", "text/tab-separated-values; charset=UTF-8"),
        ("CSV", "text/csv; charset=UTF-8; header=absent"),
        ("CSVWithNames", "text/csv; charset=UTF-8; header=present"),
        ("JSON", "application/json; charset=UTF-8"),
        ("JSONEachRow", "application/x-ndjson; charset=UTF-8"),
        ("XML", "application/xml; charset=UTF-8"),
        ("Native", "application/octet-stream"),
        ("RowBinary", "application/octet-stream"),
        ("Parquet", "application/octet-stream"),
        ("Pretty", "text/plain; charset=UTF-8"),
    ],
)
def test_each_format_has_its_content_type(ask: Ask, name: str, content_type: str) -> None:
    response = ask("SELECT 1 AS a", default_format=name)
    assert response.headers["Content-Type"] == content_type
    assert response.headers["X-ClickHouse-Format"] == name


@pytest.mark.parametrize("rows", [0, 5, 300_000])
def test_formats_with_a_beginning_and_an_end_are_one_document(ask: Ask, rows: int) -> None:
    query = f"SELECT number, toString(number) AS text FROM numbers({rows})"
    found = ask(query, default_format="JSON").json()
    assert (found["rows"], len(found["data"])) == (rows, rows)
    assert [column["type"] for column in found["meta"]] == ["UInt64", "String"]
    lines = ask(query, default_format="CSVWithNames").text.splitlines()
    assert (len(lines), lines[0]) == (rows + 1, '"number","text"')
    assert pyarrow.parquet.read_table(io.BytesIO(ask(query, default_format="Parquet").content)).num_rows == rows
    assert pyarrow.ipc.open_file(io.BytesIO(ask(query, default_format="Arrow").content)).read_all().num_rows == rows
    assert (
        pyarrow.ipc.open_stream(io.BytesIO(ask(query, default_format="ArrowStream").content)).read_all().num_rows
        == rows
    )


def test_totals_and_extremes_are_part_of_a_document(ask: Ask) -> None:
    query = "SELECT number % 2 AS odd, toUInt32(count()) AS n FROM numbers(5) GROUP BY odd WITH TOTALS ORDER BY odd"
    found = ask(query, default_format="JSONCompact", extremes=1).json()
    assert (found["totals"], found["extremes"]["max"]) == ([0, 5], [1, 3])


@pytest.mark.parametrize(
    "name",
    [
        "Native",
        "JSONEachRow",
        "TSVWithNames",
        "CSV",
        "RowBinary",
        "RowBinaryWithNamesAndTypes",
        "Parquet",
        "Arrow",
        "Values",
    ],
)
def test_what_one_format_writes_can_be_inserted_again(ask: Ask, name: str) -> None:
    ask("CREATE TABLE t (a UInt64, b String, c Array(String), d DateTime64(9), e Map(String, String)) ENGINE = Memory")
    rows = "number, 'x\\n' || number, [toString(number)], toDateTime64(number, 9, 'UTC'), map('k', toString(number))"
    data = ask(f"SELECT {rows} FROM numbers(1000) FORMAT Native").content
    assert ask(b"INSERT INTO t FORMAT Native\n" + data).status_code == 200
    written = ask("SELECT * FROM t ORDER BY a", default_format=name).content
    ask("CREATE TABLE copy AS t")
    assert ask(f"INSERT INTO copy FORMAT {name}\n".encode() + written).status_code == 200
    assert ask("SELECT * FROM t EXCEPT SELECT * FROM copy").text == ""
    assert ask("SELECT count() FROM copy").text == "1000\n"


def test_arrow_goes_both_ways_with_the_client(client: Client) -> None:
    client.command("CREATE TABLE t (a Int64, b String) ENGINE = Memory")
    table = pyarrow.table({"a": pyarrow.array([1, 2], pyarrow.int64()), "b": ["x", "y"]})
    client.insert_arrow("t", table)
    found = client.query_arrow("SELECT * FROM t ORDER BY a", use_strings=True)
    assert found.to_pydict() == {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.usefixtures("embedded_only")
def test_the_native_compression_of_old_clients_is_refused_clearly(ask: Ask) -> None:
    for name in ("compress", "decompress"):
        response = ask("SELECT 1", **{name: 1})
        assert response.status_code == 501
        assert "Accept-Encoding" in response.text
