import json
import socket
import subprocess
from collections.abc import Callable

import httpx
import pytest

from .server import Address

Ask = Callable[..., httpx.Response]


def test_ping_and_the_bare_address_answer_ok(http: httpx.Client) -> None:
    for path in ("/ping", "/", "/replicas_status"):
        response = http.get(path)
        assert (response.status_code, response.text) == (200, "Ok.\n")


def test_an_unknown_path_is_not_found_in_clickhouse_s_words(http: httpx.Client) -> None:
    response = http.get("/nowhere")
    assert response.status_code == 404
    assert response.text.startswith("There is no handle /nowhere\n")


def test_a_query_may_stand_in_the_url_in_the_body_or_in_both(http: httpx.Client) -> None:
    assert http.get("/", params={"query": "SELECT 1"}).text == "1\n"
    assert http.post("/", content="SELECT 2").text == "2\n"
    assert http.post("/", params={"query": "SELECT 3,"}, content="4").text == "3\t4\n"


def test_a_comment_at_the_end_of_the_url_does_not_swallow_the_body(http: httpx.Client) -> None:
    assert http.post("/", params={"query": "SELECT 1 + -- plus"}, content="1").text == "2\n"


def test_a_get_cannot_change_anything(http: httpx.Client, database: str) -> None:
    for query in (f"CREATE TABLE {database}.t (a Int8) ENGINE = Memory", f"DROP DATABASE {database}"):
        response = http.get("/", params={"query": query})
        assert response.headers["X-ClickHouse-Exception-Code"] == "164"
    assert http.get("/", params={"query": f"SHOW TABLES FROM {database}"}).text == ""


def test_a_head_has_the_headers_of_a_get_and_no_body(http: httpx.Client) -> None:
    response = http.head("/", params={"query": "SELECT 1"})
    assert response.status_code == 200
    assert response.headers["X-ClickHouse-Format"] == "TabSeparated"
    assert response.content == b""


def test_every_answer_names_its_query_format_timezone_and_server(http: httpx.Client) -> None:
    response = http.post("/", params={"query_id": "my-own-query"}, content="SELECT 1 FORMAT JSONCompact")
    assert response.headers["X-ClickHouse-Query-Id"] == "my-own-query"
    assert response.headers["X-ClickHouse-Format"] == "JSONCompact"
    assert response.headers["X-ClickHouse-Timezone"] == http.post("/", content="SELECT timezone()").text.strip()
    assert response.headers["X-ClickHouse-Server-Display-Name"]
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"


def test_the_summary_counts_what_was_read_and_written(ask: Ask) -> None:
    ask("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    inserted = json.loads(ask("INSERT INTO t SELECT number FROM numbers(1000)").headers["X-ClickHouse-Summary"])
    assert (inserted["read_rows"], inserted["written_rows"]) == ("1000", "1000")
    assert int(inserted["written_bytes"]) >= 8000
    read = json.loads(ask("SELECT sum(a) FROM t", wait_end_of_query=1).headers["X-ClickHouse-Summary"])
    assert (read["read_rows"], read["result_rows"]) == ("1000", "1")
    assert int(read["elapsed_ns"]) > 0


def test_the_database_is_given_by_parameter_or_header(http: httpx.Client, database: str) -> None:
    query = {"query": "SELECT currentDatabase()"}
    assert http.get("/", params=query).text == "default\n"
    assert http.get("/", params={**query, "database": database}).text == f"{database}\n"
    assert http.get("/", params=query, headers={"X-ClickHouse-Database": database}).text == f"{database}\n"
    assert http.get("/", params={**query, "database": "no_such"}).headers["X-ClickHouse-Exception-Code"] == "81"


def test_a_format_clause_wins_over_default_format(ask: Ask) -> None:
    assert ask("SELECT 1 AS a", default_format="JSONEachRow").text == '{"a":1}\n'
    assert ask("SELECT 1 AS a FORMAT CSVWithNames", default_format="JSONEachRow").text == '"a"\n1\n'
    assert ask("SHOW DATABASES LIKE 'system'", default_format="JSONEachRow").text == '{"name":"system"}\n'


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1 AS format", "1\n"),
        ("SELECT f.a FROM (SELECT 1 AS a) AS f", "1\n"),
        ("SELECT 'FORMAT JSON'", "FORMAT JSON\n"),
        ("SELECT 1 -- FORMAT JSON", "1\n"),
        ("/* a */ SELECT /* b */ 1 /* c */ ;", "1\n"),
        ("SELECT 1;;", "1\n"),
        ("(SELECT 1) UNION ALL (SELECT 1) FORMAT CSV", "1\n1\n"),
        ("WITH 2 AS x SELECT x SETTINGS max_threads = 1 FORMAT CSV SETTINGS max_block_size = 10", "2\n"),
        ("FROM numbers(2) SELECT number", "0\n1\n"),
        ("SELECT $$it's ; here$$", "it\\'s ; here\n"),
        ('SELECT 1 AS "a;b"', "1\n"),
        ("EXISTS TABLE system.one", "1\n"),
        ("select\n1\nformat\nTSV", "1\n"),
        ("SELECT '한국어'", "한국어\n"),
    ],
)
def test_queries_are_read_as_the_engine_reads_them(ask: Ask, query: str, expected: str) -> None:
    assert ask(query).text == expected


def test_only_one_query_fits_in_a_request(ask: Ask) -> None:
    response = ask("SELECT 1; SELECT 2")
    assert response.status_code == 400
    assert "Multi-statements are not allowed" in response.text


def test_an_empty_query_is_a_syntax_error(ask: Ask) -> None:
    for query in ("", " ;", "-- nothing"):
        assert ask(query).headers["X-ClickHouse-Exception-Code"] == "62"


def test_a_query_longer_than_max_query_size_is_refused_unless_it_is_raised(ask: Ask) -> None:
    query = "SELECT length('" + "x" * 400_000 + "')"
    assert ask(query).status_code == 400
    assert ask(query, max_query_size=1_000_000).text == "400000\n"


def test_curl_reads_as_the_guide_tells(address: Address) -> None:
    command = ["curl", "-sS", "-G", f"{address.url}/", "-u", f"{address.user}:{address.password}"]
    query = "query=SELECT number % 2 AS parity, count(*) FROM numbers(5) GROUP BY parity ORDER BY parity"
    done = subprocess.run([*command, "--data-urlencode", query], capture_output=True, text=True, check=True)
    assert done.stdout == "0\t3\n1\t2\n"


@pytest.mark.usefixtures("embedded_only")
def test_blanks_in_the_request_line_are_understood(address: Address) -> None:
    with socket.create_connection(address.endpoint) as connection, connection.makefile("rb") as answers:
        for query, expected in (("SELECT count(*), 'a b' FROM numbers(3)", b"3\ta b\n"), ("SELECT 22", b"22\n")):
            connection.sendall(f"GET /?query={query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            while answers.readline() != b"\r\n":
                pass
            assert answers.readline() == expected
