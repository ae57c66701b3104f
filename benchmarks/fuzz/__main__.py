"""`make fuzz`, with a portal of its own. The exit code is 1 when a reader failed, was slow, or left something out."""

import argparse
import asyncio
import random
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.paths import ROOT, results_folder
from benchmarks.portal import Portal, portal
from benchmarks.report import machine_line, say, table, write

from .run import BODIES_A_TRACE, Found, Fuzz, Target, quantile

SHOWN_FAULTS = 30
FULL = 5_000  # bodies of a run whose results are kept


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--bodies", type=int, default=FULL)
    parser.add_argument("--seed", type=int, default=None, help="the same seed sends the same bodies")
    parser.add_argument("--results", type=Path, default=None, help="folder for the results")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1, 2**20) if given.seed is None else given.seed
    packs = max(-(-given.bodies // BODIES_A_TRACE), 1)
    say(f"seed {seed}: {packs * BODIES_A_TRACE} bodies in {packs} traces")
    about, failed = machine.describe(), ROOT / "var" / "fuzz"
    with portal("fuzz", API_REQUESTS_PER_MINUTE="0") as made:
        started = time.monotonic()
        found = asyncio.run(Fuzz(_target(made), seed, failed).run(packs))
        seconds = time.monotonic() - started
        found.faults += _faults_in(made.log)
    raw = _raw(found, seed, seconds)
    folder = given.results or results_folder(quick=given.bodies < FULL)
    write(folder, "fuzz", {"machine": about, **raw}, _text(about, raw))
    if found.faults:
        say(f"bodies of what failed: {failed}")
        sys.exit(1)


def _target(made: Portal) -> Target:
    with made.signed_in() as client:
        session = dict(client.cookies)
    return Target(
        web=made.web,
        receiver=f"http://127.0.0.1:{made.receiver_port}",
        project=made.project_id,
        key=made.headers["Authorization"].removeprefix("Bearer "),
        session=session,
    )


def _faults_in(log: str) -> list[str]:
    """What the portal itself says went wrong."""
    lines = [line for line in log.splitlines() if "cannot be shown" in line or "Traceback (most recent" in line]
    return [f"log: {line[:300]}" for line in lines]


def _raw(found: Found, seed: int, seconds: float) -> dict[str, Any]:
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "bodies": dict(sorted(found.sent.items())),
        "requests": sum(found.requests.values()),
        "faults": found.faults,
        "saved": found.saved,
        "live_messages": dict(found.told),
        "health_ms": {
            phase: {f"p{int(part * 100)}": round(1000 * quantile(waits, part), 1) for part in (0.5, 0.99)}
            for phase, waits in found.probes.items()
        },
        "readers": found.rows(),
    }


def _text(about: dict[str, Any], raw: dict[str, Any]) -> str:
    shown = raw["faults"][:SHOWN_FAULTS]
    summary = [
        {
            "seed": raw["seed"],
            "bodies": ", ".join(f"{count} x {status}" for status, count in raw["bodies"].items()),
            "requests": raw["requests"],
            "faults": len(raw["faults"]),
            "live messages": sum(raw["live_messages"].values()),
            "seconds": raw["seconds"],
        }
    ]
    health = [{"others ask /health": phase, **waits} for phase, waits in raw["health_ms"].items()]
    return "\n".join(
        [
            machine_line(about),
            table("Fuzz of the readers", summary),
            table("Milliseconds that others wait", health),
            table("Readers", raw["readers"]),
            *(f"FAULT {fault}" for fault in shown),
        ]
    )


if __name__ == "__main__":
    main()
