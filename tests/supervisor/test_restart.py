import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from agentops_portal.embedded import supervisor as module
from agentops_portal.embedded.run import Process, ProcessFailed
from agentops_portal.embedded.supervisor import Supervisor

from .conftest import RecordedLog, alive, ends

SERVES = "ready()\nprint('serving', os.getpid())\ntime.sleep(600)"


def pid_of(supervisor: Supervisor, group: int = 0) -> int:
    return supervisor.groups[group][0].run.handle.pid


def test_a_killed_process_comes_back(log: RecordedLog, program: Callable[..., Process]) -> None:
    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("web", SERVES))
            first = pid_of(supervisor)
            os.kill(first, signal.SIGKILL)
            await log.wait_for("is back after")
            assert pid_of(supervisor) != first
            assert alive(pid_of(supervisor))
            assert "ended (signal SIGKILL); starts again in 0.2 s" in log.text

    asyncio.run(scenario())


def test_what_a_killed_process_left_behind_is_ended_before_the_restart(
    log: RecordedLog, program: Callable[..., Process]
) -> None:
    code = "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\nprint('child', child.pid)\n" + SERVES

    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("web", code))
            child = int(log.text.partition("child ")[2].split()[0])
            os.kill(pid_of(supervisor), signal.SIGKILL)
            await log.wait_for("is back after")
            assert ends(child)

    asyncio.run(scenario())


def test_a_process_that_keeps_dying_stops_the_portal_with_its_name_code_and_last_lines(
    log: RecordedLog, program: Callable[..., Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESTART_DELAYS", (0.01, 0.01, 0.01, 0.01))

    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("store", SERVES))
            await supervisor.start(program("web", "ready()\nprint('the cable is cut')\ntime.sleep(0.2)\nsys.exit(3)"))
            store = pid_of(supervisor)
            with pytest.raises(ProcessFailed) as failure:
                await supervisor.wait()
        assert str(failure.value).startswith("web ended 5 times within 60 s, last with exit code 3. Its last lines:")
        assert "the cable is cut" in str(failure.value)
        assert ends(store)

    asyncio.run(scenario())


def test_deaths_long_ago_do_not_count(
    log: RecordedLog, program: Callable[..., Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESTART_DELAYS", (0.01,))
    monkeypatch.setattr(module, "GIVE_UP_SECONDS", 0.05)

    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("web", "ready()\ntime.sleep(0.2)"))
            waiting = asyncio.create_task(supervisor.wait())
            await log.wait_for("is back after", count=6)
            assert not waiting.done()
            waiting.cancel()

    asyncio.run(scenario())


def test_who_served_for_a_while_may_be_killed_any_number_of_times(
    log: RecordedLog, program: Callable[..., Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEADY_SECONDS", 0.1)

    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("web", "ready()\ntime.sleep(0.3)"))
            waiting = asyncio.create_task(supervisor.wait())
            await log.wait_for("is back after", count=6)
            assert not waiting.done()
            waiting.cancel()

    asyncio.run(scenario())
    assert "starts again in 1 s" not in log.text


def test_a_restart_that_does_not_become_ready_counts_as_a_death(
    log: RecordedLog, program: Callable[..., Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESTART_DELAYS", (0.01, 0.01, 0.01, 0.01))
    first_time = "marker = Path(__import__('tempfile').gettempdir()) / f'portal-test-{os.getppid()}'\n"
    code = first_time + "if marker.exists():\n    time.sleep(600)\nmarker.touch()\nready()\ntime.sleep(0.2)"

    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("web", code, start_seconds=0.4))
            with pytest.raises(ProcessFailed, match="web ended 5 times"):
                await supervisor.wait()

    asyncio.run(scenario())
    assert "web was not ready within 0 s: it has not reported ready" in log.text
