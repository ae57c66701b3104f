import asyncio
import os
from io import StringIO

import pytest
from rich.console import Console

from agentops_portal.embedded.log import LONGEST_LINE, Log

from .conftest import RecordedLog


def written(log: RecordedLog, output: bytes) -> list[str]:
    """The texts of the lines that a process's output becomes."""

    async def scenario() -> None:
        read_end, write_end = os.pipe()
        following = asyncio.create_task(log.follow("web", read_end))
        await asyncio.to_thread(os.write, write_end, output)
        os.close(write_end)
        await following

    asyncio.run(scenario())
    return [line.partition(" | ")[2] for line in log.text.splitlines()]


def test_each_line_has_its_process(log: RecordedLog) -> None:
    assert written(log, b"one\ntwo\n") == ["one", "two"]
    assert all(" web        | " in line for line in log.text.splitlines())


def test_a_last_line_without_an_end_is_not_lost(log: RecordedLog) -> None:
    assert written(log, b"one\ntwo") == ["one", "two"]


def test_a_line_without_end_does_not_fill_the_memory(log: RecordedLog) -> None:
    pieces = written(log, b"x" * (2 * LONGEST_LINE + 5))
    assert [len(piece) for piece in pieces] == [LONGEST_LINE, LONGEST_LINE, 5]


def test_what_a_stranger_sends_cannot_steer_the_terminal(log: RecordedLog) -> None:
    assert written(log, b"path=/\x1b[2J\x1b]0;title\x07 \xff [bold]\n") == ["path=/]0;title � [bold]"]


def test_names_have_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = StringIO()
    Log(Console(file=screen, force_terminal=True, color_system="standard")).line("web", "hello")
    assert "\x1b[36m" in screen.getvalue()


def test_there_are_none_elsewhere_and_none_with_no_color(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Log().line("web", "hello")
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    Log().line("web", "hello")
    assert "\x1b[36m" not in capsys.readouterr().out


def test_a_step_that_takes_long_says_so_where_no_spinner_turns(log: RecordedLog) -> None:
    async def scenario() -> None:
        async with log.step("Waiting"):
            await asyncio.sleep(2.2)

    asyncio.run(scenario())
    assert "portal     | Waiting: 2 s so far" in log.text
    assert "portal     | Waiting: done in 2.2 s" in log.text
