"""What the kernel lets the embedded ClickHouse do, and what not; needs Linux with Landlock."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agentops_portal.embedded.clickhouse import sandbox
from agentops_portal.embedded.clickhouse.options import Unusable
from tests.services import ROOT, free_ports

DROP_CACHES = Path("/proc/sys/vm/drop_caches")
DENTRIES_AND_INODES = "2"


def landlock_version() -> int:
    return int(ctypes.CDLL(None).syscall(444, None, 0, 1)) if sys.platform == "linux" else 0


pytestmark = pytest.mark.skipif(landlock_version() < 1, reason="this kernel has no Landlock (Linux 5.13)")

Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder beside a secret, with a symbolic link to it."""
    (tmp_path / "secret").write_text("secret")
    made = tmp_path / "data"
    made.mkdir()
    (made / "symlink").symlink_to(tmp_path / "secret")
    return made


@pytest.fixture
def spawn(folder: Path) -> Spawn:
    """Starts a process within the sandbox that does one task of `sandboxed`."""

    def start(task: str, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.clickhouse_http.sandboxed", str(folder), str(free_ports(1)[0]), task]
        return subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


def test_the_engine_loads_whatever_lies_behind_the_environment(spawn: Spawn) -> None:
    """It reads the addresses of the kernel's making, not the heap: with /proc/self/auxv refused this is a SIGSEGV."""
    process = spawn("load")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert output.count(".") == 3  # such as 26.9.2.1


def test_what_is_allowed_and_what_is_refused(spawn: Spawn, folder: Path) -> None:
    output, _ = spawn("attempts", str(folder.parent / "secret"), str(free_ports(1)[0])).communicate(timeout=60)
    found = dict(line.split(": ") for line in output.splitlines())
    expected = {
        **dict.fromkeys(["write own", "make own folder", "rename own", "read own", "remove own", "list own"], "ok"),
        **dict.fromkeys(["read library", "read random", "write null", "bind own port"], "ok"),
        **dict.fromkeys(["read outside", "list outside", "write outside", "append outside"], "EACCES"),
        **dict.fromkeys(["remove outside", "make outside", "read by symlink", "read password file"], "EACCES"),
        **dict.fromkeys(["read own environment", "read own memory", "read parent's environment"], "EACCES"),
        **dict.fromkeys(["write library", "run a program"], "EACCES"),
        "link outside": "EXDEV",  # what Landlock says to a link that would widen access
    }
    if landlock_version() >= 4:  # Linux 6.7
        expected |= dict.fromkeys(["bind another port", "connect"], "EACCES")
    else:
        found = {name: result for name, result in found.items() if name not in ("bind another port", "connect")}
    assert found == expected
    assert (folder.parent / "secret").read_text() == "secret"
    assert {path.name for path in folder.parent.iterdir()} == {"secret", "data"}


@pytest.mark.skipif(not os.access(DROP_CACHES, os.W_OK), reason="only root makes the kernel forget its entries")
def test_what_is_allowed_stays_so_when_the_kernel_forgets_its_entries(spawn: Spawn) -> None:
    process = spawn("wait")
    assert process.stdout
    assert process.stdout.readline() == "entered\n"
    try:
        DROP_CACHES.write_text(DENTRIES_AND_INODES)
    except OSError as error:  # a container's root may not
        process.communicate()
        pytest.skip(f"{DROP_CACHES}: {error.strerror}")
    output, _ = process.communicate("\n", timeout=60)
    assert output.strip() == ""


def test_every_entry_of_proc_is_held_open(spawn: Spawn) -> None:
    process = spawn("wait")
    assert process.stdout
    process.stdout.readline()
    held = {str(link.readlink()) for link in Path(f"/proc/{process.pid}/fd").iterdir()}
    wanted = {path.replace("self", str(process.pid)) for path in sandbox.SYSTEM if path.startswith("/proc")}
    process.communicate("\n", timeout=60)
    assert {path for path in wanted if Path(path.replace(str(process.pid), "self")).exists()} <= held


def test_a_file_the_engine_needs_and_may_not_read_ends_the_start_with_one_sentence(folder: Path) -> None:
    code = (
        "import sys; from agentops_portal.embedded.clickhouse import __main__ as clickhouse, sandbox;"
        "sandbox.SYSTEM = tuple(path for path in sandbox.SYSTEM if path != '/proc/self/auxv');"
        "sys.exit(clickhouse.main())"
    )
    command = [sys.executable, "-c", code, "--data", str(folder), "--port", str(free_ports(1)[0])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == sandbox.UNREADABLE == 7
    assert done.stderr == (
        "ClickHouse's engine must read /proc/self/auxv, which this process may not (Permission denied): "
        "see that /proc is mounted and that this user may read what `make up` installed.\n"
    )


def test_what_the_engine_needs_can_be_read_here_and_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.check()
    monkeypatch.setattr(sandbox, "NEEDED", ("/proc/none",))
    with pytest.raises(Unusable, match=r"must read /proc/none, which this process may not \(No such file or directory"):
        sandbox.check()
