"""No process is started with a secret that another user's process could read, or that it has no use for."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from .test_up import Portal

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")]

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


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = Portal(tmp_path_factory.mktemp("secrets"))
    made.environment |= SECRETS | FOREIGN_POSTGRES
    made.start()
    yield made
    made.end()


def environment(process: psutil.Process) -> str:
    return Path(f"/proc/{process.pid}/environ").read_bytes().decode(errors="replace")


def test_it_starts_although_variables_of_libpq_point_elsewhere(portal: Portal) -> None:
    assert httpx.get(f"{portal.url}/ready").json() == {"status": "ok", "postgres": "ok", "clickhouse": "ok"}


def test_the_stores_hold_no_secret_where_the_kernel_shows_it(portal: Portal) -> None:
    for name in ("postgres", "clickhouse"):
        leader = portal.leader(name)
        for process in [leader, *leader.children(recursive=True)]:
            assert MARK not in environment(process), f"{name}: {process.cmdline()}"
            assert "hunter2" not in " ".join(process.cmdline())
    assert "PATH=" in environment(portal.leader("postgres"))  # it was readable


def test_no_process_of_another_user_holds_one(portal: Portal) -> None:
    others = [process for process in portal.tree() if process.uids().effective != os.geteuid()]
    assert bool(others) == (os.geteuid() == 0)
    assert all(MARK not in environment(process) for process in others)


def test_the_services_have_the_settings_they_need(portal: Portal) -> None:
    metrics = f"{portal.url}/metrics"
    assert httpx.get(metrics).status_code != 200
    assert httpx.get(metrics, headers={"Authorization": f"Bearer {SECRETS['METRICS_TOKEN']}"}).status_code == 200
