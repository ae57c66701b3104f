"""`python -m benchmarks.enforcement`: how long a decision takes at 100 requests a second, and whether limits are exact.

The requests are those of LiteLLM, with a prompt of 2 kB in which a rule finds something. They are sent when they are
due, whatever became of the ones before (open loop), and timed from that moment. Each call's span follows within a
second, so that budgets have something to count and reservations end.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import psutil

from . import decisions, load, machine
from .paths import ROOT, results_folder
from .portal import FOREIGN, Portal, portal
from .report import machine_line, say, table, write

CALLERS: Final = 64
AMOUNT: Final = 500
LIMITS: Final = {"content": 0, "rates": 2, "budgets": 4}
# 5,000 spans a second beside: 10 exporters with a body of 50 ten times a second.
EXPORTERS: Final = {"spans": 50, "connections": 10, "pause": 0.1}
WATCHED: Final = ("web", "postgres", "clickhouse", "otlp")


def _set(of: Portal, case: str) -> None:
    command = [sys.executable, "-m", "benchmarks.enforcement", "--set", case]
    subprocess.run(command, cwd=ROOT, env=_environment(of), check=True, capture_output=True)
    time.sleep(2.5)  # rules act within two seconds


def _environment(of: Portal) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment |= {name: str(port) for name, port in of.ports.items()}
    return environment | {"PORTAL_VAR": str(of.folder / "var"), "PORTAL_DOTENV": str(of.folder / ".env")}


def _make(case: str) -> None:
    """In a process with the portal's settings."""
    import django

    django.setup()
    from guardrails.enforcement.models import Limit, Rule
    from projects.models import Project

    project = Project.objects.get()
    owner = {"organization": project.organization, "project": project}
    Rule.objects.all().delete()
    Limit.objects.all().delete()
    every = ["email", "kr_rrn", "kr_frn", "kr_brn", "card", "iban", "passport", "phone", "ip", "secret"]
    Rule.objects.create(name="Personal data", entities=every, **owner)
    Rule.objects.create(name="Words", way="keywords", pattern="falcon\n팔콘", action="block", **owner)
    if case in ("rates", "budgets"):
        Limit.objects.create(name="Requests", measure="requests", amount=10**9, window="hour", **owner)
        Limit.objects.create(name="Tokens", measure="tokens", amount=10**9, window="hour", per="user", **owner)
    if case == "budgets":
        Limit.objects.create(name="Budget", measure="cost", amount=10**6, window="day", **owner)
        Limit.objects.create(name="Of a key", measure="cost", amount=10**6, window="day", per="key", **owner)
    if case == "exact":
        Limit.objects.create(name="Exact", measure="requests", amount=AMOUNT, window="month", **owner)


def _measure(of: Portal, case: str, options: argparse.Namespace, *, ingest: bool) -> dict[str, Any]:
    seconds: float = options.seconds
    _set(of, case)
    ask = decisions.Asked(of.ports["PORTAL_PORT"], of.receiver_port, of.headers, 3)
    decisions.run(ask)  # what is loaded with the first call
    machine.put_first([each.pid for tree in of.trees().values() for each in tree], options.priority)
    beside = _exporters(of, seconds + 3) if ingest else None
    time.sleep(1.5)
    trees = {name: tree for name, tree in of.trees().items() if name in WATCHED}
    before = _processor(trees)
    told = decisions.run(ask.lasting(seconds))
    used = {name: total - before[name] for name, total in _processor(trees).items()}
    if beside is not None:
        beside.join()
    took = sorted(told["took_ms"])
    return {
        "limits": LIMITS[case],
        "spans/s beside": EXPORTERS["spans"] * EXPORTERS["connections"] / EXPORTERS["pause"] if ingest else 0,
        "calls": len(took),
        "errors": sum(told["errors"].values()),
        **{f"p{share} ms": round(load.percentile(took, share / 100), 2) for share in (50, 95, 99)},
        "most ms": round(took[-1], 2) if took else 0,
        **{f"{name} cpu ms": round(1000 * spent / max(1, len(took)), 2) for name, spent in used.items()},
        "load": round(os.getloadavg()[0], 2),
        "what": dict(told["errors"]),
    }


def _exporters(of: Portal, seconds: float) -> threading.Thread:
    sent = load.Load(of.receiver_port, "beside", seconds=seconds, headers=of.headers, **EXPORTERS)  # type: ignore[arg-type]
    thread = threading.Thread(target=load.run, args=(sent,))
    thread.start()
    return thread


def _processor(trees: dict[str, list[psutil.Process]]) -> dict[str, float]:
    """Seconds, of a tree's leader and of who it started, those that have ended among them."""
    totals = {}
    for name, tree in trees.items():
        times = tree[0].cpu_times()
        below = [each.cpu_times() for each in tree[0].children(recursive=True)]
        totals[name] = sum(times[:4]) + sum(sum(each[:2]) for each in below)
    return totals


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enforcement", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="of each case")
    parser.add_argument("--priority", type=int, default=0, help="of all that is measured, on a machine with other work")
    parser.add_argument("--redis", help="count in this Redis (REDIS_URL)")
    parser.add_argument("--name", default="enforcement", help="of the results")
    parser.add_argument("--results", type=Path, default=results_folder(quick=False))
    parser.add_argument("--set", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.set:
        _make(options.set)
        return 0
    machine.put_first([os.getpid()], options.priority)
    described = machine.describe()
    redis = {"REDIS_URL": options.redis} if options.redis else {}
    with portal("enforcement", DJANGO_SETTINGS_MODULE="agentops_portal.settings", **redis) as of:
        rows = []
        for ingest in (False, True):
            for case in LIMITS:
                say(f"{case}{', beside ingest' if ingest else ''}")
                rows.append({"case": case, **_measure(of, case, options, ingest=ingest)})
        _set(of, "exact")
        passed = decisions.passed(of.ports["PORTAL_PORT"], of.headers, CALLERS, 2 * AMOUNT)
    shown = [{name: value for name, value in row.items() if name != "what"} for row in rows]
    text = machine_line(described) + table(f"Decisions at {decisions.RATE} requests a second", shown)
    if options.priority:
        text += f"\nThe machine had other work; what is measured ran at priority {options.priority}.\n"
    text += f"\n{CALLERS} callers ask {2 * AMOUNT} times for {AMOUNT}: {passed} pass.\n"
    write(
        options.results,
        options.name,
        {"machine": described, "priority": options.priority, "cases": rows, "exact": passed},
        text,
    )
    return int(passed != AMOUNT)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentops_portal.settings")
    sys.exit(main())
