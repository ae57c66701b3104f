"""Live updates on a real server in this process, so that a test may shorten times and look at the hub."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import uvicorn
from django.contrib.auth import SESSION_KEY
from django.test import Client
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from projects.models import User
from traces.live.asgi import LiveUpdates

WAIT_SECONDS = 15


@dataclass
class LiveServer:
    port: int
    application: LiveUpdates
    loop: asyncio.AbstractEventLoop

    def connect(self, project_id: UUID | str, *, query: str = "", **options: Any) -> ClientConnection:
        address = f"ws://127.0.0.1:{self.port}/api/monitoring/ws/{project_id}{query}"
        return connect(address, open_timeout=WAIT_SECONDS, proxy=None, **options)

    def with_key(self, project_id: UUID | str, key: str, **options: Any) -> ClientConnection:
        return self.connect(project_id, additional_headers={"Authorization": f"Bearer {key}"}, **options)

    def with_session(self, project_id: UUID | str, client: Client, origin: str | None = None) -> ClientConnection:
        """As a browser does it; the page is the server's own unless `origin` says else ("": none)."""
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        own = f"http://127.0.0.1:{self.port}"
        return self.connect(
            project_id, additional_headers={"Cookie": cookie}, origin=(own if origin is None else origin) or None
        )

    def run(self, what: Callable[[], object]) -> None:
        """In the server's event loop."""
        self.loop.call_soon_threadsafe(what)

    @property
    def sockets(self) -> int:
        return self.application.hub.sockets


@contextmanager
def live_server() -> Iterator[LiveServer]:
    application = LiveUpdates()
    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve()))
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield LiveServer(server.servers[0].sockets[0].getsockname()[1], application, loop)
    server.should_exit = True
    thread.join()
    loop.close()


def close_of(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason of the close, whatever comes before it."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=WAIT_SECONDS)
    assert socket.close_code is not None, "closed without a close frame"
    return socket.close_code, socket.close_reason or ""


def next_of(socket: ClientConnection, *kinds: str) -> dict[str, Any]:
    """The next message of one of the types."""
    while True:
        message: dict[str, Any] = orjson.loads(socket.recv(timeout=WAIT_SECONDS))
        assert set(message) == {"type", "data", "timestamp"}
        if message["type"] in kinds:
            return message


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    assert SESSION_KEY in client.session
    return client
