"""Bytes on their way into or out of the engine: in memory while they are few, on disk when they are many.

The engine reads files only. On Linux it reaches these by their descriptor (`/dev/fd/N`): they have no name, so nothing
of them is left behind when the process is killed. Elsewhere they need a name, and the next start clears them away.
"""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_LINUX = sys.platform == "linux"


class Budget:
    """How many bytes all spools together may hold in memory."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether `size` more bytes fit; if so they count until they are given back."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._left += size


class Spool:
    """One body or result; writing raises OSError when the disk is full."""

    def __init__(self, folder: Path, budget: Budget) -> None:
        self.size = 0
        self._folder = folder
        self._budget = budget
        self._in_memory = _LINUX
        self._file: IO[bytes] = os.fdopen(os.memfd_create("spool"), "w+b") if self._in_memory else self._on_disk()

    def write(self, data: bytes) -> None:
        if self._in_memory and not self._budget.take(len(data)):
            self._move_to_disk()
        self._file.write(data)
        self.size += len(data)

    def path(self) -> str:
        """Where the engine finds all that was written so far."""
        self._file.flush()
        return f"/dev/fd/{self._file.fileno()}" if _LINUX else str(self._file.name)

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        """All that was written, piece by piece."""
        self._file.seek(0)
        while data := self._file.read(size):
            yield data

    def close(self) -> None:
        if self._file.closed:
            return
        if self._in_memory:
            self._budget.give_back(self.size)
        with contextlib.suppress(OSError):  # what could not be written is not wanted any more
            self._file.close()

    def _on_disk(self) -> IO[bytes]:
        return (tempfile.TemporaryFile if _LINUX else tempfile.NamedTemporaryFile)(dir=self._folder)

    def _move_to_disk(self) -> None:
        on_disk = self._on_disk()
        for data in self.chunks():
            on_disk.write(data)
        self._file.close()
        self._file = on_disk
        self._in_memory = False
        self._budget.give_back(self.size)
