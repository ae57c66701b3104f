"""The proxy of benchmarks.enforcement, in a process of its own: asks for decisions when they are due, and sends the
spans of the calls.

`python -m benchmarks.decisions` reads an Asked as JSON from standard input and prints what it was answered.
"""

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from .client import Connection
from .paths import ROOT

RATE: Final = 100  # requests a second
ADDRESS: Final = "/beta/litellm_basic_guardrail_api"
MOST_CONNECTIONS: Final = 256
TEXT: Final = (
    "Please book the table for two and pay with 4111 1111 1111 1111, my number is 010-1234-5678. "
    + "Thanks a lot. " * 140
)


@dataclass(frozen=True)
class Asked:
    port: int
    receiver_port: int
    headers: dict[str, str]
    seconds: float

    def lasting(self, seconds: float) -> "Asked":
        return replace(self, seconds=seconds)


def run(asked: Asked) -> dict[str, Any]:
    """took_ms: of each call that was answered, from the moment it was due; errors: status or exception → times."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.decisions"],
        input=json.dumps(asdict(asked)),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def passed(port: int, headers: dict[str, str], callers: int, count: int) -> int:
    """How many of `count` calls pass, asked by all callers at once."""

    async def ask() -> int:
        actions: list[str] = []

        async def caller(place: int) -> None:
            connection = _connection(port, ADDRESS, headers)
            for number in range(place, count, callers):
                answer = await connection.post(_body(number, f"{number:032x}"))
                assert answer.status == 200, answer.body[:500]
                actions.append(json.loads(answer.body)["action"])
            connection.close()

        await asyncio.gather(*(caller(place) for place in range(callers)))
        assert len(actions) == count
        return sum(action != "BLOCKED" for action in actions)

    return asyncio.run(ask())


def _body(number: int, trace_id: str) -> bytes:
    return json.dumps(
        {
            "input_type": "request",
            "texts": [f"{number} {TEXT}"],
            "structured_messages": [{"role": "user", "content": f"{number} {TEXT}"}],
            "model": "gpt-4o-mini",
            "litellm_call_id": f"call-{number}",
            "litellm_trace_id": trace_id,
            "request_data": {"user_api_key_alias": "bench", "user_api_key_user_id": "somebody"},
            "request_headers": {"user-agent": "python-httpx/0.28.1"},
            "litellm_version": "1.106.2",
        }
    ).encode()


def _connection(port: int, path: str, headers: dict[str, str]) -> Connection:
    return Connection("127.0.0.1", port, path, {**headers, "Content-Type": "application/json"})


def _spans(calls: list[tuple[int, str]]) -> bytes:
    """Of calls that are over: (number, trace id)."""
    now = time.time_ns()

    def attribute(name: str, value: dict[str, Any]) -> dict[str, Any]:
        return {"key": name, "value": value}

    spans = [
        {
            "traceId": trace_id,
            "spanId": f"{number + 1:016x}",
            "name": "litellm_request",
            "kind": 1,
            "startTimeUnixNano": str(now - 10_000_000),
            "endTimeUnixNano": str(now),
            "attributes": [
                attribute("gen_ai.operation.name", {"stringValue": "chat"}),
                attribute("gen_ai.request.model", {"stringValue": "gpt-4o-mini"}),
                attribute("gen_ai.usage.input_tokens", {"intValue": "500"}),
                attribute("gen_ai.cost.total_cost", {"doubleValue": 0.001}),
                attribute("litellm.call_id", {"stringValue": f"call-{number}"}),
            ],
        }
        for number, trace_id in calls
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


async def _ask(asked: Asked) -> dict[str, Any]:
    bodies = [_prepared(number) for number in range(int(RATE * asked.seconds))]
    free = [_connection(asked.port, ADDRESS, asked.headers) for _ in range(MOST_CONNECTIONS)]
    took: list[float] = []
    errors: Counter[str] = Counter()
    over: list[tuple[int, str]] = []
    began = time.perf_counter() + 0.5

    async def one(number: int, due: float) -> None:
        trace_id, body = bodies[number]
        if not free:
            errors["no connection is free"] += 1
            return
        connection = free.pop()
        try:
            answer = await connection.post(body)
        except OSError as error:
            errors[type(error).__name__] += 1
        else:
            if answer.status == 200:
                took.append(1000 * (time.perf_counter() - due))
                over.append((number, trace_id))
            else:
                errors[str(answer.status)] += 1
        finally:
            free.append(connection)

    async def export() -> None:
        connection = _connection(asked.receiver_port, "/v1/traces", asked.headers)
        while True:
            await asyncio.sleep(1)
            calls, over[:] = over[:], []
            if calls and (await connection.post(_spans(calls))).status != 200:
                errors["spans"] += 1

    gc.disable()  # a pause of the proxy is none of the portal
    exporting = asyncio.create_task(export())
    async with asyncio.TaskGroup() as calls:
        for number in range(len(bodies)):
            due = began + number / RATE
            await asyncio.sleep(due - time.perf_counter())
            calls.create_task(one(number, due))
    await asyncio.sleep(1.1)
    exporting.cancel()
    return {"took_ms": took, "errors": dict(errors)}


def _prepared(number: int) -> tuple[str, bytes]:
    trace_id = f"{time.time_ns():016x}{number + 1:016x}"
    return trace_id, _body(number, trace_id)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_ask(Asked(**json.load(sys.stdin))))))
