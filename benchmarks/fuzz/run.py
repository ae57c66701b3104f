"""Sends bodies in packs, each a trace of its own time, and lets everybody read what became of them."""

import asyncio
import json
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

from .bodies import Bodies, Body
from .readers import Place, Reader, of_project, of_span, of_trace, tools

BODIES_A_TRACE = 50
MOST_SECONDS = 2.0
TRIES = 3  # a machine that others use is slow at times: the best of so many counts
AT_A_TIME = 3
PROBE_SECONDS = 0.1
DECODE_SECONDS = 30.0
MINUTE_NS = 60 * 10**9


@dataclass(frozen=True)
class Target:
    """A running portal, and who asks it. `session`: cookies of a person who is signed in."""

    web: str
    receiver: str
    project: str
    key: str
    session: dict[str, str]


@dataclass
class Found:
    """What came of it. `faults` are sentences; empty when all is well."""

    sent: Counter[int] = field(default_factory=Counter)  # by status
    requests: Counter[str] = field(default_factory=Counter)  # by reader
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    bytes: Counter[str] = field(default_factory=Counter)  # the largest answer
    probes: dict[str, list[float]] = field(default_factory=lambda: {"quiet": [], "reading": []})
    told: Counter[str] = field(default_factory=Counter)  # live messages by type
    faults: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)  # files of the inputs that failed

    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "reader": name,
                "requests": self.requests[name],
                "p50 ms": round(1000 * statistics.median(seconds), 1),
                "p99 ms": round(1000 * quantile(seconds, 0.99), 1),
                "max ms": round(1000 * max(seconds), 1),
                "largest answer kB": self.bytes[name] // 1000,
            }
            for name, seconds in sorted(self.seconds.items())
        ]


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)] if values else 0.0


