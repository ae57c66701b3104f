"""The whole portal as `make up` runs it, in a folder and on ports of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import psutil
import pytest

from agentops_portal.addresses import listening
from projects.dotenv import read_variable

from ..services import ROOT, free_ports
from .conftest import alive, ends

pytestmark = pytest.mark.slow

PROCESSES = ("postgres", "clickhouse", "web", "otlp", "worker", "beat")
PORTS = ("PORTAL_PORT", "OTLP_HTTP_PORT", "OTLP_GRPC_PORT", "POSTGRES_PORT", "CLICKHOUSE_HTTP_PORT")


class Portal:
    """`manage.py up` with a data folder of its own; its log goes to a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log_file = folder / "log"
        ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        own = {"PORTAL_VAR": str(folder / "var"), "PORTAL_DOTENV": str(folder / ".env"), **ports}
        foreign = {
            "DATABASE_URL",
            "CLICKHOUSE_URL",
            "CLICKHOUSE_PASSWORD",
            "DJANGO_SETTINGS_MODULE",
            "PYTEST_CURRENT_TEST",
        }
        self.environment = {name: value for name, value in os.environ.items() if name not in foreign} | own
        self.url = f"http://localhost:{ports['PORTAL_PORT']}"
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self, **environment: str) -> "subprocess.Popen[bytes]":
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--no-demo"],
                cwd=ROOT,
                env=self.environment | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self.process

    def start(self) -> float:
        """Seconds from the command to the last line of its start."""
        started = time.monotonic()
        self.spawn()
        self.wait_for("AgentOps Portal is ready", seconds=240)
        return time.monotonic() - started

    def wait_for(self, text: str, seconds: float, count: int = 1) -> None:
        deadline = time.monotonic() + seconds
        while self.log.count(text) < count:
            assert self.process
            assert self.process.poll() is None, f"it ended:\n{self.log}"
            assert time.monotonic() < deadline, f"{text!r} was not logged within {seconds} s:\n{self.log}"
            time.sleep(0.05)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 10
        while (answer := httpx.get(f"{self.url}/ready")).status_code != 200:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.1)

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def tree(self) -> list[psutil.Process]:
        assert self.process
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def leader(self, name: str) -> psutil.Process:
        """The process that the supervisor itself started under `name`."""
        mark = {
            "postgres": "pginstall",
            "clickhouse": "agentops_portal.embedded.clickhouse",
            "web": "agentops_portal.asgi:application",
            "otlp": "traces.ingest.otlp.asgi:application",
        }.get(name, f" {name} ")
        children = self.tree()[0].children()
        return next(child for child in children if mark in " ".join(child.cmdline()) + " ")

    def shell(self, script: str) -> str:
        done = subprocess.run(["sh", "-euc", script], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def credentials(self) -> tuple[str, str]:
        return "default", read_variable(self.folder / ".env", "CLICKHOUSE_PASSWORD")

    def clickhouse(self, query: str, *, auth: Any = None, headers: Any = None, **params: str) -> httpx.Response:
        url = f"http://localhost:{self.environment['CLICKHOUSE_HTTP_PORT']}/"
        return httpx.get(url, params={"query": query, **params}, auth=auth, headers=headers)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = Portal(tmp_path_factory.mktemp("portal"))
    made.start()
    yield made
    made.end()


def test_the_first_start_prints_address_login_project_and_key_and_writes_the_key_to_the_env_file(
    portal: Portal,
) -> None:
    for name in ("Portal", "Login", "Password", "Project ID", "API key", "Traces to", "Next"):
        assert f"│ {name} " in portal.log
    key = re.search(r"API key\s+([0-9a-f-]{36})", portal.log)
    assert key
    assert f"AGENTOPS_API_KEY={key[1]}" in (portal.folder / ".env").read_text()


def test_every_line_of_the_log_has_a_time_and_the_name_of_its_process(portal: Portal) -> None:
    lines = [line for line in portal.log.splitlines() if line and line[0] not in "╭│╰"]
    assert all(re.match(r"\d\d:\d\d:\d\d \w+ +\| ", line) for line in lines), portal.log
    assert "\x1b[" not in portal.log


def test_the_portal_is_alive_and_ready(portal: Portal) -> None:
    assert httpx.get(f"{portal.url}/health").json() == {"message": "Server Up", "status": "ok"}
    assert httpx.get(f"{portal.url}/ready").json() == {"status": "ok", "postgres": "ok", "clickhouse": "ok"}


def test_what_the_readme_tells_to_type_works(portal: Portal) -> None:
    readme = (ROOT / "README.md").read_text()
    marked = readme.split("tests/supervisor/test_up.py runs this block -->\n```sh\n")[1:]
    send, read = (block.split("```")[0] for block in marked)
    assert portal.shell(send.replace(":4318/", f":{portal.environment['OTLP_HTTP_PORT']}/")) == "{}"
    look = read.replace(":8124/", f":{portal.environment['CLICKHOUSE_HTTP_PORT']}/")
    project = re.search(r"Project ID\s+([0-9a-f-]{36})", portal.log)
    assert project
    deadline = time.monotonic() + 10
    while not (rows := portal.shell(look)) and time.monotonic() < deadline:
        pass  # it is stored a moment after the answer
    assert rows == f"{project[1]}\t1\n"
    query = "SELECT SpanName, total_tokens FROM otel_2.otel_traces WHERE ServiceName = 'hello'"
    assert portal.clickhouse(query, auth=portal.credentials).text == "chat gpt-4.1-mini\t46\n"


def test_clickhouse_asks_for_the_password_of_the_env_file(portal: Portal) -> None:
    user, password = portal.credentials
    assert len(password) >= 40
    keys = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}
    assert portal.clickhouse("SELECT 1", auth=portal.credentials).text == "1\n"
    assert portal.clickhouse("SELECT 1", headers=keys).text == "1\n"
    assert portal.clickhouse("SELECT 1", user=user, password=password).text == "1\n"
    for refused in (
        portal.clickhouse("SELECT 1"),
        portal.clickhouse("SELECT 1", auth=(user, "wrong")),
        portal.clickhouse("SELECT 1", headers=keys | {"X-ClickHouse-Key": password[:-1]}),
        portal.clickhouse("SELECT 1", user=user, password=""),
    ):
        assert (refused.status_code, refused.headers["X-ClickHouse-Exception-Code"]) == (403, "516")
    assert password not in portal.log
    assert password not in " ".join(" ".join(process.cmdline()) for process in portal.tree())
    assert (portal.folder / ".env").stat().st_mode & 0o077 == 0


