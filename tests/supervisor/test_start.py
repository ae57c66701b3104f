import asyncio
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from agentops_portal.embedded import processes
from agentops_portal.embedded.run import Process, ProcessFailed
from agentops_portal.embedded.supervisor import Supervisor
from agentops_portal.version import VERSION

from ..services import ROOT
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


def test_a_process_that_ends_without_a_word_is_not_said_to_have_last_lines(
    log: RecordedLog, program: Callable[..., Process]
) -> None:
    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("store", "sys.exit(2)"))

    with pytest.raises(ProcessFailed) as failure:
        asyncio.run(scenario())
    assert str(failure.value) == "store ended while starting (exit code 2) and wrote nothing."


def test_a_process_that_dies_in_native_code_says_where_and_what_to_try(
    log: RecordedLog, program: Callable[..., Process]
) -> None:
    code = "print('opening')\ndef read(): import ctypes; ctypes.string_at(8)\nread()"

    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("clickhouse", code, environment=processes.PYTHON))

    with pytest.raises(ProcessFailed) as failure:
        asyncio.run(scenario())
    head, first, *stack, versions, advice = str(failure.value).splitlines()
    assert head == "clickhouse ended while starting (signal SIGSEGV). Its last lines:"
    assert first == "    Fatal Python error: Segmentation fault"
    assert any("in read" in line for line in stack)
    assert f"AgentOps Portal {VERSION}, Python {platform.python_version()}, chdb {version('chdb')}" in versions
    assert versions.endswith(f"folder {ROOT}.")
    assert advice.startswith("Try `make clean up`")


def test_a_process_that_the_kernel_killed_says_so(log: RecordedLog, program: Callable[..., Process]) -> None:
    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("store", "os.kill(os.getpid(), 9)"))

    with pytest.raises(ProcessFailed, match=r"(?s)\(signal SIGKILL\) and wrote nothing\.\nThe kernel kills who takes"):
        asyncio.run(scenario())


def test_a_store_whose_first_start_fails_is_started_once_more(
    log: RecordedLog, program: Callable[..., Process], tmp_path: Path
) -> None:
    mark = tmp_path / "tried"
    code = f"mark = Path({str(mark)!r})\nif not mark.exists(): mark.touch(); sys.exit(7)\nready()\ntime.sleep(600)"

    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("store", code, starts=processes.STORE_STARTS))
            assert supervisor.groups[0][0].run.handle.returncode is None
            os.kill(supervisor.groups[0][0].run.handle.pid, 9)  # and from then on it is kept running
            await log.wait_for("is back after")

    asyncio.run(scenario())
    assert "store      | ended while starting (exit code 7); it is tried again" in log.text


def test_a_store_that_fails_twice_fails(log: RecordedLog, program: Callable[..., Process], tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    code = f"print('once more', file=Path({str(tries)!r}).open('a'))\nsys.exit(7)"

    async def scenario() -> None:
        async with Supervisor(log) as supervisor:
            await supervisor.start(program("store", code, starts=processes.STORE_STARTS))

    with pytest.raises(ProcessFailed, match=r"store ended while starting \(exit code 7\)"):
        asyncio.run(scenario())
    assert tries.read_text().count("once more") == 2


def test_the_stores_are_tried_twice_and_the_services_once() -> None:
    assert {process.starts for process in processes.stores()} <= {2}
    assert {process.starts for process in processes.services()} == {1}
