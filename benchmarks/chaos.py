"""`make chaos`: processes are killed under load, and what was acknowledged must be stored, once.

Clients behave like OTLP exporters: each keeps one request until it is acknowledged and sends the very same bytes again
after a 429, a 5xx, a broken connection or a time-out. The real supervisor brings the processes back. The exit code is 1
when an acknowledged span is missing or doubled, or when coming back takes longer than 10 seconds.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from . import machine
from .bodies import REQUEST_ATTRIBUTE, Bodies, Body
from .client import Connection
from .paths import results_folder
from .portal import Portal, portal
from .report import machine_line, say, table, write

SERVICE = "chaos"
SIZES = (7, 7, 64, 511)  # spans in a body, one exporter after the other
# The receiver is two processes: the one the supervisor started, and its worker, which serves.
TARGETS = ("otlp", "otlp worker", "clickhouse", "postgres")
MOST_SECONDS_TO_COME_BACK = 10.0
DRAIN_SECONDS = 60.0  # for requests that are still on their way when the load ends
ANSWER_SECONDS = 10.0  # the time-out of OTLP exporters
# https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
RETRYABLE = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Plan:
    """Each of TARGETS is killed `rounds` times in a random order, `pause` seconds (least, most) after it came back."""

    rounds: int
    exporters: int
    pause: tuple[float, float]
    seed: int


FULL = Plan(rounds=3, exporters=12, pause=(2.0, 6.0), seed=20)
SHORT = Plan(rounds=1, exporters=6, pause=(1.0, 2.0), seed=20)


@dataclass
class Sent:
    """What became of the requests; `spans` holds the number of spans by request."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)  # for good
    given_up: dict[str, int] = field(default_factory=dict)  # unanswered when the run ended
    repeated: int = 0  # attempts after the first
    outcomes: Counter[str] = field(default_factory=Counter)  # of every attempt
    last_acknowledged: float = 0.0


@dataclass
class Kill:
    """One kill -9; seconds until a request was acknowledged again, and until the portal was ready on both stores."""

    target: str
    at: float
    acknowledged_after: float
    ready_after: float

    @property
    def seconds(self) -> float:
        return max(self.acknowledged_after, self.ready_after)


class Chaos:
    """The load and the kills of one run."""

    def __init__(self, own: Portal, plan: Plan) -> None:
        self.own = own
        self.plan = plan
        self.sent = Sent()
        self.kills: list[Kill] = []
        self._random = random.Random(plan.seed)
        self._over = False
        self._deadline = float("inf")

    async def run(self) -> None:
        exporters = [
            asyncio.create_task(self._export(SIZES[number % len(SIZES)])) for number in range(self.plan.exporters)
        ]
        probe = asyncio.create_task(self._probe())
        targets = [target for target in TARGETS for _ in range(self.plan.rounds)]
        self._random.shuffle(targets)
        started = time.monotonic()
        await self._pause()
        for target in targets:
            await self._kill(target, started)
            await self._pause()
        self._over, self._deadline = True, time.monotonic() + DRAIN_SECONDS
        await asyncio.gather(*exporters, probe)

    async def _pause(self) -> None:
        await asyncio.sleep(self._random.uniform(*self.plan.pause))

    def _connection(self) -> Connection:
        headers = {"Content-Type": "application/x-protobuf", **self.own.headers}
        return Connection("127.0.0.1", self.own.receiver_port, "/v1/traces", headers)

    async def _export(self, spans: int) -> None:
        """An exporter: one request at a time, each until it is settled."""
        bodies, connection = Bodies(spans, SERVICE), self._connection()
        while not self._over:
            await self._deliver(connection, bodies.make(), spans)
        connection.close()

    async def _deliver(self, connection: Connection, body: Body, spans: int) -> None:
        wait = 0.1
        attempts = 0
        while time.monotonic() < self._deadline:
            outcome, retry_after = await self._attempt(connection, body, ANSWER_SECONDS)
            self.sent.repeated += bool(attempts)
            attempts += 1
            if outcome == "200":
                self.sent.acknowledged[body.request] = spans
                return
            if outcome.isdigit() and int(outcome) not in RETRYABLE:
                self.sent.refused[body.request] = spans
                return
            await asyncio.sleep(retry_after if retry_after is not None else wait * self._random.uniform(0.5, 1.5))
            wait = min(wait * 2, 5.0)
        self.sent.given_up[body.request] = spans

    async def _attempt(self, connection: Connection, body: Body, timeout: float) -> tuple[str, int | None]:
        retry_after = None
        try:
            answer = await connection.post(body.data, timeout)
            outcome, retry_after = str(answer.status), answer.retry_after
        except OSError as error:  # TimeoutError is one
            outcome = type(error).__name__
        self.sent.outcomes[outcome] += 1
        return outcome, retry_after

    async def _probe(self) -> None:
        """A client that does not wait before it tries again: it sees when the receiver is back."""
        bodies, connection = Bodies(1, SERVICE), self._connection()
        while not self._over:
            body, sent = bodies.make(), time.monotonic()
            outcome, _ = await self._attempt(connection, body, 2.0)
            if outcome == "200":
                self.sent.acknowledged[body.request] = 1
                self.sent.last_acknowledged = sent
            await asyncio.sleep(0.05)
        connection.close()

    async def _kill(self, target: str, started: float) -> None:
        victim = self._victim(target)
        killed = time.monotonic()
        victim.kill()
        say(f"chaos: killed {target}")
        await asyncio.sleep(0.05)
        acknowledged, ready = await asyncio.gather(self._acknowledged_after(killed), self._ready_after(killed, victim))
        kill = Kill(target, round(killed - started, 2), round(acknowledged - killed, 2), round(ready - killed, 2))
        say(f"chaos: {target} is back after {kill.seconds:.2f} s")
        self.kills.append(kill)

    def _victim(self, target: str) -> psutil.Process:
        name, _, worker = target.partition(" ")
        leader = self.own.process(name)
        if not worker:
            return leader
        # Granian's worker is the child with the most memory; the others are Python's resource tracker and the like.
        return max(leader.children(), key=lambda child: child.memory_info().rss)

    async def _acknowledged_after(self, moment: float) -> float:
        """When a request that was sent after `moment` was acknowledged."""
        while self.sent.last_acknowledged <= moment and time.monotonic() < moment + 60:
            await asyncio.sleep(0.02)
        return time.monotonic()

    async def _ready_after(self, moment: float, victim: psutil.Process) -> float:
        """When the victim was gone and the portal answered that both of its stores serve."""
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while time.monotonic() < moment + 60:
                try:
                    if not _lives(victim) and (await client.get(f"{self.own.web}/ready")).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        return time.monotonic()


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass
class Verdict:
    """The counts at the end. `problems` is empty when nothing was lost, doubled or slow."""

    acknowledged_requests: int
    acknowledged_spans: int
    stored_acknowledged_spans: int
    stored_unacknowledged_spans: int
    missing_spans: int  # acknowledged and not there
    doubled_spans: int  # rows beyond the first of a span id
    repeated_attempts: int
    refused_requests: int
    given_up_requests: int
    slowest_return: float
    problems: list[str]


