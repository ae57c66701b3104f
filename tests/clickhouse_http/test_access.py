import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from .server import Address, Process

Ask = Callable[..., httpx.Response]
PASSWORD = "pass wörd's"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, embedded: Process | None) -> Iterator[Process]:
    """A server with a password."""
    if embedded is None:
        pytest.skip("about the embedded ClickHouse")
    folder = tmp_path_factory.mktemp("guarded")
    environment = {"CLICKHOUSE_PASSWORD": PASSWORD, "SECRET_KEY": "a secret of the portal"}
    process = Process(folder / "data", folder / "log", environment=environment).wait_until_ready()
    yield process
    process.stop()


def basic(user: str, password: str) -> dict[bytes, bytes]:
    return {b"Authorization": b"Basic " + base64.b64encode(f"{user}:{password}".encode())}


def test_the_password_is_taken_by_headers_basic_auth_and_url(guarded: Process) -> None:
    query = {"query": "SELECT currentUser()"}
    by_header = {b"X-ClickHouse-User": b"default", b"X-ClickHouse-Key": PASSWORD.encode()}
    url = guarded.address.url
    assert httpx.get(url, params=query, headers=by_header).text == "default\n"
    assert httpx.get(url, params=query, headers=basic("default", PASSWORD)).text == "default\n"
    assert httpx.get(url, params={**query, "user": "default", "password": PASSWORD}).text == "default\n"
    assert httpx.get(url, params={**query, "password": PASSWORD}).text == "default\n"
    with guarded.address.connect() as client:
        assert client.query("SELECT 1").result_rows == [(1,)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"X-ClickHouse-User": b"default"},
        {b"X-ClickHouse-User": b"default", b"X-ClickHouse-Key": b"wrong"},
        {b"X-ClickHouse-User": b"someone", b"X-ClickHouse-Key": PASSWORD.encode()},
        {b"X-ClickHouse-Key": PASSWORD.encode()},
        basic("default", "wrong"),
        basic("default", ""),
        {b"Authorization": b"Basic ???"},
        {b"Authorization": b"Bearer token"},
        {b"X-ClickHouse-User": b"default", b"X-ClickHouse-Key": PASSWORD.encode(), **basic("default", PASSWORD)},
    ],
)
def test_without_the_right_password_nothing_is_answered(guarded: Process, headers: dict[bytes, bytes]) -> None:
    response = httpx.post(guarded.address.url, content="SELECT 1", headers=headers)
    assert response.status_code == 403
    assert response.headers["X-ClickHouse-Exception-Code"] == "516"
    assert "AUTHENTICATION_FAILED" in response.text


def test_the_client_tells_a_wrong_password(guarded: Process) -> None:
    with pytest.raises(DatabaseError) as caught:
        Address(guarded.address.url, password="wrong").connect()
    assert caught.value.code == 516


