import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from psycopg import sql

from agentops_portal import postgres
from agentops_portal.clickhouse import client
from agentops_portal.clickhouse.options import read_address
from agentops_portal.clickhouse.probe import probe
from agentops_portal.problems import StoreProblem

from .services import free_ports

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def _clickhouse(**changes: Any) -> dict[str, Any]:
    return {**connections.settings["clickhouse"], **changes}


def _postgres(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    for name, value in changes.items():
        monkeypatch.setitem(connections.settings["default"], name, value)


@pytest.fixture
def web_server() -> Iterator[int]:
    """Speaks HTTP, but is no ClickHouse; yields its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()


def test_both_stores_of_the_suite_are_fit_for_use() -> None:
    probe()
    postgres.probe()


def test_a_missing_clickhouse_database_is_no_problem_for_migrate_creates_it() -> None:
    probe(_clickhouse(NAME="no_such_database"))


def test_an_unreachable_clickhouse_is_named_with_its_address() -> None:
    (port,) = free_ports(1)

    with pytest.raises(StoreProblem) as caught:
        probe(_clickhouse(HOST="127.0.0.1", PORT=port, PASSWORD="s3cret"))

    assert caught.value.message == f"ClickHouse at http://127.0.0.1:{port} cannot be reached: Connection refused."
    assert "s3cret" not in str(caught.value)


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(StoreProblem, match=r"http://no-such-host\.invalid:8123 .* host name is unknown"):
        probe(_clickhouse(HOST="no-such-host.invalid", PORT=8123))


def test_a_wrong_clickhouse_password_says_where_it_stands() -> None:
    with pytest.raises(StoreProblem, match="refuses the user default or the password") as caught:
        probe(_clickhouse(PASSWORD="wr0ng"))

    assert "CLICKHOUSE_URL" in caught.value.hint
    assert "wr0ng" not in str(caught.value)


def test_an_unknown_clickhouse_user_says_the_same() -> None:
    with pytest.raises(StoreProblem, match="refuses the user nobody"):
        probe(_clickhouse(USER="nobody"))


def test_something_else_that_speaks_http_is_recognised(web_server: int) -> None:
    with pytest.raises(StoreProblem, match=f"127.0.0.1:{web_server} answers, but not as ClickHouse"):
        probe(_clickhouse(HOST="127.0.0.1", PORT=web_server))


def test_something_that_speaks_no_http_is_a_problem_not_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentops_portal.clickhouse.probe.PROBE_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(StoreProblem, match="no answer in time"):
        probe(_clickhouse(HOST="127.0.0.1", PORT=silent.getsockname()[1]))


def test_a_port_of_another_service_is_a_problem_not_a_traceback() -> None:
    with pytest.raises(StoreProblem, match="closed the connection without an answer"):
        probe(_clickhouse(HOST=settings.DATABASES["default"]["HOST"], PORT=int(settings.DATABASES["default"]["PORT"])))


def test_https_against_a_plain_port_is_explained() -> None:
    with pytest.raises(StoreProblem, match="TLS failed") as caught:
        probe(_clickhouse(OPTIONS={"secure": "1"}))

    assert "http://" in caught.value.hint


def test_an_old_clickhouse_is_refused_with_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentops_portal.clickhouse.probe.OLDEST_VERSION", (999, 1))

    with pytest.raises(StoreProblem, match=r"is version \d+\.\d+.*needs 999\.1 or newer"):
        probe()


def test_an_unreachable_postgresql_is_named_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    _postgres(monkeypatch, HOST="127.0.0.1", PORT=str(port))

    with pytest.raises(StoreProblem) as caught:
        postgres.probe()

    assert caught.value.message == f"PostgreSQL at 127.0.0.1:{port} cannot be reached: Connection refused."


def test_a_wrong_postgresql_password_says_where_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    _postgres(monkeypatch, PASSWORD="wr0ng")

    with pytest.raises(StoreProblem, match=r"refuses the user .* or the password") as caught:
        postgres.probe()

    assert "DATABASE_URL" in caught.value.hint
    assert "wr0ng" not in str(caught.value)


def test_an_unknown_role_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    _postgres(monkeypatch, USER="nobody")

    with pytest.raises(StoreProblem, match=r"refuses the (user nobody|portal)"):
        postgres.probe()


def test_a_missing_postgresql_database_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _postgres(monkeypatch, NAME="no_such_database")

    with pytest.raises(StoreProblem, match="has no database no_such_database") as caught:
        postgres.probe()

    assert "CREATE DATABASE no_such_database" in caught.value.hint


def test_an_old_postgresql_is_refused_with_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentops_portal.postgres.OLDEST_VERSION", 99)

    with pytest.raises(StoreProblem, match=r"is version \d+; the portal needs 99 or newer"):
        postgres.probe()


def test_a_database_where_the_role_may_not_create_its_schema_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "POSTGRES_SCHEMA", "not_there")
    name = connections["default"].settings_dict["NAME"]
    statement = "{} CREATE ON DATABASE {} {} CURRENT_USER"
    server = postgres.plain_parameters(connections["default"])

    def change(verb: str, preposition: str) -> None:
        with psycopg.connect(**server, autocommit=True) as admin:
            admin.execute(sql.SQL(statement).format(sql.SQL(verb), sql.Identifier(name), sql.SQL(preposition)))

    change("REVOKE", "FROM")
    try:
        with pytest.raises(StoreProblem, match="may not create the schema not_there") as caught:
            postgres.probe()
    finally:
        change("GRANT", "TO")
    assert "GRANT CREATE ON DATABASE" in caught.value.hint


@pytest.mark.parametrize(
    ("option", "fault"),
    [
        ({"verify": "maybe"}, "verify='maybe' is not a yes or no"),
        ({"connect_timeout": "soon"}, "connect_timeout='soon' is not a whole number"),
        ({"ca_cert": "/no/such/file"}, "ca_cert='/no/such/file' is not a file"),
        ({"sslmode": "require"}, "unknown option 'sslmode'"),
    ],
)
def test_options_of_the_url_that_do_not_fit_are_named(option: dict[str, str], fault: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=fault):
        read_address(_clickhouse(OPTIONS=option))


def test_options_of_the_url_arrive_as_text_and_get_their_types() -> None:
    address = read_address(
        _clickhouse(
            HOST="ch.example.com",
            PORT=8443,
            OPTIONS={"secure": "true", "verify": "0", "connect_timeout": "7", "ch_max_threads": "4"},
        )
    )

    assert (address.secure, address.verify, address.connect_timeout) == (True, False, 7)
    assert address.settings == (("max_threads", "4"),)
    assert address.url == "https://ch.example.com:8443"
    assert address.compress == "lz4"


def test_no_password_is_shown_with_an_address() -> None:
    assert "s3cret" not in repr(read_address(_clickhouse(PASSWORD="s3cret")))


def test_the_machine_itself_is_never_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    client.close_clients()

    assert client.get_client().command("SELECT 1") == 1
