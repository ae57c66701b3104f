import asyncio
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console

from agentops_portal.embedded.log import Log
from agentops_portal.embedded.readiness import file_exists
from agentops_portal.embedded.run import Process


class RecordedLog(Log):
    """A log whose text a test can read."""

    def __init__(self) -> None:
        self.written = StringIO()
        super().__init__(Console(file=self.written, width=1000, highlight=False, soft_wrap=True))

    @property
    def text(self) -> str:
        return self.written.getvalue()

    async def wait_for(self, text: str, seconds: float = 10, count: int = 1) -> None:
        """Fail unless `text` is in the log, `count` times, within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self.text.count(text) < count:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"{text!r} was not logged within {seconds} s:\n{self.text}")


def alive(pid: int) -> bool:
    """Whether the process still does anything; one that nobody has collected yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ends(*pids: int, seconds: float = 5) -> bool:
    """Whether all processes are gone within `seconds`."""
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(alive, pids))


@pytest.fixture
def log() -> RecordedLog:
    return RecordedLog()


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Process]:
    """Makes a process that runs Python code. It has `ready()` and `time` at hand, and is ready once it calls it."""

    def make(name: str, code: str, **fields: Any) -> Process:
        file = tmp_path / f"{name}.ready"
        head = f"import time, os, sys\nfrom pathlib import Path\ndef ready(): Path({str(file)!r}).touch()\n"
        command = (sys.executable, "-u", "-c", head + code)
        return Process(name, command, **{"probe": file_exists(file), "ready_file": file, **fields})

    return make
