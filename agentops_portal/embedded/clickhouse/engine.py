"""The engine of the `chdb` wheel: one per process, opened on one folder, used through a connection per request."""

import tempfile
from pathlib import Path
from typing import Any

from chdb import _chdb

from . import errors


class Engine:
    """The opened data folder. The first connection stays open, for the engine stops with its last one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._first = self.connect()
        row = self._first.query("SELECT version(), timezone()", "TSV").bytes().decode().strip().split("\t")
        self.version, self.timezone = row

    def connect(self) -> Any:
        """A connection of its own: its settings, parameters and database are nobody else's."""
        return _chdb.connect(str(self.folder))

    def close(self) -> None:
        self._first.close()


def spool(data: bytes) -> Any:
    """An open file without a name that holds `data`."""
    file = tempfile.TemporaryFile(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    file.write(data)
    file.flush()
    return file


__all__ = ["Engine", "errors", "spool"]
