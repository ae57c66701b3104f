"""Clients that take their time stop nobody, on the doors as `manage.py up` serves them, and learn what was wrong."""

import collections
import contextlib
import resource
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentops_portal import body_patience
from traces.ingest.uploads import MAX_BYTES

from .receiver import Tenant
from .servers import RECEIVER, WEB, granian

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]

SLOW = 1_100  # granian alone takes 1,024 connections
POSTED_TO = {WEB: "/auth/login", RECEIVER: "/v1/traces"}


@pytest.fixture(scope="module", params=[WEB, RECEIVER], ids=["web", "receiver"])
def door(
    request: pytest.FixtureRequest, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Address of the process, and the path that takes bodies there."""
    with granian(request.param, tmp_path_factory.mktemp("door") / "log") as url:
        yield url, POSTED_TO[request.param]


@pytest.fixture
def sockets(door: tuple[str, str]) -> Iterator["Sockets"]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4_000, hard)), hard))
    with contextlib.ExitStack() as stack:
        yield Sockets(int(door[0].rpartition(":")[2]), stack)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Sockets:
    def __init__(self, port: int, stack: contextlib.ExitStack) -> None:
        self._port = port
        self._stack = stack

    def open(self, begin: bytes) -> socket.socket:
        client = self._stack.enter_context(socket.create_connection(("127.0.0.1", self._port), timeout=30))
        client.sendall(begin)
        return client


def slow(path: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{"
    )
    return head.encode()


def health_seconds(url: str) -> float:
    begun = time.monotonic()
    with urllib.request.urlopen(f"{url}/health", timeout=20) as answer:  # noqa: S310
        assert answer.status == 200
    return time.monotonic() - begun


@pytest.mark.parametrize("begin", ["body", "header", "nothing"])
def test_slow_requests_stop_nobody(begin: str, door: tuple[str, str], sockets: Sockets) -> None:
    url, path = door
    sent = {"body": slow(path), "header": slow(path)[:40], "nothing": b""}[begin]
    for _ in range(SLOW):
        sockets.open(sent)

    assert min(health_seconds(url) for _ in range(3)) < 1


def test_an_unfinished_body_is_given_up(door: tuple[str, str], sockets: Sockets, tenant: Tenant) -> None:
    _, path = door
    client = sockets.open(slow(path).replace(b"\r\n\r\n", f"\r\nx-api-key: {tenant.key}\r\n\r\n".encode()))

    answer = b""
    begun = time.monotonic()
    while part := client.recv(65536):
        answer += part

    assert answer.split()[1] == b"408"
    assert b"did not come in time" in answer
    assert time.monotonic() - begun < body_patience.IDLE_SECONDS + 5


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 60_000_000], ids=["just too large", "much too large"])
def test_a_client_that_writes_first_reads_why_it_was_refused(size: int, door: tuple[str, str]) -> None:
    url, _ = door
    path = "/v4/logs/upload/" if door[1] == POSTED_TO[WEB] else "/v1/traces"
    answers: collections.Counter[object] = collections.Counter()
    for _ in range(5):
        request = urllib.request.Request(url + path, b"x" * size, {"Content-Type": "application/json"})  # noqa: S310
        try:
            urllib.request.urlopen(request, timeout=30)  # noqa: S310
        except urllib.error.HTTPError as error:
            answers[error.code] += 1
        except OSError as error:
            answers[repr(error)] += 1

    assert answers == {413 if path != "/v1/traces" else 401: 5}


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_fetch_of_node_reads_why_it_was_refused(door: tuple[str, str], tmp_path: Path) -> None:
    url, _ = door
    path = "/v4/logs/upload/" if door[1] == POSTED_TO[WEB] else "/v1/traces"
    script = """
        const [url, size] = process.argv.slice(1);
        for (let i = 0; i < 4; i++)
            await fetch(url, {method: "POST", body: new Uint8Array(+size)})
                .then(answer => console.log(answer.status), error => console.log(error.cause));
    """
    command = ["node", "--input-type=module", "-e", script, url + path, str(MAX_BYTES + 1)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.stdout.split() == ["413" if path != "/v1/traces" else "401"] * 4, done.stdout + done.stderr
