"""`python -m benchmarks.guardrail`: how long a decision takes at 100 requests a second, and whether limits are exact.

The requests are those of LiteLLM, with a prompt of 2 kB in which a rule finds something. A call is timed from the
moment at which it was due, so that one that waits for another counts its wait.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil

from . import machine
from .paths import ROOT, results_folder
from .portal import FOREIGN, Portal, portal
from .report import machine_line, say, table, write

RATE = 100  # requests a second
CONNECTIONS = 16
CALLERS = 64
CASES = ("content", "requests", "budget")
AMOUNT = 500
TEXT = (
    "Please book the table for two and pay with 4111 1111 1111 1111, my number is 010-1234-5678. "
    + "Thanks a lot. " * 140
)


def _body(number: int) -> bytes:
    return json.dumps(
        {
            "input_type": "request",
            "texts": [f"{number} {TEXT}"],
            "structured_messages": [{"role": "user", "content": f"{number} {TEXT}"}],
            "model": "gpt-4o-mini",
            "litellm_call_id": f"call-{number}",
            "litellm_trace_id": f"{number + 1:032x}",
            "request_data": {"user_api_key_alias": "bench"},
        }
    ).encode()


class Caller:
    """One connection that stays open."""

    def __init__(self, of: Portal) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", of.ports["PORTAL_PORT"], timeout=30)
        self._headers = {**of.headers, "Content-Type": "application/json"}

    def ask(self, number: int) -> str:
        self._connection.request("POST", "/beta/litellm_basic_guardrail_api", _body(number), self._headers)
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said[:500]
        return str(json.loads(said)["action"])


def _at_rate(of: Portal, seconds: float) -> list[float]:
    """Milliseconds of each call."""
    took: list[float] = []
    began = time.perf_counter() + 0.2

    def call(place: int) -> None:
        caller = Caller(of)
        for number in range(place, int(RATE * seconds), CONNECTIONS):
            due = began + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            caller.ask(number)
            took.append(1000 * (time.perf_counter() - due))

    _together(call, CONNECTIONS)
    return took


def _together(call: Any, count: int) -> None:
    threads = [threading.Thread(target=call, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _passed(of: Portal) -> int:
    """How many of twice the amount pass, asked by all callers at once."""
    actions: list[str] = []

    def call(place: int) -> None:
        caller = Caller(of)
        actions.extend(caller.ask(number) for number in range(place, 2 * AMOUNT, CALLERS))

    _together(call, CALLERS)
    assert len(actions) == 2 * AMOUNT
    return sum(action != "BLOCKED" for action in actions)


def _set(of: Portal, case: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment |= {name: str(port) for name, port in of.ports.items()}
    environment |= {"PORTAL_VAR": str(of.folder / "var"), "PORTAL_DOTENV": str(of.folder / ".env")}
    command = [sys.executable, "-m", "benchmarks.guardrail", "--set", case]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    time.sleep(2.5)  # rules act within two seconds


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
    if case in ("requests", "budget"):
        Limit.objects.create(name="Requests", measure="requests", amount=10**9, window="hour", **owner)
    if case == "budget":
        Limit.objects.create(name="Budget", measure="cost", amount=10**6, window="day", **owner)
        Limit.objects.create(name="Of a key", measure="cost", amount=10**6, window="day", per="key", **owner)
    if case == "exact":
        Limit.objects.create(name="Exact", measure="requests", amount=AMOUNT, window="month", **owner)


def _measure(of: Portal, case: str, seconds: float) -> dict[str, Any]:
    _set(of, case)
    _at_rate(of, 2)  # what is loaded with the first call
    tree = {process.pid: process for process in psutil.process_iter() if _is_of(process, of)}
    before = {pid: sum(process.cpu_times()[:2]) for pid, process in tree.items()}
    took = _at_rate(of, seconds)
    used = sum(sum(process.cpu_times()[:2]) - before[pid] for pid, process in tree.items())
    cuts = quantiles(took, n=100)
    return {
        "limits": {"content": 0, "requests": 1, "budget": 3}[case],
        "calls": len(took),
        "p50 ms": round(cuts[49], 2),
        "p95 ms": round(cuts[94], 2),
        "p99 ms": round(cuts[98], 2),
        "most ms": round(max(took), 2),
        "cpu ms a call": round(1000 * used / len(took), 2),
        "load": round(os.getloadavg()[0], 2),
    }


def _is_of(process: psutil.Process, of: Portal) -> bool:
    """The web process and PostgreSQL's, which do the work of a call."""
    try:
        line, environment = " ".join(process.cmdline()), process.environ()
    except psutil.Error:
        return False
    is_web = "agentops_portal.asgi:application" in line
    is_postgres = "postgres" in process.name() and str(of.folder) in " ".join([line, process.cwd()])
    return (is_web and environment.get("PORTAL_VAR") == str(of.folder / "var")) or is_postgres


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guardrail", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="of each case")
    parser.add_argument("--results", type=Path, default=results_folder(quick=False))
    parser.add_argument("--set", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.set:
        _make(options.set)
        return 0
    described = machine.describe()
    with portal("guardrail", DJANGO_SETTINGS_MODULE="agentops_portal.settings") as of:
        cases = {}
        for case in CASES:
            say(case)
            cases[case] = _measure(of, case, options.seconds)
        _set(of, "exact")
        passed = _passed(of)
    rows = [{"case": case, **figures} for case, figures in cases.items()]
    text = machine_line(described) + table(f"Decisions at {RATE} requests a second", rows)
    text += f"\n{CALLERS} callers ask {2 * AMOUNT} times for {AMOUNT}: {passed} pass.\n"
    write(options.results, "guardrail", {"machine": described, "cases": cases, "exact": passed}, text)
    return int(passed != AMOUNT)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentops_portal.settings")
    sys.exit(main())
