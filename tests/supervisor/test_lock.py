import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentops_portal.embedded.lock import AlreadyRunning, portal_lock

URL = "http://localhost:8003"


def test_a_second_supervisor_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    with portal_lock(tmp_path, URL), pytest.raises(AlreadyRunning) as refusal, portal_lock(tmp_path, "http://other"):
        pass
    assert f"is already running at {URL} (process {os.getpid()})" in str(refusal.value)
    assert "PORTAL_VAR" in str(refusal.value)


def test_the_folder_is_free_again_after_an_orderly_end_and_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), portal_lock(tmp_path, URL):
        raise RuntimeError
    with portal_lock(tmp_path, URL) as unclean:
        assert not unclean


def test_the_lock_of_a_killed_supervisor_is_recognised_as_stale(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from agentops_portal.embedded.lock import portal_lock
with portal_lock(Path({str(tmp_path)!r}), "http://localhost:8003"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with portal_lock(tmp_path, URL) as unclean:
        assert unclean
