"""PostgreSQL that hangs (SIGSTOP): everybody is told so within 15 seconds, and it is over as soon as it goes on."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from projects.dotenv import read_variable

from .test_up import Portal

pytestmark = pytest.mark.slow

EMAIL, PASSWORD = "root@example.com", "correct horse battery"
WITHIN = 15.0  # seconds
SPAN = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": "0af7651916cd43dd8448eb211c80319c",
                            "spanId": "b7ad6b7169203331",
                            "name": "x",
                            "startTimeUnixNano": "1795435200000000000",
                            "endTimeUnixNano": "1795435201000000000",
                        }
                    ]
                }
            ]
        }
    ]
}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    started = Portal(tmp_path_factory.mktemp("hangs"))
    started.spawn(BOOTSTRAP_EMAIL=EMAIL, BOOTSTRAP_PASSWORD=PASSWORD)
    try:
        started.wait_for("AgentOps Portal is ready", seconds=300)
        yield started
    finally:
        started.end()


@contextmanager
def stopped(portal: Portal) -> Iterator[None]:
    """All processes of PostgreSQL, the one that would start others first."""
    servers = [each for each in portal.tree() if each.name() == "postgres"]
    assert servers
    for each in sorted(servers, key=lambda each: each.pid):
        _signalled(each, "suspend")
    try:
        yield
    finally:
        for each in servers:
            _signalled(each, "resume")


def _signalled(process: psutil.Process, name: str) -> None:
    with suppress(psutil.NoSuchProcess):  # a connection that ended meanwhile
        getattr(process, name)()


def signed_in(portal: Portal) -> httpx.Client:
    client = httpx.Client(base_url=portal.url, timeout=40, trust_env=False)
    body = {"email": EMAIL, "password": PASSWORD}
    assert client.post("/auth/login", json=body, headers={"Origin": portal.url}).status_code == 200
    assert client.get("/projects/").status_code == 200
    return client


def timed(client: httpx.Client, address: str, **options: Any) -> tuple[int, float, httpx.Response]:
    started = time.monotonic()
    answer = client.get(address, **options)
    return answer.status_code, time.monotonic() - started, answer


def test_a_postgresql_that_hangs_is_told_and_survived(portal: Portal) -> None:
    client = signed_in(portal)
    key = read_variable(Path(portal.environment["PORTAL_DOTENV"]), "AGENTOPS_API_KEY")
    headers = {"x-api-key": key}
    assert client.get("/api/v1/projects", headers=headers).status_code == 200
    otlp = f"http://localhost:{portal.environment['OTLP_HTTP_PORT']}/v1/traces"
    assert httpx.post(otlp, json=SPAN, headers=headers, timeout=20).status_code == 200

    with stopped(portal), ThreadPoolExecutor(12) as pool:
        pages = [pool.submit(timed, client, address) for address in ("/projects/", "/account/", "/admin/", "/")]
        apis = [pool.submit(timed, client, "/api/v1/projects"), pool.submit(timed, client, "/opsboard/users/me")]
        unknown = pool.submit(timed, client, "/api/v1/projects", headers={"x-api-key": key.replace(key[:8], "0" * 8)})
        health = timed(client, "/health")  # with the session's cookie, while the others wait
        assert health[0] == 200
        assert health[1] < 2
        sent = httpx.post(otlp, json=SPAN, headers=headers, timeout=40)
        assert sent.status_code == 200  # the key was good a moment ago

        for status, seconds, answer in (each.result() for each in (*pages, *apis, unknown)):
            assert (status, answer.headers["Retry-After"]) == (503, "5"), answer.request.url
            assert seconds <= WITHIN, answer.request.url
            assert "PostgreSQL" in answer.text
        status, seconds, ready = timed(client, "/ready")
        assert (status, ready.json()["postgres"]) == (503, "no answer within 3 s")
        assert ready.json()["clickhouse"] == "ok"

    deadline = time.monotonic() + 10
    while client.get("/projects/").status_code != 200:
        assert time.monotonic() < deadline, "it did not recover by itself"
        time.sleep(0.2)
    assert client.get("/api/v1/projects", headers=headers).status_code == 200
    assert httpx.post(otlp, json=SPAN, headers=headers, timeout=20).status_code == 200
    portal.wait_until_ready()
