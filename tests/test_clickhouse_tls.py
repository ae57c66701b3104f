import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from agentops_portal.clickhouse.client import open_client
from agentops_portal.clickhouse.probe import probe
from agentops_portal.problems import StoreProblem

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate"),
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of its own authority for `localhost`, its key in the same file."""
    folder = tmp_path_factory.mktemp("tls")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "1",
    ]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command, "-keyout", "key", "-out", "certificate"], cwd=folder, check=True, capture_output=True)
    with (folder / "certificate").open("a") as file:
        file.write((folder / "key").read_text())
    return folder / "certificate"


@pytest.fixture
def tls_port(certificate: Path) -> Iterator[int]:
    """The suite's ClickHouse behind TLS, as ClickHouse Cloud is."""
    chosen = connections.settings["clickhouse"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=[client], daemon=True).start()

    def serve(plain: socket.socket) -> None:
        try:
            client = context.wrap_socket(plain, server_side=True)
        except OSError:
            return
        server = socket.create_connection((chosen["HOST"], chosen["PORT"]))
        threading.Thread(target=copy, args=[server, client], daemon=True).start()
        copy(client, server)

    def copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def _over_tls(port: int, **options: str) -> dict[str, Any]:
    chosen = connections.settings["clickhouse"]
    return {**chosen, "HOST": "localhost", "PORT": port, "OPTIONS": {"secure": "1", **options}}


def test_queries_inserts_and_compressed_answers_travel_over_tls(tls_port: int, certificate: Path) -> None:
    client = open_client(_over_tls(tls_port, ca_cert=str(certificate), compress="lz4"))

    client.command("CREATE TABLE tls_test (n UInt32, text String) ENGINE = Memory")
    try:
        client.insert("tls_test", [[n, "x" * 100] for n in range(10_000)], ["n", "text"])
        assert client.query("SELECT count(), sum(n), any(text) FROM tls_test").result_rows == [
            (10_000, sum(range(10_000)), "x" * 100)
        ]
        assert len(client.query("SELECT * FROM tls_test").result_rows) == 10_000
    finally:
        client.command("DROP TABLE tls_test")


def test_a_certificate_of_an_unknown_authority_is_refused_with_the_way_out(tls_port: int) -> None:
    with pytest.raises(StoreProblem, match=r"TLS failed .*certificate verify failed") as caught:
        probe(_over_tls(tls_port))

    assert "ca_cert=" in caught.value.hint


def test_a_known_authority_is_trusted(tls_port: int, certificate: Path) -> None:
    probe(_over_tls(tls_port, ca_cert=str(certificate)))


def test_the_certificate_must_be_the_hosts(tls_port: int, certificate: Path) -> None:
    address = _over_tls(tls_port, ca_cert=str(certificate)) | {"HOST": "127.0.0.1"}

    with pytest.raises(StoreProblem, match="TLS failed"):
        probe(address)
    probe(address | {"OPTIONS": {**address["OPTIONS"], "server_host_name": "localhost"}})


def test_verification_can_be_switched_off(tls_port: int) -> None:
    probe(_over_tls(tls_port, verify="0"))
