from collections.abc import Callable

import httpx
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

Ask = Callable[..., httpx.Response]


@pytest.mark.parametrize(
    ("query", "status", "code", "name"),
    [
        ("SELEC 1", 400, 62, "SYNTAX_ERROR"),
        ("SELECT * FROM no_such_table", 404, 60, "UNKNOWN_TABLE"),
        ("SELECT no_such_column", 404, 47, "UNKNOWN_IDENTIFIER"),
        ("SELECT noSuchFunction(1)", 404, 46, "UNKNOWN_FUNCTION"),
        ("SELECT 1 FORMAT NoSuchFormat", 404, 73, "UNKNOWN_FORMAT"),
        ("SELECT * FROM no_such_database.t", 404, 81, "UNKNOWN_DATABASE"),
        ("SELECT 1 SETTINGS no_such_setting = 1", 404, 115, "UNKNOWN_SETTING"),
        ("CREATE TABLE t (a NoSuchType) ENGINE = Memory", 404, 50, "UNKNOWN_TYPE"),
        ("SELECT throwIf(number = 3) FROM numbers(10)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("SELECT toInt8('x')", 400, 6, "CANNOT_PARSE_TEXT"),
        ("INSERT INTO no_such_table VALUES (1)", 404, 60, "UNKNOWN_TABLE"),
    ],
)
def test_errors_have_clickhouse_s_code_name_text_and_status(
    ask: Ask, query: str, status: int, code: int, name: str
) -> None:
    response = ask(query)
    assert response.status_code == status
    assert response.headers["X-ClickHouse-Exception-Code"] == str(code)
    assert response.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert response.text.startswith(f"Code: {code}. DB::Exception: ")
    assert f"({name}) (version " in response.text
    assert response.text.count("Code: ") == 1
    assert response.text.endswith(")\n")


def test_an_error_keeps_the_query_s_id(ask: Ask) -> None:
    response = ask("SELECT no_such_column", query_id="broken-one")
    assert response.headers["X-ClickHouse-Query-Id"] == "broken-one"


def test_the_connection_serves_on_after_an_error(http: httpx.Client) -> None:
    assert http.post("/", content="SELEC").status_code == 400
    assert http.post("/", content="SELECT 1").text == "1\n"


def test_the_client_s_exception_has_code_and_name(client: Client) -> None:
    with pytest.raises(DatabaseError) as caught:
        client.query("SELECT * FROM no_such_table")
    assert (caught.value.code, caught.value.name) == (60, "UNKNOWN_TABLE")


@pytest.mark.usefixtures("embedded_only")
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT 1 INTO OUTFILE '/tmp/x.csv'", "358"),
        ("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT LineAsString", "78"),
        ("INSERT INTO t /* FORMAT */ FROM /* x */ INFILE '/etc/passwd' FORMAT LineAsString", "78"),
    ],
)
def test_files_of_the_server_are_not_written_and_read_by_name(ask: Ask, query: str, code: str) -> None:
    ask("CREATE TABLE t (a String) ENGINE = Memory")
    assert ask(query).headers["X-ClickHouse-Exception-Code"] == code


@pytest.mark.parametrize("wait", [0, 1])
def test_an_error_in_the_middle_of_a_result_is_never_mistaken_for_its_end(ask: Ask, wait: int) -> None:
    query = "SELECT number, throwIf(number = 3000000) FROM system.numbers SETTINGS max_block_size = 10000"
    if wait:
        response = ask(query, wait_end_of_query=1)
        assert (response.status_code, response.headers["X-ClickHouse-Exception-Code"]) == (500, "395")
    else:
        with pytest.raises(httpx.RemoteProtocolError):
            ask(query)


def take(response: httpx.Response, received: bytearray) -> None:
    for chunk in response.iter_raw():
        received += chunk


def test_a_broken_off_result_ends_with_the_tagged_error(http: httpx.Client) -> None:
    query = "SELECT number, throwIf(number = 3000000) FROM system.numbers SETTINGS max_block_size = 10000"
    received = bytearray()
    with http.stream("POST", "/", content=query) as response:
        assert response.status_code == 200
        tag = response.headers["X-ClickHouse-Exception-Tag"]
        with pytest.raises(httpx.RemoteProtocolError):
            take(response, received)
    _, begin, error = received.decode().partition(f"\r\n__exception__\r\n{tag}\r\n")
    text, end, rest = error.partition(f" {tag}\r\n__exception__\r\n")
    assert (bool(begin), bool(end), rest) == (True, True, "")
    message, _, length = text.rpartition("\n")
    assert message.startswith("Code: 395. DB::Exception: ")
    assert int(length) == len(message) + 1


def test_the_client_reports_an_error_in_the_middle_of_a_stream(client: Client) -> None:
    query = "SELECT number, throwIf(number = 3000000) FROM system.numbers"
    with (
        pytest.raises(DatabaseError, match="FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        client.query_rows_stream(query, settings={"max_block_size": 10000}) as rows,
    ):
        for _ in rows:
            pass
