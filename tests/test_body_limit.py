"""The web process reads no more of a body than it takes."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from pytest_django import Settings

from agentops_portal.asgi import application, route
from agentops_portal.body_limit import BodyLimit
from agentops_portal.body_patience import DRAIN_BYTES, Application
from agentops_portal.cross_origin import cors_headers
from traces.ingest.uploads import MAX_BYTES

MIB = b"x" * 1024 * 1024
Asked = tuple[int, Any, int]


def send(asgi: Application, headers: dict[str, str], pieces: Iterator[bytes]) -> Asked:
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
    asyncio.run(asgi(scope, receive, answer))  # type: ignore[arg-type]  # a coroutine, though only awaitable by name
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
    status, body, taken = send(route, headers, endless())

    assert (status, body) == (413, {"detail": f"File size exceeds the maximum limit of {MAX_BYTES} bytes"})
    assert taken == pieces


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:8003", {"access-control-allow-origin": "http://localhost:8003", "vary": "origin"}),
        ("https://elsewhere.example", {"access-control-allow-origin": "*"}),
        ("https://\u00e9.example", {"access-control-allow-origin": "*"}),
        ("", {}),
    ],
)
def test_the_page_that_asks_may_read_why(settings: Settings, origin: str, expected: dict[str, str]) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["http://localhost:8003"]
    headers = [(b"origin", origin.encode())] if origin else []

    found = {name.decode(): value.decode() for name, value in cors_headers({"headers": headers})}

    credentials = found.pop("access-control-allow-credentials", None)
    assert found == expected
    assert credentials == ("true" if "vary" in expected else None)


def test_a_body_that_is_too_large_says_so_to_the_page_that_sent_it() -> None:
    headers: list[tuple[bytes, bytes]] = []

    async def answer(message: Any) -> None:
        headers.extend(message.get("headers", []))

    async def nothing() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "headers": [(b"content-length", b"11"), (b"origin", b"https://elsewhere.example")]}
    asyncio.run(BodyLimit(application, 10)(scope, nothing, answer))

    assert (b"access-control-allow-origin", b"*") in headers


def test_a_bounded_rest_is_taken_so_that_the_answer_is_read() -> None:
    status, _, taken = send(application, {"content-length": str(MAX_BYTES + 1)}, endless())

    assert (status, taken) == (413, DRAIN_BYTES // len(MIB))


def test_nothing_is_taken_from_a_client_that_asked_first() -> None:
    headers = {"content-length": str(MAX_BYTES + 1), "expect": "100-continue"}

    assert send(application, headers, endless())[::2] == (413, 0)