def judge(own: Portal, chaos: Chaos) -> Verdict:
    """Compare what was acknowledged with what is stored, request by request."""
    rows = own.sql(
        "SELECT ResourceAttributes[{attribute:String}] AS request, count() AS rows, uniqExact(SpanId) AS spans "
        "FROM otel_traces WHERE ServiceName = {service:String} GROUP BY request",
        attribute=REQUEST_ATTRIBUTE,
        service=SERVICE,
    )
    stored = {row["request"]: row["spans"] for row in rows}
    sent = chaos.sent
    missing = sum(max(spans - stored.get(request, 0), 0) for request, spans in sent.acknowledged.items())
    doubled = sum(row["rows"] - row["spans"] for row in rows)
    slowest = max((kill.seconds for kill in chaos.kills), default=0.0)
    problems = []
    if missing:
        problems.append(f"{missing} acknowledged spans are not stored")
    if doubled:
        problems.append(f"{doubled} spans are stored more than once")
    if slowest > MOST_SECONDS_TO_COME_BACK:
        problems.append(f"coming back took {slowest:.1f} s")
    if sent.refused:
        problems.append(f"{len(sent.refused)} requests were refused for good: {dict(sent.outcomes)}")
    if sent.given_up:
        problems.append(
            f"{len(sent.given_up)} requests were not answered within {DRAIN_SECONDS:.0f} s after the last kill"
        )
    return Verdict(
        acknowledged_requests=len(sent.acknowledged),
        acknowledged_spans=sum(sent.acknowledged.values()),
        stored_acknowledged_spans=sum(stored.get(request, 0) for request in sent.acknowledged),
        stored_unacknowledged_spans=sum(spans for request, spans in stored.items() if request not in sent.acknowledged),
        missing_spans=missing,
        doubled_spans=doubled,
        repeated_attempts=sent.repeated,
        refused_requests=len(sent.refused),
        given_up_requests=len(sent.given_up),
        slowest_return=slowest,
        problems=problems,
    )


def run(plan: Plan) -> tuple[Chaos, Verdict, str]:
    """One run on a portal of its own: the run, the verdict, and the portal's log."""
    with portal("chaos") as own:
        chaos = Chaos(own, plan)
        asyncio.run(chaos.run())
        own.wait_until_decoded()  # what a killed receiver left is stored when it is known to be dead
        return chaos, judge(own, chaos), own.log


def _text(chaos: Chaos, verdict: Verdict) -> str:
    kills = [
        {
            "killed": kill.target,
            "at s": kill.at,
            "acknowledged again after s": kill.acknowledged_after,
            "ready after s": kill.ready_after,
        }
        for kill in chaos.kills
    ]
    counts = [
        {"count": name.replace("_", " "), "value": value}
        for name, value in asdict(verdict).items()
        if name != "problems"
    ]
    ending = "\n".join(verdict.problems) or "Nothing acknowledged was lost, nothing was stored twice."
    return "\n".join(
        [
            table("kill -9 under load", kills),
            table("Requests and spans", counts),
            f"Answers: {dict(chaos.sent.outcomes)}",
            ending,
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description="Kill processes under load.")
    parser.add_argument("--quick", action="store_true", help="each process once")
    parser.add_argument("--seed", type=int, default=FULL.seed, help="of the order and moments (default: %(default)s)")
    parser.add_argument("--results", type=Path, help="folder for the results")
    options = parser.parse_args()
    chosen = SHORT if options.quick else FULL
    plan = Plan(chosen.rounds, chosen.exporters, chosen.pause, options.seed)
    described = machine.describe()
    chaos, verdict, _ = run(plan)
    raw: dict[str, Any] = {
        "machine": described,
        "plan": asdict(plan),
        "kills": [asdict(kill) for kill in chaos.kills],
        "answers": dict(chaos.sent.outcomes),
        "verdict": asdict(verdict),
    }
    name = "chaos-quick" if options.quick else "chaos"
    write(
        options.results or results_folder(options.quick),
        name,
        raw,
        f"{machine_line(described)}\n{_text(chaos, verdict)}",
    )
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    sys.exit(main())
