"""Who listens to what in this process: one feed for each project, and a queue for each socket."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from agentops_portal.clickhouse.gate import ClickHouseError

from .feed import Feed, message

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.5
AWAY_SECONDS = 5.0  # between looks while ClickHouse does not answer
MAX_SOCKETS = 500
MAX_SOCKETS_PER_PROJECT = 100  # so that one project does not take all
MAX_WAITING = 500  # messages for a socket that takes none; then it is closed
LOOKS_AT_A_TIME = 4
RESTART, TRY_AGAIN = 1012, 1013  # https://www.iana.org/assignments/websocket/websocket.xhtml
STOP_SECONDS = 0.5


class Full(Exception):
    """This process has all the sockets that it takes."""


@dataclass(eq=False)
class Listener:
    """A socket's messages. `ended` gives the close code when the hub wants it closed."""

    project_id: UUID
    queue: "asyncio.Queue[str]" = field(default_factory=lambda: asyncio.Queue(MAX_WAITING))
    ended: "asyncio.Future[int]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def tell(self, text: str) -> None:
        """Never waits: a slow socket is given up instead."""
        try:
            self.queue.put_nowait(text)
        except asyncio.QueueFull:
            self.end(TRY_AGAIN)

    def end(self, code: int) -> None:
        if not self.ended.done():
            self.ended.set_result(code)


class Hub:
    """To be used from one event loop."""

    def __init__(self) -> None:
        self._listeners: dict[UUID, set[Listener]] = {}
        self._feeds: dict[UUID, asyncio.Task[None]] = {}
        self._looks = asyncio.Semaphore(LOOKS_AT_A_TIME)
        self._closing = False

    @property
    def sockets(self) -> int:
        return sum(map(len, self._listeners.values()))

    def check_room(self, project_id: UUID | None = None) -> None:
        """Raises Full."""
        listeners = self._listeners.get(project_id, ()) if project_id else ()
        if self._closing or self.sockets >= MAX_SOCKETS or len(listeners) >= MAX_SOCKETS_PER_PROJECT:
            raise Full

    def listen(self, project_id: UUID) -> Listener:
        """A listener of a project's news; `leave` with it. Raises Full."""
        self.check_room(project_id)
        listener = Listener(project_id)
        self._listeners.setdefault(project_id, set()).add(listener)
        if project_id not in self._feeds:
            self._feeds[project_id] = asyncio.create_task(self._run(project_id))
        return listener

    def leave(self, listener: Listener) -> None:
        """The last one ends the looking."""
        listeners = self._listeners.get(listener.project_id, set())
        listeners.discard(listener)
        if not listeners:
            self._listeners.pop(listener.project_id, None)
            feed = self._feeds.pop(listener.project_id, None)
            if feed is not None:
                feed.cancel()

    async def close(self) -> None:
        """End all sockets, for the process stops; returns when they have been told or after STOP_SECONDS."""
        self._closing = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end(RESTART)
        deadline = asyncio.get_running_loop().time() + STOP_SECONDS
        while self._listeners and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)

    async def _run(self, project_id: UUID) -> None:
        feed, is_away = Feed(project_id), False
        while True:
            try:
                async with self._looks:
                    news = await asyncio.to_thread(feed.look)
                is_away = False
            except ClickHouseError as error:
                log.warning("live updates wait for ClickHouse", error=type(error).__name__)
                news = [] if is_away else [message("error", {"message": "The span store does not answer."})]
                is_away = True
            except Exception:  # the pages that listen need not reconnect for a fault of ours
                log.exception("live updates failed")
                is_away, news = True, []
            for text in news:
                self._tell_all(project_id, text)
            await asyncio.sleep(AWAY_SECONDS if is_away else LOOK_SECONDS)

    def _tell_all(self, project_id: UUID, text: str) -> None:
        for listener in tuple(self._listeners.get(project_id, ())):
            listener.tell(text)
