"""The portal's web and receiver processes, as `manage.py up` runs them, over the test databases."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
from django.conf import settings
from django.db import connections

from agentops_portal.embedded.privileges import die_with_parent

from .services import ROOT, free_ports

START_SECONDS = 60
STOP_SECONDS = 10

WEB = "agentops_portal.asgi:application"
RECEIVER = "traces.ingest.otlp.asgi:application"


@contextmanager
def granian(application: str, log: Path, grpc_port: int | None = None, **environment_too: str) -> Iterator[str]:
    """Serve an ASGI application on a free port of 127.0.0.1; gives its base URL. `log` takes what it prints.

    The receiver listens for gRPC on `grpc_port`, by default on one that nobody is told.
    """
    port, spare = free_ports(2)
    environment = test_environment() | {"OTLP_GRPC_PORT": str(grpc_port or spare)} | environment_too
    command = [
        *(
            sys.executable,
            "-m",
            "agentops_portal.embedded.server",
            "--interface",
            "asgi",
            "--ws" if application == WEB else "--no-ws",
        ),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--runtime-threads", "1", "--log-level", "warning", application),
    ]
    with running(command, log, environment, f"http://127.0.0.1:{port}/health"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running(command: Sequence[str], log: Path, environment: Mapping[str, str], answers_at: str) -> Iterator[None]:
    """A program that is started, waited for until a GET of `answers_at` succeeds, and stopped at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    try:
        _wait(process, log, answers_at)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_environment() -> dict[str, str]:
    """The environment in which a process of the portal finds the test databases instead of its own."""
    postgres = connections["default"].settings_dict
    clickhouse = connections["clickhouse"].settings_dict
    scheme = "https" if clickhouse["OPTIONS"].get("secure") else "http"
    return {
        **os.environ,
        "SECRET_KEY": settings.SECRET_KEY,
        "DATABASE_URL": f"postgresql://{_login(postgres)}@{postgres['HOST']}:{postgres['PORT']}/{postgres['NAME']}",
        "CLICKHOUSE_URL": f"{scheme}://{_login(clickhouse)}@{clickhouse['HOST']}:{clickhouse['PORT']}/{clickhouse['NAME']}",
    }


def _login(database: Mapping[str, str]) -> str:
    return f"{quote(database['USER'])}:{quote(database['PASSWORD'])}"


def _wait(process: "subprocess.Popen[bytes]", log: Path, answers_at: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"{process.args!r} ended while starting:\n{log.read_text(errors='replace')[-4000:]}")
        try:
            if httpx.get(answers_at, timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{answers_at} did not answer:\n{log.read_text(errors='replace')[-4000:]}")
