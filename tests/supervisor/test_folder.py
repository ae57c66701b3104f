import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from agentops_portal.embedded import up

Usage = namedtuple("Usage", "total used free")


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    up.check_folder(tmp_path / "a" / "var")
    assert list((tmp_path / "a" / "var").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(up.StartProblem, match=r"file/var cannot be written \(Not a directory\): set PORTAL_VAR to"):
        up.check_folder(tmp_path / "file" / "var")


def test_a_full_disk_is_reported_with_what_is_left_and_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 100 * 2**20))
    with pytest.raises(up.StartProblem, match="has 100 MiB left and the portal needs 512: free some space"):
        up.check_folder(tmp_path)
