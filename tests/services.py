"""Pytest plugin: starts the embedded stores on free ports in a temporary folder before Django reads its settings.

The controller starts them, xdist's workers inherit their addresses. A store that DATABASE_URL or CLICKHOUSE_URL names
is used instead of an embedded one, so the same suite runs against any server. Nothing is left when pytest ends, and
the kernel stops the stores even when pytest is killed.
"""

import atexit
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
import pytest

from agentops_portal.embedded.privileges import die_with_parent

from . import template

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60

# What a developer may have set for a portal of their own; tests choose for themselves.
FOREIGN = (
    "ALLOWED_HOSTS",
    "CELERY_BROKER_URL",
    "CLICKHOUSE_PASSWORD",
    "CORS_ALLOWED_ORIGINS",
    "DEBUG",
    "EMAIL_URL",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "PORTAL_HOST",
    "PORTAL_URL",
    "SECRET_KEY",
    "SIGNUP_ALLOWED",
    "SUPABASE_JWT_SECRET",
    "SUPABASE_URL",
)


class Services:
    """The processes and the folder of one test run."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="portal-tests-"))
        self.processes: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self) -> None:
        for name in FOREIGN:
            os.environ.pop(name, None)
            os.environ.pop(f"{name}_FILE", None)
        os.environ["API_REQUESTS_PER_MINUTE"] = os.environ["AUTH_REQUESTS_PER_MINUTE"] = "0"  # fuzzing asks often
        ports = free_ports(5)
        os.environ["PORTAL_VAR"] = str(self.folder / "var")
        os.environ["PORTAL_DOTENV"] = str(self.folder / ".env")  # not the developer's
        for name in ("PORTAL_PORT", "OTLP_HTTP_PORT", "OTLP_GRPC_PORT"):
            os.environ[name] = str(ports.pop())
        if os.environ.get("DATABASE_URL") or os.environ.get("CLICKHOUSE_URL"):
            self._start_stores(*ports)
        else:
            self._start_filled(*ports)

    def _start_filled(self, *ports: int) -> None:
        """Both stores, with databases to copy."""
        var = self.folder / "var"
        if not template.fetch(var):
            self._start_stores(*ports)
            template.make(
                f"postgresql://agentops:{self._password()}@127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
            )
            self._end()
            template.keep(var)
        self._start_stores(*ports)
        os.environ[template.USED] = "1"

    def _start_stores(self, postgres_port: int, clickhouse_port: int) -> None:
        """Those that nobody named; returns when they answer."""
        waits: list[Callable[[], bool]] = []
        if not os.environ.get("DATABASE_URL"):
            waits.append(self._start_postgres(postgres_port))
        if not os.environ.get("CLICKHOUSE_URL"):
            waits.append(self._start_clickhouse(clickhouse_port))
        deadline = time.monotonic() + START_SECONDS
        while not all(answers() for answers in waits):
            for name, process in self.processes:
                if process.poll() is not None:
                    raise pytest.UsageError(f"{name} ended while starting:\n{self.log(name)}")
            if time.monotonic() > deadline:
                logs = "\n".join(self.log(name) for name, _ in self.processes)
                raise pytest.UsageError(f"The stores did not answer within {START_SECONDS} s:\n{logs}")
            time.sleep(0.05)

    def stop(self) -> None:
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        for name, process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        for _, process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self.processes.clear()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-4000:]

    def _start_postgres(self, port: int) -> Callable[[], bool]:
        password = self._password()
        os.environ["POSTGRES_PORT"] = str(port)
        self._run(
            "postgres",
            *("--data", str(self.folder / "var" / "postgres"), "--port", str(port)),
            *("--password-file", str(self.folder / "var" / "secrets" / "postgres_password"), "--throwaway"),
        )

        def answers() -> bool:
            try:
                psycopg.connect(
                    f"postgresql://agentops:{password}@127.0.0.1:{port}/agentops", connect_timeout=2
                ).close()
            except psycopg.OperationalError:
                return False
            return True

        return answers

    def _password(self) -> str:
        """Of PostgreSQL's role: the one that kept stores came with, or a new one."""
        file = self.folder / "var" / "secrets" / "postgres_password"
        if not file.exists():
            file.parent.mkdir(mode=0o700, parents=True)
            file.write_text(secrets.token_urlsafe(24))
        return file.read_text()

    def _start_clickhouse(self, port: int) -> Callable[[], bool]:
        os.environ["CLICKHOUSE_HTTP_PORT"] = str(port)
        self._run("clickhouse", "--data", str(self.folder / "var" / "clickhouse"), "--port", str(port))

        def answers() -> bool:
            try:
                return bool(urlopen(f"http://127.0.0.1:{port}/ping", timeout=2).status == 200)
            except (URLError, OSError):
                return False

        return answers

    def _run(self, name: str, *arguments: str) -> None:
        command = [sys.executable, "-m", f"agentops_portal.embedded.{name}", *arguments]
        with (self.folder / f"{name}.log").open("wb") as log:
            # A session of its own: Ctrl-C reaches pytest alone, which then stops the stores in order.
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, parent=os.getpid()),
            )
        self.processes.append((name, process))


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing listens on just now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Around pytest-django's hook of this name, which reads the settings."""
    options = early_config.known_args_namespace
    wanted = not (os.environ.get("PYTEST_XDIST_WORKER") or options.help or options.version)
    if wanted:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a CI's time-out ends the run as Ctrl-C does
        services = Services()
        atexit.register(services.stop)
        services.start()
    return (yield)
