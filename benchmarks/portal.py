"""A portal of the benchmark's own: `manage.py up` in a scratch folder, on free ports, with all its real processes."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from .paths import ROOT, free_ports, scratch_folder

START_SECONDS = 240
STOP_SECONDS = 30
PORTS = ("PORTAL_PORT", "OTLP_HTTP_PORT", "OTLP_GRPC_PORT", "POSTGRES_PORT", "CLICKHOUSE_HTTP_PORT")
# What a developer may have set for another portal.
FOREIGN = (
    *("DATABASE_URL", "CLICKHOUSE_URL", "CLICKHOUSE_PASSWORD", "CELERY_BROKER_URL", "REDIS_URL"),
    *("PORTAL_HOST", "PORTAL_URL"),
)
EMAIL = "bench@agent-portal.local"
PASSWORD = "a benchmark needs no secret 1"

# What is found in the command line of each process that the supervisor starts.
MARKS = {
    "postgres": "pginstall",
    "clickhouse": "agentops_portal.embedded.clickhouse",
    "web": "agentops_portal.asgi:application",
    "otlp": "traces.ingest.otlp.asgi:application",
    "worker": " worker ",
    "beat": " beat ",
}
SUPERVISOR = "supervisor"


class Portal:
    """A running portal. Use `portal()` to have one."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self._settings = settings
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.web = f"http://127.0.0.1:{self.ports['PORTAL_PORT']}"
        self.receiver_port = self.ports["OTLP_HTTP_PORT"]
        self._log_file = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        own = {
            **{name: str(port) for name, port in self.ports.items()},
            "PORTAL_VAR": str(self.folder / "var"),
            "PORTAL_DOTENV": str(self.folder / ".env"),
            "BOOTSTRAP_EMAIL": EMAIL,
            "BOOTSTRAP_PASSWORD": PASSWORD,
            **self._settings,
        }
        with self._log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--no-demo"],
                cwd=ROOT,
                env={name: value for name, value in os.environ.items() if name not in FOREIGN} | own,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while "AgentOps Portal is ready" not in self.log:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The portal did not start:\n{self.log[-4000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    @property
    def log(self) -> str:
        return self._log_file.read_text(errors="replace")

    @property
    def headers(self) -> dict[str, str]:
        """What an exporter needs to be let in."""
        return {"Authorization": f"Bearer {self._setting('AGENTOPS_API_KEY')}"}

    @contextmanager
    def signed_in(self) -> Iterator[httpx.Client]:
        """A person at a browser, signed in to the web process."""
        with httpx.Client(base_url=self.web, trust_env=False, timeout=120, headers={"Referer": self.web}) as client:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get("/login/").text)
            assert token, "the login page has no form"
            form = {"username": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": token[1], "next": "/"}
            answer = client.post("/login/", data=form)
            assert answer.status_code == 302, f"no login: {answer.status_code} {answer.text[:500]}"
            yield client

    @property
    def project_id(self) -> str:
        return self._setting("AGENTOPS_PROJECT_ID")

    def _setting(self, name: str) -> str:
        found = re.search(rf"^{name}=[\"']?([\w-]+)", (self.folder / ".env").read_text(), re.MULTILINE)
        assert found, f"{name} is not in the file that the first start writes"
        return found[1]

    def sql(self, query: str, settings: dict[str, Any] | None = None, **parameters: object) -> list[dict[str, Any]]:
        """The rows of a query over the span store; `parameters` are bound by the server."""
        bound = {f"param_{name}": str(value) for name, value in parameters.items()}
        answer = httpx.post(
            f"http://127.0.0.1:{self.ports['CLICKHOUSE_HTTP_PORT']}/",
            params={
                "database": "otel_2",
                "default_format": "JSON",
                "output_format_json_quote_64bit_integers": 0,
                **(settings or {}),
                **bound,
            },
            auth=("default", self._setting("CLICKHOUSE_PASSWORD")),
            content=query.encode(),
            timeout=900,
            trust_env=False,
        )
        if answer.status_code != 200:
            raise RuntimeError(answer.text[:2000])
        rows: list[dict[str, Any]] = answer.json()["data"] if answer.content else []
        return rows

    def stored(self, service: str) -> tuple[int, int]:
        """How many rows, and how many different spans, a service has in the store."""
        query = (
            "SELECT count() AS rows, uniqExact(SpanId) AS spans FROM otel_traces WHERE ServiceName = {service:String}"
        )
        [row] = self.sql(query, service=service)
        return row["rows"], row["spans"]

    def wait_until_decoded(self, seconds: float = 120.0) -> float:
        """Wait until nothing that was acknowledged waits for its spans to be stored; gives the seconds it took."""
        started = time.monotonic()
        while self.sql("SELECT count() AS n FROM otlp_inbox")[0]["n"] and time.monotonic() < started + seconds:
            time.sleep(0.05)
        return time.monotonic() - started

    def process(self, name: str) -> psutil.Process:
        """The process that the supervisor itself started under that name."""
        assert self._process
        for child in psutil.Process(self._process.pid).children():
            try:
                if MARKS[name] in " ".join(child.cmdline()) + " ":
                    return child
            except psutil.Error:
                continue
        raise LookupError(f"{name} does not run")

    def trees(self) -> dict[str, list[psutil.Process]]:
        """Each process of the portal with its descendants."""
        assert self._process
        found = {SUPERVISOR: [psutil.Process(self._process.pid)]}
        for name in MARKS:
            try:
                leader = self.process(name)
                found[name] = [leader, *leader.children(recursive=True)]
            except (LookupError, psutil.Error):
                continue
        return found


@contextmanager
def portal(name: str, **settings: str) -> Iterator[Portal]:
    """A portal that is stopped, and whose data is removed, at the end of the block. settings: see .env.example."""
    with scratch_folder(name) as folder:
        made = Portal(folder, **settings)
        try:
            made.start()
            yield made
        finally:
            made.stop()
