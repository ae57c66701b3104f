"""The web process as it is deployed: spans sent to it become news on its socket, and it stops with a socket open."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import httpx
import orjson
import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from projects.services import create_api_key
from tests.cast import Cast
from tests.pages.spans import Spanlet, request_of, trace_id
from tests.servers import WEB, granian

from .live_server import next_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]


def test_spans_become_news_and_the_process_stops_at_once(cast: Cast, tmp_path: Path) -> None:
    key = create_api_key(project=cast.project, name="both").secret
    bearer = {"Authorization": f"Bearer {key}"}
    with granian(WEB, tmp_path / "web.log") as url:
        address = f"{url.replace('http', 'ws', 1)}/api/monitoring/ws/{cast.project.pk}"
        with connect(address, additional_headers=bearer, proxy=None) as socket:
            time.sleep(2)  # the first look
            body = request_of({1: [Spanlet("ask", end=40)]}, time.time_ns()).SerializeToString()
            content = {**bearer, "Content-Type": "application/x-protobuf"}
            httpx.post(f"{url}/v1/traces", content=body, headers=content, timeout=30).raise_for_status()

            told = next_of(socket, "trace_new")
            assert (told["data"]["trace_id"], told["data"]["duration"]) == (trace_id(1), 40.0)

            _assert_exports_as_a_stream(url, cast, bearer)

            started, server = time.monotonic(), psutil.Process(_pid_at(url))
            os.kill(server.pid, signal.SIGTERM)
            with suppress(ConnectionClosed):  # the code is 1012, or none when granian is faster
                while True:
                    socket.recv(timeout=15)
            server.wait(timeout=15)
            assert time.monotonic() - started < 6


def _pid_at(url: str) -> int:
    """The server that listens at an address: granian's main process."""
    port = int(url.rsplit(":", 1)[1])
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "agentops_portal.embedded.server" in command and str(port) in command:
            return process.pid
    raise AssertionError(f"no process listens at {url}")


def _assert_exports_as_a_stream(url: str, cast: Cast, bearer: dict[str, str]) -> None:
    wanted = {
        "project_id": str(cast.project.pk),
        "format": "json",
        "include_spans": True,
        "date_range": {"start": "2020-01-01", "end": "2100-01-01"},
    }
    with httpx.stream("POST", f"{url}/api/monitoring/export", json=wanted, headers=bearer, timeout=30) as answer:
        answer.raise_for_status()
        assert answer.headers["Transfer-Encoding"] == "chunked"
        file = orjson.loads(answer.read())
    assert (file["complete"], file["trace_count"], len(file["traces"][0]["spans"])) == (True, 1, 1)
