"""The web process reads no more of a body than it takes."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from agentops_portal.asgi import application
from traces.uploads import MAX_BYTES

MIB = b"x" * 1024 * 1024
Asked = tuple[int, Any, int]


def send(headers: dict[str, str], pieces: Iterator[bytes]) -> Asked:
    """Status, body and the number of pieces that were taken."""
    taken, answered = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    async def answer(message: Any) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v4/logs/upload/",
        "raw_path": b"/v4/logs/upload/",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 8003),
    }
    asyncio.run(application(scope, receive, answer))
    start, body = answered
    return start["status"], orjson.loads(body["body"]), taken


def endless() -> Iterator[bytes]:
    while True:
        yield MIB


@pytest.mark.parametrize(
    ("headers", "pieces"),
    [
        ({"content-length": str(MAX_BYTES + 1)}, 0),
        ({"content-length": "9" * 400}, 0),
        ({}, MAX_BYTES // len(MIB) + 1),
        ({"content-length": "10"}, MAX_BYTES // len(MIB) + 1),  # what it says is not what it is
        ({"content-length": "many"}, MAX_BYTES // len(MIB) + 1),
    ],
)
def test_a_body_that_is_too_large_is_not_read_to_its_end(headers: dict[str, str], pieces: int) -> None:
    status, body, taken = send(headers, endless())

    assert (status, body) == (413, {"detail": f"File size exceeds the maximum limit of {MAX_BYTES} bytes"})
    assert taken == pieces
