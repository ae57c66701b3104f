"""Keeps the process within its data folder by the kernel's Landlock (Linux 5.13 and newer).

The engine can read any file its user can read (`SELECT * FROM file('/home/…')`), and whoever reaches its port may ask
it to. A server restricts that to a folder; the embedded engine does not. So the kernel does: of the files of this
machine only the data folder, Python and a few harmless system files can be opened, no program can be started, and no
connection can be made to the outside.
"""

import ctypes
import logging
import os
import site
import struct
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from ..inherited import harmless
from .options import Unusable

log = logging.getLogger(__name__)

# linux/landlock.h and the numbers of its system calls, which are the same on all architectures
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH, _RULE_PORT = 1, 2
_GET_VERSION = 1
_READ_FILE, _READ_DIR, _WRITE_FILE = 1 << 2, 1 << 3, 1 << 1
_FILE_RIGHTS_OF_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_BIND, _CONNECT = 1, 2
_NO_NEW_PRIVILEGES = 38

UNREADABLE = 7
_ENV_START = 50 - 3  # field 50 of /proc/self/stat, counted behind the program's name

# Refused and not missed: the configuration of OpenSSL, which nothing here uses, and listing the folder of the
# checkout, for a module that is not below it: names of a person's files.
SYSTEM = (
    "/nix/store",
    "/gnu/store",
    "/usr/lib",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/ld.so.cache",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/sys/fs/cgroup",
    "/sys/devices/system",
    "/sys/kernel/mm/transparent_hugepage",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/cpuinfo",
    "/proc/loadavg",
    "/proc/uptime",
    "/proc/vmstat",
    # Addresses of the kernel's making, such as the vDSO's. Refused it, the engine takes what lies behind `environ` on
    # the heap for them, and dies of it or makes a system call for each look at the clock.
    "/proc/self/auxv",
    "/proc/self/loginuid",
    "/proc/self/maps",
    "/proc/self/stat",
    "/proc/self/statm",
    "/proc/self/status",
    "/proc/self/task",
    "/proc/self/io",
    "/proc/self/cgroup",
    "/proc/sys/vm",
    "/proc/sys/kernel",
)
# What the engine cannot do without: it would die of it, or say that it is not installed.
NEEDED = ("/proc/self/auxv", "/proc/self/maps", "/dev/urandom")

# Open for as long as the process lives: procfs makes a new inode once it has forgotten an entry, and a rule counts for
# the inode it was made for. An entry that is open is not forgotten.
_held: list[int] = []


def enter(folder: Path, port: int) -> bool:
    """Restrict this process, and all threads it starts from now on, to `folder` and to listening on `port`.

    Returns False, and says so in the log, where the kernel can't do it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _GET_VERSION) if sys.platform == "linux" else 0
    if version < 1:
        log.warning("this kernel has no Landlock: SQL of local users can read the files of this one")
        return False
    rights = max(mask for needs, mask in _FILE_RIGHTS_OF_VERSION.items() if needs <= version)
    ports = _BIND | _CONNECT if version >= 4 else 0
    attributes = struct.pack("=QQQ", rights, ports, 0)[: 8 if version < 4 else 16]
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        _allow(libc, ruleset, [folder], rights)
        _allow(libc, ruleset, _readable(), _READ_FILE | _READ_DIR)
        _allow(libc, ruleset, [Path("/dev/null")], _READ_FILE | _WRITE_FILE)
        if ports:
            libc.syscall(_ADD_RULE, ruleset, _RULE_PORT, struct.pack("=QQ", _BIND, port), 0)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        if ruleset < 0 or libc.syscall(_RESTRICT_SELF, ruleset, 0) != 0:
            log.warning(
                "Landlock refused (%s): SQL of local users can read the files of this one",
                os.strerror(ctypes.get_errno()),
            )
            return False
    finally:
        if ruleset >= 0:
            os.close(ruleset)
    return True


def check() -> None:
    """Raises Unusable when this process may not read what the engine needs, whatever keeps it from that."""
    if sys.platform != "linux":
        return
    engine = find_spec("chdb")
    for path in [*NEEDED, *([engine.origin] if engine and engine.origin else [])]:
        try:
            with open(path, "rb"):
                pass
        except OSError as error:
            raise Unusable(
                f"ClickHouse's engine must read {path}, which this process may not ({error.strerror}): "
                "see that /proc is mounted and that this user may read what `make up` installed.",
                UNREADABLE,
            ) from error


def forget_environment() -> None:
    """Blank what this process was started with, where the kernel shows it: secrets of the portal may be in it.

    What the engine and Python look up later is kept as a copy.
    """
    kept = harmless(os.environ)
    os.environ.clear()
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[_ENV_START]), int(fields[_ENV_START + 1])
        ctypes.memset(start, 0, end - start)
    except (OSError, IndexError):
        pass  # not Linux: nobody reads it there
    os.environ.update(kept)


def _readable() -> Iterable[Path]:
    own = Path(__file__).resolve().parents[2]
    return [Path(path) for path in {sys.prefix, sys.base_prefix, str(own), *site.getsitepackages(), *SYSTEM}]


def _allow(libc: ctypes.CDLL, ruleset: int, paths: Iterable[Path], rights: int) -> None:
    for path in paths:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # not every system has each of them
        allowed = rights if path.is_dir() else rights & (_READ_FILE | _WRITE_FILE)
        libc.syscall(_ADD_RULE, ruleset, _RULE_PATH, struct.pack("=Qi", allowed, descriptor), 0)
        _held.append(descriptor)
