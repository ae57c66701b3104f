from collections.abc import Callable
from typing import Any

import httpx
import pytest

from .server import Address

Ask = Callable[..., httpx.Response]


def code(response: httpx.Response) -> str | None:
    return response.headers.get("X-ClickHouse-Exception-Code")


@pytest.fixture
def session(database: str) -> str:
    return f"session-of-{database}"


def test_set_and_use_last_as_long_as_the_session(http: httpx.Client, session: str) -> None:
    def ask(query: str, **params: Any) -> httpx.Response:
        return http.post("/", content=query, params={"session_id": session, **params})

    ask("SET max_block_size = 1234")
    ask("USE system")
    assert ask("SELECT getSetting('max_block_size'), currentDatabase()").text == "1234\tsystem\n"
    assert ask("SELECT getSetting('max_block_size')", max_block_size=99).text == "99\n"
    assert ask("SELECT getSetting('max_block_size')").text == "1234\n"
    assert http.post("/", content="SELECT getSetting('max_block_size')").text != "1234\n"


def test_a_temporary_table_lives_in_its_session_alone(ask: Ask, session: str) -> None:
    assert ask("CREATE TEMPORARY TABLE t (a Int32)", session_id=session).status_code == 200
    assert ask("INSERT INTO t VALUES (1), (2)", session_id=session).status_code == 200
    assert ask("SELECT sum(a) FROM t", session_id=session).text == "3\n"
    assert ask("SELECT sum(a) FROM t", session_id=session, max_block_size=1).text == "3\n"
    assert code(ask("SELECT sum(a) FROM t")) == "60"
    assert code(ask("SELECT sum(a) FROM t", session_id=f"{session}-other")) == "60"


def test_settings_of_a_request_do_not_stay_beside_a_temporary_table(ask: Ask, session: str) -> None:
    ask("CREATE TEMPORARY TABLE t (a Int32)", session_id=session)
    ask("SET max_block_size = 1234", session_id=session)
    query = "SELECT getSetting('max_block_size'), getSetting('max_threads') = 3"
    assert ask(query, session_id=session, max_block_size=99, max_threads=3).text == "99\t1\n"
    assert ask(query, session_id=session).text == "1234\t0\n"


def test_a_session_with_a_temporary_table_obeys_readonly(http: httpx.Client, database: str, session: str) -> None:
    where = {"session_id": session, "database": database}
    http.post("/", params=where, content="CREATE TEMPORARY TABLE t (a Int32)")
    assert code(http.get("/", params={**where, "query": "INSERT INTO t VALUES (1)"})) == "164"
    assert code(http.post("/", params={**where, "readonly": 1}, content="DROP TABLE t")) == "164"
    assert http.get("/", params={**where, "query": "SELECT count() FROM t"}).text == "0\n"
    assert http.post("/", params=where, content="INSERT INTO t VALUES (1)").status_code == 200


def test_a_session_that_does_not_exist_is_found_out(ask: Ask, session: str) -> None:
    assert code(ask("SELECT 1", session_id=session, session_check=1)) == "372"
    assert ask("SELECT 1", session_id=session).text == "1\n"
    assert ask("SELECT 1", session_id=session, session_check=1).text == "1\n"


def test_a_session_timeout_has_its_limit(ask: Ask, session: str) -> None:
    assert code(ask("SELECT 1", session_id=session, session_timeout=1_000_000)) == "374"


def test_the_client_keeps_a_session_of_its_own(address: Address, database: str) -> None:
    with address.connect(database=database, autogenerate_session_id=True) as client:
        client.command("CREATE TEMPORARY TABLE t (a Int32, b String)")
        client.insert("t", [[1, "x"], [2, "y"]], column_names=["a", "b"], database="")
        assert client.query("SELECT * FROM t ORDER BY a").result_rows == [(1, "x"), (2, "y")]