@pytest.mark.skipif("::1" not in listening("localhost"), reason="this machine has no IPv6")
def test_every_port_of_localhost_answers_over_ipv6_too(portal: Portal) -> None:
    ports = portal.environment
    for variable, path in (
        ("PORTAL_PORT", "/health"),
        ("OTLP_HTTP_PORT", "/health"),
        ("CLICKHOUSE_HTTP_PORT", "/ping"),
    ):
        for address in ("[::1]", "127.0.0.1"):
            assert httpx.get(f"http://{address}:{ports[variable]}{path}").status_code == 200
    for address in ("[::1]", "127.0.0.1"):
        with grpc.insecure_channel(f"{address}:{ports['OTLP_GRPC_PORT']}") as channel:
            grpc.channel_ready_future(channel).result(timeout=10)


def test_pages_come_with_hashed_static_files_that_exist(portal: Portal) -> None:
    page = httpx.get(f"{portal.url}/login/").text
    style = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)
    assert style
    assert httpx.get(f"{portal.url}{style[1]}").status_code == 200


def test_the_idle_tree_stays_below_one_gibibyte(portal: Portal) -> None:
    def proportional(process: psutil.Process) -> int:
        return int(process.memory_full_info().pss)

    shares = {f"{each.pid} {' '.join(each.cmdline())[-60:]}": proportional(each) for each in portal.tree()}
    assert sum(shares.values()) < 2**30, json.dumps(shares, indent=2)


