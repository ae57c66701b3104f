"""A pipe from the engine to the event loop: the engine's formatter writes into it, a response reads from it.

This streams a result in any format with the memory of one buffer: the engine waits while the client is slow.
"""

import asyncio
import contextlib
import fcntl
import os

_CAPACITY = 1 << 20
_F_SETPIPE_SZ = getattr(fcntl, "F_SETPIPE_SZ", None)


class Pipe:
    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self._open = {self._read, self._write}
        if _F_SETPIPE_SZ is not None:
            with contextlib.suppress(OSError):  # over the user's limit of pipe pages: the default will do
                fcntl.fcntl(self._read, _F_SETPIPE_SZ, _CAPACITY)

    @property
    def path(self) -> str:
        """Where the engine writes to."""
        return f"/dev/fd/{self._write}"

    async def read(self) -> bytes:
        """The next bytes; empty once all writers are gone."""
        while True:
            try:
                return os.read(self._read, _CAPACITY)
            except BlockingIOError:
                await self._readable()

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._read, _set, ready)
        try:
            await ready
        finally:
            loop.remove_reader(self._read)

    def close_write(self) -> None:
        self._close(self._write)

    def close(self) -> None:
        self._close(self._write)
        self._close(self._read)

    def _close(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.remove(descriptor)
            os.close(descriptor)


def _set(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