def test_the_password_may_stand_in_a_file(start: Callable[..., Process], tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    environment = {"CLICKHOUSE_PASSWORD_FILE": str(tmp_path / "password")}
    server = start(environment=environment).wait_until_ready()
    assert httpx.post(server.address.url, content="SELECT 1").status_code == 403
    assert httpx.post(server.address.url, content="SELECT 1", headers=basic("default", PASSWORD)).text == "1\n"


def test_health_checks_need_no_password(guarded: Process) -> None:
    assert httpx.get(f"{guarded.address.url}/ping").text == "Ok.\n"


def test_no_secret_is_logged_or_shown_to_queries(guarded: Process) -> None:
    with guarded.address.http() as http:
        http.post("/", content="SELECT 'data of a user' FROM no_such_table", params={"query_id": "to-be-logged"})
        read = http.post("/", content="SELECT * FROM '/proc/self/environ' FORMAT LineAsString")
    assert read.status_code >= 400
    assert "query to-be-logged failed with 60 (UNKNOWN_TABLE) after 0." in guarded.log
    assert "data of a user" not in guarded.log
    assert PASSWORD not in guarded.log
    assert b"a secret of the portal" not in Path(f"/proc/{guarded.process.pid}/environ").read_bytes()


@pytest.mark.usefixtures("embedded_only")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8003"},
        {"Host": "evil.example"},
        {"Host": "evil.example:8124"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.evil.example:8124"},
        {"Host": "0.0.0.0:8124"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_web_pages_are_refused(http: httpx.Client, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/?query=SELECT+1"), ("POST", "/?query=SELECT+1"), ("GET", "/ping"), ("OPTIONS", "/")):
        response = http.request(method, path, headers=headers)
        assert response.status_code == 403
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.usefixtures("embedded_only")
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:9", "[::1]", "[::1]:8124"])
def test_this_machine_s_names_are_served(http: httpx.Client, host: str) -> None:
    assert http.get("/", params={"query": "SELECT 1"}, headers={"Host": host}).text == "1\n"


@pytest.mark.usefixtures("embedded_only")
@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT file('/etc/passwd')",
        "SELECT * FROM /* x */ FILE /* y */ ('/etc/passwd')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM s3('http://127.0.0.1:1/a', 'LineAsString')",
        "SELECT * FROM executable('id', 'LineAsString', 'a String')",
        "SELECT * FROM remote('127.0.0.1:1', 'system.one')",
        "SELECT * FROM python('x')",
        "SELECT * FROM eval('SELECT 1')",
        "INSERT INTO FUNCTION file('/tmp/out.csv', 'CSV', 'a Int8') VALUES (1)",
        "INSERT INTO TABLE FUNCTION url('http://127.0.0.1:1/', 'CSV', 'a Int8') SELECT 1",
        "CREATE TABLE t (a String) ENGINE = File('CSV', '/etc/passwd')",
        "CREATE TABLE t (a String) ENGINE URL('http://127.0.0.1:1/', 'CSV')",
        "CREATE DATABASE d ENGINE = Filesystem('/')",
        "CREATE DATABASE d ENGINE = SQLite('/tmp/x.db')",
        "CREATE DICTIONARY d (a UInt64) PRIMARY KEY a SOURCE(FILE(path '/etc/passwd' format 'CSV')) LAYOUT(FLAT())",
        "CREATE DICTIONARY d (a UInt64) PRIMARY KEY a SOURCE(EXECUTABLE(command 'id' format 'CSV')) LAYOUT(FLAT())",
        "SYSTEM SHUTDOWN",
        "SYSTEM KILL",
    ],
)
def test_files_programs_and_other_servers_are_out_of_reach(ask: Ask, query: str) -> None:
    response = ask(query)
    assert (response.status_code, response.headers["X-ClickHouse-Exception-Code"]) == (403, "497")


@pytest.mark.usefixtures("embedded_only")
@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM '{path}'",
        "SELECT * FROM `{path}`",
        "SELECT * FROM {{path:Identifier}}",
        "SELECT 1 IN `{path}`",
        "SELECT * FROM merge('default', '{path}')",
    ],
)
def test_the_kernel_keeps_files_away_where_sql_has_another_way_to_name_them(
    ask: Ask, tmp_path: Path, query: str
) -> None:
    file = tmp_path / "file.csv"
    file.write_text("a secret in a file\n")
    response = ask(query.format(path=file), param_path=str(file), database="default")
    assert response.status_code >= 400
    assert "a secret in a file" not in response.text


def test_tables_and_columns_may_be_called_as_those_functions(ask: Ask) -> None:
    assert ask("CREATE TABLE file (url String, file UInt8, s3 UInt8) ENGINE = Memory").text == ""
    assert ask("INSERT INTO file (url, file, s3) VALUES ('http', 1, 2)").text == ""
    assert ask("WITH url AS (SELECT 1 AS file) SELECT file.url, (SELECT file FROM url) FROM file").text == "http\t1\n"


def test_a_backup_stays_in_the_data_folder(ask: Ask, database: str, embedded_only: Process) -> None:
    ask("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    ask("INSERT INTO t VALUES (1)")
    assert "BACKUP_CREATED" in ask(f"BACKUP TABLE t TO File('{database}')").text
    assert (embedded_only.folder / "backups" / database).is_dir()
    ask("DROP TABLE t SYNC")
    assert "RESTORED" in ask(f"RESTORE TABLE {database}.t FROM File('{database}')").text
    assert ask("SELECT a FROM t").text == "1\n"
    for query in ("BACKUP TABLE t TO File('/tmp/backup')", "RESTORE TABLE t FROM File('/etc')"):
        assert ask(query).status_code >= 400
    assert ask("BACKUP TABLE t TO S3('http://127.0.0.1:1/')").headers["X-ClickHouse-Exception-Code"] == "497"


def test_a_slow_query_is_logged_by_its_id_alone(ask: Ask, embedded_only: Process) -> None:
    ask("SELECT sleep(1.1), 'data of a user'", query_id="a-slow-one")
    ask("SELECT 1", query_id="a-fast-one")
    assert "query a-slow-one took 1." in embedded_only.log
    assert "a-fast-one" not in embedded_only.log
    assert "data of a user" not in embedded_only.log
