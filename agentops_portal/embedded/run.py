"""One run of one program: start, readiness, end."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from . import obituary
from .log import Log
from .obituary import describe_exit
from .privileges import die_with_parent
from .readiness import Probe

PROBE_INTERVAL = 0.1


@dataclass(frozen=True)
class Process:
    """A program and how to deal with it.

    It is ready when `probe` returns "", which else says what is missing. `stop_signal` asks for an orderly end, for
    which it has `stop_seconds`. `ready_file` is removed before each start, for a probe that waits for it. A first start
    that ends early is tried `starts` times. `inherits` says what it gets of this process's environment. Whose
    supervisor was killed gets `orphan_signal`.
    """

    name: str
    command: Sequence[str]
    probe: Probe | None = None
    ready_file: Path | None = None
    start_seconds: float = 180  # a machine with much else to do is slow, and says so meanwhile
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 4
    starts: int = 1
    inherits: Callable[[Mapping[str, str]], Mapping[str, str]] = dict
    environment: Mapping[str, str] = field(default_factory=dict)


class ProcessFailed(Exception):
    """A program did not start, or died too often. The message names it, its exit code and its last lines."""


class EndedWhileStarting(ProcessFailed):
    """A program ended, with `code`, before it was ready."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Run:
    """A started program. It leads a session of its own, so that its children can be reached as a group, and the
    kernel asks it to stop when this process dies."""

    def __init__(self, process: Process, log: Log, handle: asyncio.subprocess.Process, output: int) -> None:
        self.process = process
        self.log = log
        self.handle = handle
        self._follower = asyncio.create_task(log.follow(process.name, output))

    @classmethod
    async def start(cls, process: Process, log: Log, logs_output: bool = True) -> "Run":
        """Start the program. Unless `logs_output`, the log follows its standard error only.

        Raises ProcessFailed when the program does not exist.
        """
        if process.ready_file is not None:
            process.ready_file.parent.mkdir(exist_ok=True)
            process.ready_file.unlink(missing_ok=True)
        # A pipe of our own: asyncio's would delay the news of the end for as long as a grandchild holds it.
        output, write_end = os.pipe()
        try:
            handle = await asyncio.create_subprocess_exec(
                *process.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end if logs_output else asyncio.subprocess.PIPE,
                stderr=write_end,
                env={**process.inherits(os.environ), **process.environment},
                start_new_session=True,
                preexec_fn=partial(die_with_parent, process.orphan_signal, os.getpid()),
            )
        except BaseException as error:
            os.close(output)
            if not isinstance(error, OSError):
                raise
            raise ProcessFailed(f"{process.name} cannot be started: {error.strerror}: {process.command[0]}.") from error
        finally:
            os.close(write_end)
        return cls(process, log, handle, output)

    async def output(self) -> str:
        """Wait for the end and return what went to standard output.

        Raises ProcessFailed with the last line of the log when the exit code is not 0.
        """
        output = await self.handle.stdout.read() if self.handle.stdout else b""
        code = await self.end()
        if code != 0:
            lines = [line.removeprefix("CommandError: ") for line in self.log.tail(self.process.name) if line]
            raise ProcessFailed(lines[-1] if lines else f"{self.process.name} failed ({describe_exit(code)}).")
        return output.decode()

    async def wait_until_ready(self) -> None:
        """Raises EndedWhileStarting when the program ends first, ProcessFailed when start_seconds are over."""
        ended = asyncio.create_task(self.handle.wait())
        problem = "it was not asked yet"
        try:
            async with asyncio.timeout(self.process.start_seconds):
                while problem := await self.process.probe() if self.process.probe else "":
                    await asyncio.wait({ended}, timeout=PROBE_INTERVAL)
                    if ended.done():
                        code = await self.end()
                        what = f"ended while starting ({describe_exit(code)})"
                        raise EndedWhileStarting(self.report(what, code), code)
        except TimeoutError:
            what = f"was not ready within {self.process.start_seconds:.0f} s: {problem}"
            raise ProcessFailed(self.report(what)) from None
        finally:
            ended.cancel()

    async def stop(self) -> None:
        """Ask for an orderly end, and kill the whole group when that takes too long."""
        if self.handle.returncode is None:
            with suppress(ProcessLookupError):
                self.handle.send_signal(self.process.stop_signal)
            try:
                await asyncio.wait_for(self.handle.wait(), self.process.stop_seconds)
            except TimeoutError:
                self.log.line(self.process.name, f"did not stop within {self.process.stop_seconds:.0f} s: killed")
        with suppress(ProcessLookupError):
            os.killpg(self.handle.pid, signal.SIGKILL)
        await self.end()

    async def end(self) -> int:
        """Wait for the program's end, end what it has left behind, read the rest of its output: its exit code."""
        code = await self.handle.wait()
        with suppress(ProcessLookupError):
            os.killpg(self.handle.pid, signal.SIGKILL)
        await asyncio.wait({self._follower}, timeout=1)  # a grandchild in another session may hold the pipe
        self._follower.cancel()
        return code

    def report(self, what: str, code: int | None = None) -> str:
        """A sentence about this program, with its last lines below; `code` is how it ended, if it did."""
        return obituary.report(self.process.name, what, self.log.tail(self.process.name), code)
