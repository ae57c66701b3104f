"""What all requests share: the engine, the sessions, the workers and the memory for bodies."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import errors, runner
from .engine import Engine, Result
from .queries import Query
from .runner import SessionUse
from .sessions import Sessions
from .spool import Budget, Spool

_WORKERS = 64  # queries that run, or wait for their client, at a time; the next wait for one of these to end
_SPOOL_MEMORY = 64 << 20  # bytes of all bodies and held-back results together; what is over goes to disk


class Service:
    def __init__(self, engine: Engine, password: str, spool_folder: Path) -> None:
        self.engine = engine
        self.password = password
        self.sessions = Sessions(engine)
        self.running: dict[str, str] = {}  # ids of queries, and the file each reads or writes
        self._spool_folder = spool_folder
        self._budget = Budget(_SPOOL_MEMORY)
        self._workers = ThreadPoolExecutor(_WORKERS, "query")

    def spool(self) -> Spool:
        return Spool(self._spool_folder, self._budget)

    async def run(self, query: Query, use: SessionUse | None, out: str = "") -> Result:
        """Run a query in a worker thread; raises ClickHouseError, also when its id is in use."""
        if query.id in self.running:
            text = f"Query with id = {query.id} is already running."
            raise errors.made(216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", text, self.engine.version)
        self.running[query.id] = out or (query.data.path() if query.data else "")
        try:
            loop = asyncio.get_running_loop()
            if query.statement.words[:2] == (b"KILL", b"QUERY"):
                query.text = await asyncio.to_thread(self.engine.with_own_ids, query.text, dict(self.running))
            return await loop.run_in_executor(self._workers, runner.run, self.engine, self.sessions, query, use, out)
        finally:
            del self.running[query.id]

    async def kill(self, path: str, work: "asyncio.Future[Result]") -> None:
        """Stop the query that writes into `path`, and wait until it has; it may not have begun when first asked."""
        while not work.done():
            await asyncio.to_thread(self.engine.kill, path)
            await asyncio.wait([work], timeout=0.2)

    def close(self) -> None:
        self._workers.shutdown(wait=False, cancel_futures=True)
        self.sessions.close_all()
        self.engine.close()
