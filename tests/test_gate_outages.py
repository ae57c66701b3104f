"""What the gate says of a ClickHouse that is away, refuses, hangs or was started anew."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentops_portal.clickhouse import gate
from agentops_portal.clickhouse.gate import Limits

from .services import ROOT, free_ports
from .test_gate import answer_of, at_address

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_an_unreachable_server_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    with at_address(monkeypatch, HOST="127.0.0.1", PORT=port, PASSWORD="s3cret"):
        for asking in (lambda: answer_of("1"), lambda: gate.ping(1)):
            with pytest.raises(gate.ClickHouseUnavailable, match=f"127.0.0.1:{port} cannot be reached") as caught:
                asking()
            assert "Connection refused" in str(caught.value)
            assert "s3cret" not in str(caught.value)


def test_a_refused_password_is_unavailable_not_a_query_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with at_address(monkeypatch, USER="nobody", PASSWORD="s3cret"):
        with pytest.raises(gate.ClickHouseUnavailable, match="refuses the user or password"):
            answer_of("1")
        with pytest.raises(gate.ClickHouseUnavailable):
            gate.ping(3)


def test_a_server_that_hangs_is_given_up_soon_after_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "GRACE_SECONDS", 1)

    with socket.create_server(("127.0.0.1", 0)) as silent, at_address(monkeypatch, PORT=silent.getsockname()[1]):
        started = time.monotonic()
        with pytest.raises(gate.ClickHouseUnavailable, match="no answer in time"):
            answer_of("1", limits=Limits(seconds=1))
        assert time.monotonic() - started < 6


def test_a_ping_asks_a_real_query_and_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    gate.ping(5)

    with socket.create_server(("127.0.0.1", 0)) as silent, at_address(monkeypatch, PORT=silent.getsockname()[1]):
        started = time.monotonic()
        with pytest.raises(gate.ClickHouseUnavailable, match="no answer in time"):
            gate.ping(0.5)
        assert time.monotonic() - started < 2


class _Server:
    """An embedded ClickHouse of the test's own, which it may stop and kill."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "agentops_portal.embedded.clickhouse",
                "--data",
                str(self.data),
                "--port",
                str(self.port),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                gate.ping(1)
            except gate.ClickHouseUnavailable:
                assert self.process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(15)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    (port,) = free_ports(1)
    address = {"HOST": "127.0.0.1", "PORT": port, "NAME": "default", "USER": "default", "PASSWORD": "", "OPTIONS": {}}
    with at_address(monkeypatch, **address):
        running = _Server(tmp_path / "clickhouse", port)
        yield running
        if running.process.poll() is None:
            running.stop()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_restarted_server_is_used_again_without_an_error(server: _Server, how: signal.Signals) -> None:
    assert answer_of("1 AS n") == [{"n": 1}]
    server.stop(how)
    with pytest.raises(gate.ClickHouseUnavailable):
        answer_of("1 AS n")

    server.start()

    assert answer_of("1 AS n") == [{"n": 1}]
