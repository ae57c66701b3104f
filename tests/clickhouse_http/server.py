"""A ClickHouse to test: the embedded one, started as a process of its own, or the server of CLICKHOUSE_URL."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import httpx
from clickhouse_connect.driver.client import Client

from tests.services import ROOT, free_ports

START_SECONDS = 60
STOP_SECONDS = 15


@dataclass(frozen=True)
class Address:
    """Where a server listens and who asks."""

    url: str
    user: str = "default"
    password: str = ""

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    @classmethod
    def parse(cls, url: str) -> "Address":
        parts = urlsplit(url)
        port = parts.port or (8443 if parts.scheme == "https" else 8123)
        base = f"{parts.scheme}://{parts.hostname}:{port}"
        return cls(base, unquote(parts.username or "default"), unquote(parts.password or ""))

    def http(self) -> httpx.Client:
        """Raw HTTP, as curl would speak it."""
        headers = {b"Accept-Encoding": b"identity"}
        if self.password:
            headers |= {b"X-ClickHouse-User": self.user.encode(), b"X-ClickHouse-Key": self.password.encode()}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def connect(self, **options: Any) -> Client:
        """The official client."""
        parts = urlsplit(self.url)
        given = {"autogenerate_session_id": False, **options}
        return clickhouse_connect.get_client(
            host=parts.hostname,
            port=parts.port,
            interface=parts.scheme,
            username=self.user,
            password=self.password,
            **given,
        )


class Process:
    """The embedded ClickHouse in a process of its own."""

    def __init__(
        self, folder: Path, log: Path, *, port: int | None = None, environment: dict[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port = port or free_ports(1)[0]
        self.address = Address(
            f"http://127.0.0.1:{self.port}", password=(environment or {}).get("CLICKHOUSE_PASSWORD", "")
        )
        self._log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLICKHOUSE_")}
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*(sys.executable, "-m", "agentops_portal.embedded.clickhouse"), *self._arguments()],
                cwd=ROOT,
                env=inherited | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _arguments(self) -> list[str]:
        return ["--data", str(self.folder), "--port", str(self.port)]

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait_until_ready(self) -> "Process":
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log
            try:
                if httpx.get(f"{self.address.url}/ping", timeout=2).text == "Ok.\n":
                    return self
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"no answer within {START_SECONDS} s:\n{self.log}")

    def wait_for_exit(self) -> int:
        return self.process.wait(START_SECONDS)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return self.process.returncode

    def memory(self) -> int:
        """The bytes of memory it holds (VmRSS)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))
