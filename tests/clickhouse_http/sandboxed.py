"""A process of its own within the sandbox, as the embedded ClickHouse enters it: `python -m … FOLDER PORT TASK`.

It prints what came of its task; what was refused, as the name of its errno.
"""

import ctypes
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from agentops_portal.embedded.clickhouse import sandbox

# AT_SYSINFO_EHDR, which names the address of the vDSO, and an address that nobody can read. <elf.h>
POISON = (33, 8, 0, 0)


def load_engine_with_poisoned_environment(folder: Path) -> str:
    """Import the engine with `environ` where setenv(3) puts it, and behind its end what kills a reader of it."""
    entry = ctypes.create_string_buffer(f"TMPDIR={folder}".encode())
    behind = (ctypes.c_size_t * 6)(ctypes.addressof(entry), 0, *POISON)
    ctypes.c_void_p.in_dll(ctypes.CDLL(None), "environ").value = ctypes.addressof(behind)
    from agentops_portal.embedded.clickhouse import engine

    return engine.ENGINE_VERSION


def outcome(action: Callable[[], object]) -> str:
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "ok"


def attempts(folder: Path, port: int, outside: Path, foreign_port: int) -> dict[str, str]:
    """What may and what may not be done."""

    def bind(number: int) -> None:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", number))

    return {
        "write own": outcome(lambda: (folder / "own").write_text("x")),
        "make own folder": outcome((folder / "sub").mkdir),
        "rename own": outcome(lambda: (folder / "own").rename(folder / "sub" / "own")),
        "read own": outcome((folder / "sub" / "own").read_text),
        "remove own": outcome((folder / "sub" / "own").unlink),
        "list own": outcome(lambda: os.listdir(folder)),
        "read library": outcome(lambda: Path(os.__file__).read_bytes()),
        "read random": outcome(lambda: Path("/dev/urandom").open("rb").close()),
        "write null": outcome(lambda: Path("/dev/null").write_text("x")),
        "bind own port": outcome(lambda: bind(port)),
        "read outside": outcome(outside.read_text),
        "list outside": outcome(lambda: os.listdir(outside.parent)),
        "write outside": outcome(lambda: outside.write_text("x")),
        "append outside": outcome(lambda: outside.open("a").close()),
        "remove outside": outcome(outside.unlink),
        "make outside": outcome((outside.parent / "new").touch),
        "link outside": outcome(lambda: os.link(outside, folder / "linked")),
        "read by symlink": outcome((folder / "symlink").read_text),
        "read password file": outcome(Path("/etc/passwd").read_text),
        "read own environment": outcome(Path("/proc/self/environ").read_bytes),
        "read own memory": outcome(Path("/proc/self/mem").read_bytes),
        "read parent's environment": outcome(Path(f"/proc/{os.getppid()}/environ").read_bytes),
        "write library": outcome(lambda: Path(os.__file__).open("a").close()),
        "run a program": outcome(lambda: subprocess.run(["/bin/true"], check=True)),
        "bind another port": outcome(lambda: bind(foreign_port)),
        "connect": outcome(lambda: socket.create_connection(("127.0.0.1", foreign_port), timeout=2).close()),
    }


def refused_system_files() -> list[str]:
    """The files of the list below /proc that exist and cannot be read."""
    refused = []
    for path in map(Path, sandbox.SYSTEM):
        if path.is_file() and path.is_relative_to("/proc") and outcome(path.read_bytes) == "EACCES":
            refused.append(str(path))
    return refused


def work(task: str, folder: Path, port: int, arguments: list[str]) -> str:
    if task == "load":
        return load_engine_with_poisoned_environment(folder)
    if task == "attempts":
        results = attempts(folder, port, Path(arguments[0]), int(arguments[1]))
        return "\n".join(f"{name}: {result}" for name, result in results.items())
    sys.stdout.write("entered\n")
    sys.stdout.flush()
    sys.stdin.readline()  # until the test has made the kernel forget its entries
    return "\n".join(refused_system_files())


def main() -> None:
    folder, port, task, *arguments = sys.argv[1:]
    os.chdir(folder)
    sandbox.forget_environment()
    if not sandbox.enter(Path(folder), int(port)):
        sys.exit("no Landlock")
    sys.stdout.write(f"{work(task, Path(folder), int(port), arguments)}\n")
    sys.stdout.flush()
    os._exit(0)  # the engine's threads are not joined


if __name__ == "__main__":
    main()