def test_a_second_start_on_the_same_folder_says_where_the_first_one_runs(portal: Portal) -> None:
    second = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=portal.environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert second.returncode == 1
    assert portal.process
    assert f"is already running at {portal.url} (process {portal.process.pid})" in second.stdout
    assert "Traceback" not in second.stdout + second.stderr
    assert httpx.get(f"{portal.url}/ready").status_code == 200


@pytest.mark.parametrize("name", PROCESSES)
def test_a_killed_process_is_back_within_10_seconds(portal: Portal, name: str) -> None:
    backs = portal.log.count("is back after")
    killed = portal.leader(name)
    killed.kill()
    portal.wait_for("is back after", seconds=10, count=backs + 1)
    assert portal.leader(name).pid != killed.pid
    portal.wait_until_ready()
    # A session that is looked up in PostgreSQL, on a connection that may have been cut: a redirect, no error.
    assert httpx.get(portal.url, cookies={"session_id": "x" * 32}).status_code == 302


def test_a_killed_worker_of_the_web_server_is_back_too(portal: Portal) -> None:
    [worker] = portal.leader("web").children()
    backs = portal.log.count("is back after")
    worker.kill()
    portal.wait_for("is back after", seconds=10, count=backs + 1)
    portal.wait_until_ready()


def test_kill_9_of_the_supervisor_leaves_nothing_running(portal: Portal) -> None:
    assert portal.process
    pids = [process.pid for process in portal.tree()]
    assert len(pids) > len(PROCESSES)
    portal.process.kill()
    portal.process.wait()
    assert ends(*pids, seconds=10), [psutil.Process(pid).cmdline() for pid in pids if alive(pid)]


def test_after_that_it_starts_within_10_seconds_and_ctrl_c_ends_everything_within_10(portal: Portal) -> None:
    portal.end()
    seconds = portal.start()
    pids = [process.pid for process in portal.tree()]
    with httpx.Client() as client:
        client.get(f"{portal.url}/health")  # an idle connection stays open
        assert portal.process
        started = time.monotonic()
        portal.process.send_signal(signal.SIGINT)
        portal.process.wait(20)
        assert time.monotonic() - started < 10
    assert portal.process.returncode == 0
    assert ends(*pids, seconds=1), [psutil.Process(pid).cmdline() for pid in pids if alive(pid)]
    assert portal.log.rstrip().endswith("Stopped")
    assert "killed" not in portal.log
    assert re.search(r"API key +shown when it was made", portal.log)
    assert seconds < 10 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DATABASE_URL", "postgresql://someone:hunter2@127.0.0.1:1/portal", "PostgreSQL at"),
        ("CLICKHOUSE_URL", "http://someone:hunter2@127.0.0.1:1/otel_2", "ClickHouse at"),
        ("DATABASE_URL", "mysql://127.0.0.1/portal", "DATABASE_URL is not a URL of the form postgresql://"),
        ("DEBUG", "perhaps", "DEBUG='perhaps' is not a yes or no: write 1 or 0."),
        ("PORTAL_VAR", "/proc/portal", "set PORTAL_VAR to a folder this user can write"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_one_sentence_and_no_secret(
    tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    portal = Portal(tmp_path)
    process = portal.spawn(**{variable: value})
    assert process.wait(60) != 0
    assert sentence in portal.log.strip().splitlines()[-1]
    assert "Traceback" not in portal.log
    assert "hunter2" not in portal.log


def test_a_taken_port_ends_the_start_before_anything_is_written(tmp_path: Path) -> None:
    portal = Portal(tmp_path)
    used = os.environ["CLICKHOUSE_HTTP_PORT"] if not os.environ.get("CLICKHOUSE_URL") else "1"
    process = portal.spawn(OTLP_HTTP_PORT=used)
    assert process.wait(30) == 1
    assert re.search(rf"Port {used} (of \S+ is taken by|cannot be used)", portal.log) or used == "1"
    assert "OTLP_HTTP_PORT" in portal.log
    assert not (tmp_path / "var" / "postgres").exists()
