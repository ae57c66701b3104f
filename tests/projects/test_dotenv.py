import os
import stat
from pathlib import Path

import pytest

from projects.dotenv import read_variable, set_variables


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_a_missing_file_is_made_for_its_owner_only(file: Path) -> None:
    set_variables(file, {"A": "1", "B": "2"})
    assert file.read_text() == "A=1\nB=2\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_everything_else_stays_byte_for_byte(file: Path) -> None:
    file.write_bytes(b"# mine \xff\r\nPORT=8003 # why\r\n\n#A=0\nAA=x\xe2\x80\xa8y\n  A = old\nZ=1")
    set_variables(file, {"A": "new"})
    assert file.read_bytes() == b"# mine \xff\r\nPORT=8003 # why\r\n\n#A=0\nAA=x\xe2\x80\xa8y\nA=new\nZ=1\n"


def test_a_second_run_changes_nothing(file: Path) -> None:
    file.write_text("X=1\n")
    set_variables(file, {"A": "1"})
    first = file.read_bytes()
    set_variables(file, {"A": "1"})
    assert file.read_bytes() == first


def test_a_variable_that_stands_twice_stands_once_afterwards(file: Path) -> None:
    file.write_text("A=1\nB=2\nexport A=3\n")
    set_variables(file, {"A": "4"})
    assert file.read_text() == "A=4\nB=2\n"


@pytest.mark.parametrize("line", ["A=v", "A = v", "export A=v", "A='v'", 'A="v"', "  A=v  "])
def test_the_usual_spellings_are_read(file: Path, line: str) -> None:
    file.write_text(f"#A=no\nAA=no\n{line}\n")
    assert read_variable(file, "A") == "v"


def test_what_is_not_there_reads_as_blank(file: Path) -> None:
    assert read_variable(file, "A") == ""
    file.write_text("#A=1\n")
    assert read_variable(file, "A") == ""


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "shared.env"
    real.write_text("X=1\n")
    file.symlink_to(real)
    set_variables(file, {"A": "1"})
    assert file.is_symlink()
    assert real.read_text() == "X=1\nA=1\n"


def test_a_write_that_fails_leaves_the_file_and_no_draft(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("A=1\n")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        set_variables(file, {"A": "2"})
    assert file.read_text() == "A=1\n"
    assert list(file.parent.iterdir()) == [file]
