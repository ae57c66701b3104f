import time
from collections.abc import Callable

import httpx
import pytest
from clickhouse_connect.driver.client import Client

Ask = Callable[..., httpx.Response]
SLOW = "SELECT count() FROM system.numbers WHERE NOT ignore(sipHash64(number))"


def code(response: httpx.Response) -> str | None:
    return response.headers.get("X-ClickHouse-Exception-Code")


def test_settings_hold_for_their_request_alone(ask: Ask) -> None:
    query = "SELECT getSetting('max_block_size')"
    usual = ask(query).text
    assert ask(query, max_block_size=4321).text == "4321\n"
    assert ask(query).text == usual


def test_readonly_1_forbids_writing_and_other_settings(ask: Ask) -> None:
    assert ask("SELECT 1", readonly=1, max_block_size=1000).text == "1\n"
    assert code(ask("CREATE TABLE t (a Int8) ENGINE = Memory", readonly=1)) == "164"
    assert code(ask("SELECT 1 SETTINGS max_block_size = 1", readonly=1)) == "164"


def test_readonly_2_forbids_writing_but_not_settings(ask: Ask) -> None:
    assert ask("SELECT 1 SETTINGS max_block_size = 1", readonly=2).text == "1\n"
    ask("CREATE TABLE t (a Int8) ENGINE = Memory")
    assert code(ask("INSERT INTO t VALUES (1)", readonly=2)) == "164"
    assert code(ask("INSERT INTO t SELECT 1", readonly=2)) == "164"
    assert ask("SELECT count() FROM t").text == "0\n"


def test_max_execution_time_ends_a_query(ask: Ask) -> None:
    begun = time.monotonic()
    response = ask(SLOW, max_execution_time=1)
    assert (response.status_code, code(response)) == (408, "159")
    assert time.monotonic() - begun < 10


def test_max_result_rows_ends_a_query(ask: Ask) -> None:
    query = "SELECT number FROM numbers(1000)"
    assert code(ask(query, max_result_rows=10, result_overflow_mode="throw")) == "396"
    assert len(ask(query, max_result_rows=1000).text.splitlines()) == 1000


def test_max_memory_usage_ends_a_query(ask: Ask) -> None:
    response = ask("SELECT uniqExact(number) FROM numbers(10000000)", max_memory_usage=20_000_000)
    assert (response.status_code, code(response)) == (500, "241")


def test_an_unknown_setting_is_an_error(ask: Ask) -> None:
    response = ask("SELECT 1", no_such_setting=1)
    assert (response.status_code, code(response)) == (404, "115")
    assert "no_such_setting" in response.text


@pytest.mark.parametrize("name", ["max_threads'; DROP", "a b", "1a", "a-b"])
def test_a_name_that_cannot_be_a_setting_is_an_unknown_one(ask: Ask, name: str) -> None:
    assert code(ask("SELECT 1", **{name: "1"})) == "115"


def test_a_value_that_does_not_fit_a_setting_is_an_error(ask: Ask) -> None:
    assert ask("SELECT 1", max_threads="many").status_code == 400


@pytest.mark.parametrize(
    "value", ["it's", "back\\slash", "line\nbreak", "tab\there", "한국어", "'; DROP TABLE t; --", ""]
)
def test_values_are_bound_by_the_engine(client: Client, value: str) -> None:
    assert client.query("SELECT {value:String}", parameters={"value": value}).result_rows == [(value,)]


def test_parameters_of_all_kinds_are_bound(client: Client) -> None:
    query = (
        "SELECT {number:Int64}, {decimal:Decimal(18, 10)}, {list:Array(String)}, {none:Nullable(String)}, {day:Date}"
    )
    given = {"number": -5, "decimal": "1.0000000001", "list": ["a", "b'c"], "none": None, "day": "2026-11-23"}
    row = client.query(query, parameters=given).result_rows[0]
    assert [str(value) for value in row] == ["-5", "1.0000000001", "['a', \"b'c\"]", "None", "2026-11-23"]


def test_a_parameter_may_be_an_identifier(ask: Ask) -> None:
    assert ask("SELECT count() FROM system.{table:Identifier}", param_table="one").text == "1\n"


def test_a_missing_parameter_is_an_error(ask: Ask) -> None:
    assert code(ask("SELECT {value:String}")) == "456"


def test_a_long_parameter_travels_in_a_form(client: Client) -> None:
    value = "x" * 100_000
    assert client.query("SELECT length({value:String})", parameters={"value": value}).result_rows == [(100_000,)]


def test_parameters_stand_in_the_values_of_an_insert(client: Client) -> None:
    client.command("CREATE TABLE t (a Int64, b String) ENGINE = Memory")
    client.command("INSERT INTO t VALUES ({a:Int64} + 1, {b:String})", parameters={"a": 41, "b": "it's"})
    assert client.query("SELECT * FROM t").result_rows == [(42, "it's")]


def test_a_table_may_come_with_the_query(http: httpx.Client) -> None:
    response = http.post(
        "/",
        params={
            "query": "SELECT sum(a), max(b) FROM given WHERE a > {least:Int32}",
            "given_structure": "a Int32, b String",
        },
        data={"param_least": "1"},
        files={"given": ("given", b"1\tx\n2\ty\n3\tz\n")},
    )
    assert response.text == "5\tz\n"
    types = {"query": "SELECT _1 FROM given", "given_types": "Int32,String", "given_format": "CSV"}
    assert http.post("/", params=types, files={"given": ("given", b'7,"x"\n')}).text == "7\n"
