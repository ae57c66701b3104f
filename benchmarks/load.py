"""The load generator: connections that send as fast as they are answered (closed loop), in a process of its own.

`python -m benchmarks.load` reads a Load as JSON from standard input and prints a Measured as JSON.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import count, repeat
from math import ceil
from typing import Any

from .bodies import Bodies
from .client import Connection
from .paths import ROOT


@dataclass(frozen=True)
class Load:
    """What to send where. Only what is answered between `warm_up` and `warm_up + seconds` is timed."""

    port: int
    service: str  # service.name of all spans, by which they are counted in the store
    spans: int  # in a body
    connections: int
    seconds: float
    warm_up: float = 0.0
    pause: float = 0.0  # seconds between an answer and the next request
    requests: int = 0  # no more than that many are begun; 0: no limit
    path: str = "/v1/traces"
    headers: dict[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"


@dataclass
class Measured:
    """Requests are acknowledged ones; `timed` are those within the measured seconds. Latencies in milliseconds."""

    requests: int
    spans: int
    timed_requests: int
    seconds: float
    requests_per_second: float
    spans_per_second: float
    body_bytes: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    refused: dict[str, int]  # status or exception -> times
    cpu_seconds: float  # of the load generator, while it sent


def percentile(values: list[float], share: float) -> float:
    """The smallest of the sorted `values` that `share` of them do not exceed; 0 of none."""
    return values[max(ceil(share * len(values)) - 1, 0)] if values else 0.0


def run(load: Load) -> Measured:
    """Put the load on in another process and wait for its end."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(load)),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return Measured(**json.loads(done.stdout))


async def _send(load: Load) -> dict[str, Any]:
    bodies = Bodies(load.spans, load.service)
    finished: list[tuple[float, float]] = []  # (when, latency)
    refused: Counter[str] = Counter()
    left = count(load.requests, -1) if load.requests else repeat(1)
    headers = {"Content-Type": "application/x-protobuf", **load.headers}
    cpu = time.process_time()
    started = time.perf_counter()
    end = started + load.warm_up + load.seconds

    async def exporter() -> None:
        connection = Connection(load.host, load.port, load.path, headers)
        try:
            while time.perf_counter() < end and next(left) > 0:
                body = bodies.make()
                sent = time.perf_counter()
                try:
                    answer = await connection.post(body.data)
                except OSError as error:  # TimeoutError is one
                    refused[type(error).__name__] += 1
                    await asyncio.sleep(0.1)
                    continue
                now = time.perf_counter()
                if answer.status == 200:
                    finished.append((now, now - sent))
                else:
                    refused[str(answer.status)] += 1
                    await asyncio.sleep(min(answer.retry_after or 0.1, 1))
                if load.pause:
                    await asyncio.sleep(load.pause)
        finally:
            connection.close()

    await asyncio.gather(*(exporter() for _ in range(load.connections)))
    latencies = sorted(took * 1000 for when, took in finished if started + load.warm_up <= when < end)
    return asdict(
        Measured(
            requests=len(finished),
            spans=len(finished) * load.spans,
            timed_requests=len(latencies),
            seconds=load.seconds,
            requests_per_second=len(latencies) / load.seconds,
            spans_per_second=len(latencies) * load.spans / load.seconds,
            body_bytes=len(bodies.make().data),
            mean_ms=sum(latencies) / len(latencies) if latencies else 0.0,
            p50_ms=percentile(latencies, 0.50),
            p95_ms=percentile(latencies, 0.95),
            p99_ms=percentile(latencies, 0.99),
            max_ms=latencies[-1] if latencies else 0.0,
            refused=dict(refused),
            cpu_seconds=time.process_time() - cpu,
        )
    )


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_send(Load(**json.load(sys.stdin))))))
