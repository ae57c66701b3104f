"""The one log of `manage.py up`: each line with the time and the name of the process that wrote it.

    12:49:53 web        | request method=GET path=/health status=200 ms=1

Names have colours on a terminal, unless NO_COLOR is set (https://no-color.org).
"""

import asyncio
import os
import re
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime

from rich.console import Console
from rich.text import Text

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "bright_red")
PORTAL = "portal"  # the name that the supervisor's own lines have
NAME_WIDTH = 10
KEPT_LINES = 60  # the stack of a process that died in native code is longer than what it said last
LONGEST_LINE = 8192  # bytes; a longer one is shown in pieces

# What a line may not do to the terminal: logs quote what strangers send.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Log:
    """Writes prefixed lines and remembers the last ones of each process for the report of its end."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(
            file=sys.stdout, highlight=False, soft_wrap=True, no_color=True if os.environ.get("NO_COLOR") else None
        )
        self._colours: dict[str, str] = {}
        self._tails: dict[str, deque[str]] = {}

    def line(self, name: str, text: str, style: str = "") -> None:
        """Write one line of process `name`."""
        clean = _CONTROL.sub("", text).rstrip()
        self._tails.setdefault(name, deque(maxlen=KEPT_LINES)).append(clean)
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        now = datetime.now().astimezone()
        prefix = Text(f"{now:%H:%M:%S} {name:<{NAME_WIDTH}} | ", style=colour)
        self.console.print(prefix.append(clean, style=style or "default"))

    def tail(self, name: str) -> list[str]:
        """The last lines that process `name` wrote, oldest first."""
        return list(self._tails.get(name, ()))

    async def follow(self, name: str, pipe: int) -> None:
        """Write what comes out of the file descriptor `pipe` until it ends; closes it."""
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(pipe, "rb", buffering=0)
        )
        try:
            async for text in read_lines(stream):
                self.line(name, text)
        finally:
            transport.close()

    @asynccontextmanager
    async def step(self, text: str) -> AsyncIterator[None]:
        """Show that `text` is being done while the block runs: a spinner on a terminal, a line every 5 s elsewhere."""
        started = time.monotonic()
        ticker = asyncio.create_task(self._tick(text, started))
        try:
            with self.console.status(f"{text} …") if self.console.is_terminal else nullcontext():
                yield
        finally:
            ticker.cancel()
        self.line(PORTAL, f"{text}: done in {time.monotonic() - started:.1f} s")

    async def _tick(self, text: str, started: float) -> None:
        while not self.console.is_terminal:
            await asyncio.sleep(2 if time.monotonic() - started < 2 else 5)
            self.line(PORTAL, f"{text}: {time.monotonic() - started:.0f} s so far")


async def read_lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of `stream` without their ends; a line too long for the log comes in pieces."""
    rest = b""
    while chunk := await stream.read(65536):
        *lines, rest = (rest + chunk).split(b"\n")
        while len(rest) > LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        for line in lines:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")
