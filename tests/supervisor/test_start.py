import asyncio
import sys
import time
from collections.abc import Callable

import pytest

from agentops_portal.embedded.run import Process, ProcessFailed
from agentops_portal.embedded.supervisor import Supervisor

from .conftest import RecordedLog, ends


def test_a_start_waits_until_the_process_is_ready(log: RecordedLog, program: Callable[..., Process]) -> None:
    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            started = time.monotonic()
            await supervisor.start(program("store", "time.sleep(0.5)\nready()\ntime.sleep(600)"))
            assert time.monotonic() - started >= 0.5

    asyncio.run(scenario())


def test_a_process_that_ends_while_starting_is_named_with_its_last_lines(
    log: RecordedLog, program: Callable[..., Process]
) -> None:
    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("store", "print('no room on the disk')\nsys.exit(2)"))

    with pytest.raises(ProcessFailed) as failure:
        asyncio.run(scenario())
    assert str(failure.value) == ("store ended while starting (exit code 2). Its last lines:\n    no room on the disk")


def test_a_process_that_never_becomes_ready_is_stopped(log: RecordedLog, program: Callable[..., Process]) -> None:
    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("store", "print(os.getpid())\ntime.sleep(600)", start_seconds=1))

    with pytest.raises(ProcessFailed, match="store was not ready within 1 s: it has not reported ready"):
        asyncio.run(scenario())
    assert ends(int(log.tail("store")[0]))


def test_a_program_that_does_not_exist_is_a_clear_failure(log: RecordedLog) -> None:
    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(Process("store", ("/nowhere/postgres",)))

    with pytest.raises(ProcessFailed, match="store cannot be started: No such file or directory: /nowhere/postgres"):
        asyncio.run(scenario())


def test_one_process_that_fails_to_start_ends_those_that_started_beside_it(
    log: RecordedLog, program: Callable[..., Process]
) -> None:
    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(
                program("web", "print(os.getpid())\nready()\ntime.sleep(600)"),
                program("otlp", "time.sleep(0.3)\nsys.exit(1)"),
            )

    with pytest.raises(ProcessFailed, match="otlp ended while starting"):
        asyncio.run(scenario())
    assert ends(int(log.tail("web")[0]))


def test_a_command_returns_its_output_and_logs_its_errors(log: RecordedLog) -> None:
    async def scenario() -> str:
        async with Supervisor(log) as supervisor:
            code = "import sys; print('secret'); print('step 1', file=sys.stderr)"
            return await supervisor.run(Process("prepare", (sys.executable, "-c", code)), returns_output=True)

    assert asyncio.run(scenario()) == "secret\n"
    assert "prepare    | step 1" in log.text
    assert "secret" not in log.text


def test_a_command_that_fails_raises_its_last_line(log: RecordedLog) -> None:
    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            code = "import sys; sys.exit('The password is wrong.')"
            await supervisor.run(Process("prepare", (sys.executable, "-c", code)))

    with pytest.raises(ProcessFailed, match=r"^The password is wrong\.$"):
        asyncio.run(scenario())
