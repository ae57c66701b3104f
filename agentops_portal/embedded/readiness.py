"""Questions that tell whether a process serves yet; each answers "" for yes, else what is missing.

They need nothing but asyncio: the supervisor stays small because it imports no client library.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from .inherited import harmless

Probe = Callable[[], Awaitable[str]]

ANSWER_SECONDS = 5


def http_answers(host: str, port: int, path: str, name: str = "localhost") -> Probe:
    """Whether GET `path` is answered with 200; else the status and the start of the body.

    `name` is what the Host header says.
    """

    async def probe() -> str:
        try:
            answer = await asyncio.wait_for(_get(host, port, path, name), ANSWER_SECONDS)
        except TimeoutError:
            return f"no answer within {ANSWER_SECONDS} s"
        except OSError as error:
            return f"no connection to port {port} ({error.strerror or error})"
        head, _, body = answer.partition("\r\n\r\n")
        status_line = head.partition("\r\n")[0]
        if " 200 " in f"{status_line} ":
            return ""
        return f"{status_line} {body[:500]}".strip()

    return probe


def port_answers(host: str, port: int) -> Probe:
    """Whether something accepts connections on `port`."""

    async def probe() -> str:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), ANSWER_SECONDS)
        except OSError as error:  # TimeoutError included
            return f"no connection to port {port} ({error.strerror or 'timed out'})"
        writer.close()
        return ""

    return probe


def program_succeeds(*command: str) -> Probe:
    """Whether a program ends with exit code 0; else what it printed."""

    async def probe() -> str:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=harmless(os.environ),
        )
        output, _ = await process.communicate()
        if process.returncode == 0:
            return ""
        return output.decode(errors="replace").strip() or f"exit code {process.returncode}"

    return probe


def file_exists(file: Path) -> Probe:
    """Whether the process has made `file`."""

    async def probe() -> str:
        return "" if file.exists() else "it has not reported ready"

    return probe


def connectable(host: str) -> str:
    """The address under which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - read, not bound


async def _get(host: str, port: int, path: str, name: str) -> str:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        # HTTP/1.0: the server closes the connection after its answer.
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {name}:{port}\r\n\r\n".encode())
        await writer.drain()
        return (await reader.read(65536)).decode(errors="replace")
    finally:
        writer.close()