class Fuzz:
    """One run. `folder` takes the bodies of what failed."""

    def __init__(self, target: Target, seed: int, folder: Path, bodies_a_trace: int = BODIES_A_TRACE) -> None:
        self.found = Found()
        self._target = target
        self._seed = seed
        self._bodies_a_trace = bodies_a_trace
        self._bodies = Bodies(seed)
        self._folder = folder
        self._phase = "quiet"
        self._done = asyncio.Event()
        limits = httpx.Timeout(60)
        self._clients = {
            "person": httpx.AsyncClient(base_url=target.web, cookies=target.session, timeout=limits, trust_env=False),
            "key": httpx.AsyncClient(
                base_url=target.web,
                headers={"authorization": f"Bearer {target.key}"},
                timeout=limits,
                trust_env=False,
            ),
            "nobody": httpx.AsyncClient(base_url=target.web, timeout=limits, trust_env=False),
        }

    async def run(self, packs: int, quiet_seconds: float = 5.0) -> Found:
        listening = asyncio.create_task(self._listen())
        probing = asyncio.create_task(self._probe())
        await asyncio.sleep(quiet_seconds)
        self._phase = "reading"
        start_ns = time.time_ns() - (packs + 60) * MINUTE_NS
        for pack in range(packs):
            await self._pack(pack, start_ns + pack * MINUTE_NS)
        self._done.set()
        await probing
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        for client in self._clients.values():
            await client.aclose()
        return self.found

    async def _pack(self, pack: int, start_ns: int) -> None:
        trace_number = self._seed * 2**40 + pack + 1
        bodies = [self._bodies.body(trace_number, start_ns) for _ in range(self._bodies_a_trace)]
        faults = len(self.found.faults)
        accepted = [body for body in bodies if await self._sent(body)]
        if accepted and await self._is_stored(accepted[0].trace_id, len(accepted)):
            await self._read(accepted, start_ns)
        if len(self.found.faults) > faults:
            self._save(pack, bodies)

    async def _sent(self, body: Body) -> bool:
        headers = {"content-type": "application/x-protobuf"}
        answer = await self._clients["key"].post(
            f"{self._target.receiver}/v1/traces", content=body.content, headers=headers
        )
        self.found.sent[answer.status_code] += 1
        if answer.status_code >= 500:
            self.found.faults.append(f"receiver: {answer.status_code} {answer.text[:200]}")
        return answer.status_code == 200

    async def _is_stored(self, trace_id: str, least: int) -> bool:
        address = f"/api/v1/projects/{self._target.project}/traces/{trace_id}"
        deadline = time.monotonic() + DECODE_SECONDS
        while time.monotonic() < deadline:
            answer = await self._clients["key"].get(address)
            if answer.status_code == 200 and answer.json()["span_count"] >= least:
                return True
            await asyncio.sleep(0.2)
        self.found.faults.append(f"{trace_id}: its spans were not stored within {DECODE_SECONDS:.0f} s")
        return False

    async def _read(self, bodies: list[Body], start_ns: int) -> None:
        trace_id = bodies[0].trace_id
        places = [await self._place(trace_id, bodies[0].span_id, start_ns)]
        places += [Place(**{**vars(places[0]), "span": body.span_id}) for body in bodies[1:]]
        asked: list[Reader | tuple[str, dict[str, Any]]] = [*of_trace(places[0]), *of_project(places[0])]
        asked += tools(places[0])
        for number, place in enumerate(places):
            readers = list(of_span(place))
            # The panel shows most of what is sent, and each body has it read; the others take turns.
            asked += [readers[1], *readers[:1], *readers[2:]] if number == 0 else [readers[1], readers[2 + number % 5]]
            asked.append(("get_span", {"span_id": place.span, "trace_id": trace_id}))
        waiting = iter(asked)
        await asyncio.gather(*(self._reads(waiting) for _ in range(AT_A_TIME)))

    async def _reads(self, waiting: Iterator[Reader | tuple[str, dict[str, Any]]]) -> None:
        for reader in waiting:
            await (self._ask(reader) if isinstance(reader, Reader) else self._use(*reader))

    async def _place(self, trace_id: str, span_id: str, start_ns: int) -> Place:
        answer = await self._clients["key"].post("/api/monitoring/share", json={"trace_id": trace_id})
        token = answer.json()["url"].rstrip("/").rpartition("/")[2] if answer.is_success else ""
        if not token:
            self.found.faults.append(f"share link: {answer.status_code} {answer.text[:200]}")
        times = [f"{datetime.fromtimestamp(start_ns // 10**9 + more, UTC):%Y-%m-%dT%H:%M:%SZ}" for more in (-1, 59)]
        return Place(self._target.project, trace_id, span_id, times[0], times[1], token)

    async def _ask(self, reader: Reader) -> None:
        headers = {"x-fragment": "1"} if reader.is_fragment else {}
        await self._timed(reader.name, self._clients[reader.who], reader.address, reader.body, headers, (200, 302))

    async def _use(self, tool: str, arguments: dict[str, Any]) -> None:
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
        answer = await self._timed(f"mcp {tool}", self._clients["key"], "/mcp", call, headers, (200,))
        if answer is not None and (b'"isError":true' in answer or b'"result"' not in answer):
            self.found.faults.append(f"mcp {tool} {arguments}: {answer[:300]!r}")

    async def _timed(
        self,
        name: str,
        client: httpx.AsyncClient,
        address: str,
        body: dict[str, Any] | None,
        headers: dict[str, str],
        right: Iterable[int],
    ) -> bytes | None:
        best, content = float("inf"), b""
        for _ in range(TRIES):
            started = time.perf_counter()
            try:
                answer = await client.request("POST" if body else "GET", address, json=body, headers=headers)
            except httpx.HTTPError as error:  # an export that breaks off, a server that is gone
                self.found.faults.append(f"{name}: {type(error).__name__}: {error} {address}")
                return None
            best, content = min(best, time.perf_counter() - started), answer.content
            if answer.status_code not in right:
                self.found.faults.append(f"{name}: {answer.status_code} {address} {content[:300]!r}")
                return None
            if best <= MOST_SECONDS:
                break
        else:
            self.found.faults.append(f"{name}: {best:.1f} s {address}")
        self.found.requests[name] += 1
        self.found.seconds[name].append(best)
        self.found.bytes[name] = max(self.found.bytes[name], len(content))
        self._check_content(name, answer.headers.get("content-type", ""), content)
        return content

    def _check_content(self, name: str, content_type: str, content: bytes) -> None:
        try:
            text = content.decode()
            if content_type.startswith("application/json"):
                json.loads(text).__class__.__name__.encode()
        except (ValueError, RecursionError) as error:
            self.found.faults.append(f"{name}: its answer cannot be read: {error}")
            return
        if "This cannot be shown" in text:
            self.found.faults.append(f"{name}: has a part that cannot be shown")

    async def _probe(self) -> None:
        """What others wait meanwhile."""
        async with httpx.AsyncClient(base_url=self._target.web, timeout=60, trust_env=False) as client:
            while not self._done.is_set():
                started = time.perf_counter()
                answer = await client.get("/health")
                self.found.probes[self._phase].append(time.perf_counter() - started)
                if answer.status_code != 200:
                    self.found.faults.append(f"health: {answer.status_code}")
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._done.wait(), PROBE_SECONDS)

    async def _listen(self) -> None:
        address = f"{self._target.web.replace('http', 'ws', 1)}/api/monitoring/ws/{self._target.project}"
        headers = {"authorization": f"Bearer {self._target.key}"}
        async with connect(address, additional_headers=headers, proxy=None, max_size=2**26) as socket:
            async for message in socket:
                told = json.loads(message)
                self.found.told[told["type"]] += 1
                if told["type"] == "error":
                    self.found.faults.append(f"live: {str(told['data'])[:300]}")
        self.found.faults.append("live: the socket was closed")

    def _save(self, pack: int, bodies: list[Body]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for number, body in enumerate(bodies):
            path = self._folder / f"{self._seed}-{pack}-{number}.pb"
            path.write_bytes(body.content)
            self.found.saved.append(path.name)
