import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agentops_portal.embedded.run import Process
from agentops_portal.embedded.supervisor import Supervisor

from .conftest import RecordedLog, alive, ends

STOPS_IN_ORDER = """
import signal
def stop(*_):
    print("stopped at", time.monotonic())
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
ready()
time.sleep(600)
"""
IGNORES = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(os.getpid())\nready()\ntime.sleep(600)"


def test_processes_stop_in_reverse_order(log: RecordedLog, program: Callable[..., Process]) -> None:
    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("store", STOPS_IN_ORDER))
            await supervisor.start(program("web", STOPS_IN_ORDER))

    asyncio.run(scenario())
    at = {name: float(log.tail(name)[-1].removeprefix("stopped at ")) for name in ("store", "web")}
    assert at["web"] < at["store"]


def test_a_process_that_ignores_the_request_is_killed_after_its_time(
    log: RecordedLog, program: Callable[..., Process]
) -> None:
    async def scenario() -> float:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("web", IGNORES, stop_seconds=0.5))
            started = time.monotonic()
        return time.monotonic() - started

    assert 0.5 <= asyncio.run(scenario()) < 3
    assert ends(int(log.tail("web")[0]))


def test_children_of_a_stopped_process_end_with_it(log: RecordedLog, program: Callable[..., Process]) -> None:
    code = "import subprocess\nprint(subprocess.Popen(['sleep', '600']).pid)\nready()\ntime.sleep(600)"

    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("web", code))

    asyncio.run(scenario())
    assert ends(int(log.tail("web")[0]))


def test_kill_9_of_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
from agentops_portal.embedded.log import Log
from agentops_portal.embedded.run import Process
from agentops_portal.embedded.supervisor import Supervisor

async def main():
    async with Supervisor(Log()) as supervisor:
        await supervisor.start(Process("one", ("sleep", "600")), Process("two", ("sleep", "600")))
        pids = [each.run.handle.pid for each in supervisor.groups[0]]
        open({str(tmp_path / "pids")!r}, "w").write(" ".join(map(str, pids)))
        print("started", flush=True)
        await supervisor.wait()

asyncio.run(main())
"""
    supervisor = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout
    assert "started" in supervisor.stdout.readline()
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert all(alive(pid) for pid in pids)
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    assert ends(*pids)
    supervisor.stdout.close()
