"""One supervisor per data folder, held by a lock of the kernel: it cannot outlive its process."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_FILE = "portal.lock"


class AlreadyRunning(Exception):
    """Another supervisor works in this folder; the message says which and where."""


@contextmanager
def portal_lock(var: Path, url: str) -> Iterator[bool]:
    """Hold the lock of `var` while the block runs.

    Yields True when the supervisor before this one ended without cleaning up (`kill -9`, a power cut), so that its
    processes may just be ending. Raises AlreadyRunning.
    """
    file = os.open(var / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(_running_message(file, var)) from None
        unclean = os.fstat(file).st_size > 0
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)
        try:
            yield unclean
        finally:
            os.ftruncate(file, 0)
    finally:
        os.close(file)


def _running_message(file: int, var: Path) -> str:
    try:
        holder = json.loads(os.pread(file, 4096, 0))
        where = f"at {holder['url']} (process {holder['pid']})"
    except (ValueError, KeyError):  # it has just been locked and is still empty
        where = "and just starting"
    return (
        f"The portal of {var} is already running {where}: use it, stop it with Ctrl-C in its terminal, "
        "or set PORTAL_VAR to another folder."
    )
