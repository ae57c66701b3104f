"""Keeps processes running, and ends all of them with itself: `kill -9` of this one leaves none behind (on Linux)."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

from .log import Log
from .obituary import describe_exit
from .run import EndedWhileStarting, Process, ProcessFailed, Run

GIVE_UP_DEATHS = 5
GIVE_UP_SECONDS = 60
STEADY_SECONDS = 2  # who served that long was well: an end after it is the first of its kind
RESTART_DELAYS = (0.2, 1, 2, 4)  # seconds before the first, second, … restart within GIVE_UP_SECONDS


@dataclass
class Supervised:
    """A process that is kept running: its present run, and when the ones before it ended."""

    run: Run
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=GIVE_UP_DEATHS))
    ready_at: float = float("inf")  # when the present run became ready

    def died(self, now: float) -> int:
        """Note that the run ended; how many ended lately without having served for a while in between."""
        if now - self.ready_at >= STEADY_SECONDS:
            self.deaths.clear()
        self.deaths.append(now)
        self.ready_at = float("inf")
        return self.recent_deaths(now)

    def recent_deaths(self, now: float) -> int:
        return sum(now - death < GIVE_UP_SECONDS for death in self.deaths)


class Supervisor:
    """Use as `async with`: whatever was started is stopped at the end of the block, last started first."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.groups: list[list[Supervised]] = []
        self._watchers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Supervisor":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, *processes: Process) -> None:
        """Start processes side by side, wait until all are ready, and keep them running from then on.

        Raises ProcessFailed when one is not ready in time.
        """
        group: list[Supervised] = []
        self.groups.append(group)
        for process in processes:
            group.append(Supervised(await Run.start(process, self.log)))
        waits = [asyncio.create_task(self._first_start(supervised)) for supervised in group]
        try:
            await asyncio.gather(*waits)
        finally:
            for wait in waits:
                wait.cancel()
        for supervised in group:
            supervised.ready_at = time.monotonic()
        self._watchers |= {asyncio.create_task(self._keep_running(supervised)) for supervised in group}

    async def run(self, process: Process, returns_output: bool = False) -> str:
        """Run a program to its end, its lines in the log.

        With `returns_output` the log has its standard error only, and what it wrote to standard output is returned.
        Raises ProcessFailed with the last line it logged when its exit code is not 0.
        """
        group = [Supervised(await Run.start(process, self.log, logs_output=not returns_output))]
        self.groups.append(group)
        output = await group[0].run.output()
        self.groups.remove(group)
        return output

    async def wait(self) -> None:
        """Wait for ever; raises ProcessFailed when a process dies too often."""
        done, _ = await asyncio.wait(self._watchers, return_when=asyncio.FIRST_COMPLETED)
        for watcher in done:
            watcher.result()

    async def stop(self) -> None:
        """Stop all processes, group by group, the last started first."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers.clear()
        while self.groups:
            await asyncio.gather(*(supervised.run.stop() for supervised in self.groups[-1]))
            self.groups.pop()

    async def _first_start(self, supervised: Supervised) -> None:
        """Wait until it is ready; one that ends before is started again as often as its process allows."""
        process = supervised.run.process
        for _ in range(process.starts - 1):
            try:
                return await supervised.run.wait_until_ready()
            except EndedWhileStarting as failure:
                text = f"ended while starting ({describe_exit(failure.code)}); it is tried again"
                self.log.line(process.name, text, "bold red")
            supervised.run = await Run.start(process, self.log)
        await supervised.run.wait_until_ready()

    async def _keep_running(self, supervised: Supervised) -> None:
        name = supervised.run.process.name
        while True:
            code = await supervised.run.end()
            died = time.monotonic()
            deaths = supervised.died(died)
            if deaths >= GIVE_UP_DEATHS:
                what = f"ended {deaths} times within {GIVE_UP_SECONDS} s, last with {describe_exit(code)}"
                raise ProcessFailed(supervised.run.report(what, code))
            delay = RESTART_DELAYS[deaths - 1]
            self.log.line(name, f"ended ({describe_exit(code)}); starts again in {delay} s", "bold red")
            await asyncio.sleep(delay)
            supervised.run = await Run.start(supervised.run.process, self.log)
            try:
                await supervised.run.wait_until_ready()
            except ProcessFailed as failure:
                self.log.line(name, str(failure).partition("\n")[0], "bold red")
                await supervised.run.stop()
            else:
                supervised.ready_at = time.monotonic()
                self.log.line(name, f"is back after {time.monotonic() - died:.1f} s", "bold green")
