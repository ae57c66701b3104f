"""One portal in surroundings that are not made for it.

Variables of other programs; others who look for secrets: no process is started with one that another user's process
could read, or that it has no use for. And, last, a PostgreSQL that hangs (SIGSTOP): everybody is told so within 15
seconds, and it is over as soon as it goes on.
"""

import os
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

needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")

MARK = "hunter2-of-this-test"
SECRETS = {
    "SECRET_KEY": f"{MARK}-{'x' * 50}",
    "SECRET_KEY_FALLBACKS": f"{MARK}-{'y' * 50}",
    "JWT_SECRET_KEY": f"{MARK}-{'z' * 50}",
    "METRICS_TOKEN": f"{MARK}-token",
    "EMAIL_URL": f"smtp+tls://user:{MARK}@127.0.0.1:1",
    "BOOTSTRAP_PASSWORD": f"{MARK}-password",
    "SUPABASE_JWT_SECRET": MARK,
    "OPENAI_API_KEY": f"{MARK}-foreign",  # of another program of the same person
    "CLICKHOUSE_PASSWORD": f"{MARK}-clickhouse",
}
# What a person may have set for a PostgreSQL of theirs.
FOREIGN_POSTGRES = {"PGHOSTADDR": "192.0.2.1", "PGSERVICE": "missing", "PGSSLMODE": "require", "PGUSER": "somebody"}

EMAIL = "root@example.com"
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
    made = Portal(tmp_path_factory.mktemp("surroundings"))
    made.environment |= SECRETS | FOREIGN_POSTGRES
    try:
        made.spawn(BOOTSTRAP_EMAIL=EMAIL)
        made.wait_for("AgentOps Portal is ready", seconds=300)
        yield made
    finally:
        made.end()


def environment(process: psutil.Process) -> str:
    return Path(f"/proc/{process.pid}/environ").read_bytes().decode(errors="replace")


def test_it_starts_although_variables_of_libpq_point_elsewhere(portal: Portal) -> None:
    assert httpx.get(f"{portal.url}/ready").json() == {"status": "ok", "postgres": "ok", "clickhouse": "ok"}


@needs_proc
def test_the_stores_hold_no_secret_where_the_kernel_shows_it(portal: Portal) -> None:
    for name in ("postgres", "clickhouse"):
        leader = portal.leader(name)
        for process in [leader, *leader.children(recursive=True)]:
            assert MARK not in environment(process), f"{name}: {process.cmdline()}"
            assert "hunter2" not in " ".join(process.cmdline())
    assert "PATH=" in environment(portal.leader("postgres"))  # it was readable


@needs_proc
def test_no_process_of_another_user_holds_one(portal: Portal) -> None:
    others = [process for process in portal.tree() if process.uids().effective != os.geteuid()]
    assert bool(others) == (os.geteuid() == 0)
    assert all(MARK not in environment(process) for process in others)


def test_the_services_have_the_settings_they_need(portal: Portal) -> None:
    metrics = f"{portal.url}/metrics"
    assert httpx.get(metrics).status_code != 200
    assert httpx.get(metrics, headers={"Authorization": f"Bearer {SECRETS['METRICS_TOKEN']}"}).status_code == 200


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
    body = {"email": EMAIL, "password": SECRETS["BOOTSTRAP_PASSWORD"]}
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
