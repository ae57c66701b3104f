"""The data folder: made, locked against a second server, and marked with the version of the engine that wrote it."""

import contextlib
import fcntl
import os
from pathlib import Path

from .options import Unusable

IN_USE = 3
TOO_NEW = 5
UNWRITABLE = 6


class DataFolder:
    """An opened folder; its lock is held until the process ends.

    `data` is the engine's own, `spool` holds bodies without a name, `work` is empty: relative paths lead nowhere.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "data"
        self.spool = path / "spool"
        self.work = path / "work"
        self.configuration = path / "engine.xml"
        self._marker = path / "engine-version"
        try:
            for folder in (path, self.data, self.spool, self.work):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unusable(f"The data folder {path} can't be written: {error.strerror}.", UNWRITABLE) from error
        self._take_lock()
        for left_behind in self.spool.iterdir():
            left_behind.unlink()

    def check_version(self, engine: str) -> None:
        """Raises Unusable when a newer engine than `engine` (such as 26.9.2.1) has written this folder."""
        with contextlib.suppress(FileNotFoundError):
            written_by = self._marker.read_text().strip()
            if _release(written_by) > _release(engine):
                raise Unusable(
                    f"The data folder {self.path} belongs to ClickHouse {written_by}, but {engine} is installed: "
                    "install the portal's newer version, or choose another PORTAL_VAR.",
                    TOO_NEW,
                )

    def mark(self, engine: str) -> None:
        """Write down which engine has written this folder."""
        draft = self._marker.with_suffix(".new")
        draft.write_text(engine + "\n")
        draft.replace(self._marker)

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._lock, 32, 0).decode(errors="replace").strip() or "unknown"
            text = (
                f"The data folder {self.path} is in use by another ClickHouse (process {holder}): stop that one first."
            )
            raise Unusable(text, IN_USE) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)


def _release(version: str) -> tuple[int, ...]:
    """Major and minor; a version that can't be read counts as old."""
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else (0,)
