"""`python -m benchmarks.reports`: reports of many missed days, two beats, four workers, and kill -9 again and again.

Each triple of schedule, period and recipient must be delivered once. A worker that dies while it hands a message over
leaves it "perhaps sent": nobody can know, it is counted apart and never sent again. The exit code is 1 when anything
came twice, or did not come and is not called perhaps sent.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
from aiosmtpd.controller import Controller

from . import machine, report_schedules
from .paths import ROOT, free_ports, results_folder
from .portal import FOREIGN, Portal, portal
from .report import machine_line, say, table, write

WORKERS, BEATS = 4, 2  # one of each is the supervisor's own
KILL_SECONDS = (0.5, 3.0)  # between two kills
SLOW_SECONDS = (0.0, 0.3)  # that the other side takes for a message, so that kills meet one on its way
MOST_SECONDS = 900.0
FINAL = {"sent", "perhaps", "dead", "withdrawn"}


class Receivers:
    """A mail server and a webhook that count what they get, by the id of the delivery."""

    def __init__(self, seed: int) -> None:
        self.got: Counter[str] = Counter()
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        smtp, http = free_ports(2)
        self.mail_url, self.hook_url = f"smtp://127.0.0.1:{smtp}", f"http://127.0.0.1:{http}"
        self.smtp = Controller(self, hostname="127.0.0.1", port=smtp)
        self.http = ThreadingHTTPServer(("127.0.0.1", http), self._handler())

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        import asyncio

        message_id = str(message_from_bytes(envelope.content)["Message-ID"])
        await asyncio.sleep(self.random.uniform(*SLOW_SECONDS))
        self._count(message_id.removeprefix("<report.").partition("@")[0].replace("-", ""))
        return "250 OK"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receivers = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(receivers.random.uniform(*SLOW_SECONDS))
                receivers._count(self.headers["webhook-id"].removeprefix("report_"))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Hook

    def _count(self, delivery: str) -> None:
        with self.lock:
            self.got[delivery] += 1

    def __enter__(self) -> "Receivers":
        self.smtp.start()
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.smtp.stop()
        self.http.shutdown()


class More:
    """Workers and beats beside those of the supervisor; one that was killed is started again."""

    def __init__(self, of: Portal, settings: dict[str, str]) -> None:
        own = {name: str(port) for name, port in of.ports.items()}
        folders = {"PORTAL_VAR": str(of.folder / "var"), "PORTAL_DOTENV": str(of.folder / ".env")}
        self.environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        self.environment |= own | folders | settings
        self.log = (of.folder / "more.log").open("wb")
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        for number in range(WORKERS - 1):
            self._start(f"worker {number + 2}", "worker", "--pool=solo", "--without-gossip", "--without-mingle")
        for number in range(BEATS - 1):
            self._start(f"beat {number + 2}", "beat", "--pidfile=")

    def _start(self, name: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "celery", "--app=agentops_portal", "--quiet", *arguments]
        self.running[name] = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=self.log, stderr=subprocess.STDOUT
        )

    def kill(self, name: str) -> None:
        process = self.running[name]
        arguments = list(process.args)[5:]  # type: ignore[arg-type]
        process.kill()
        process.wait()
        self._start(name, *map(str, arguments))

    def ask(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "benchmarks.report_schedules", *arguments]
        environment = {**self.environment, "DJANGO_SETTINGS_MODULE": "agentops_portal.settings", "LOG_LEVEL": "error"}
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    def __enter__(self) -> "More":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
        self.log.close()


def run(seed: int, broker: str) -> tuple[dict[str, Any], Counter[str], Counter[str], float]:
    """What the portal says, what was received by delivery, kills by target, seconds."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        receivers = stack.enter_context(Receivers(seed))
        settings = {"EMAIL_URL": receivers.mail_url, "WEBHOOKS_MAY_BE_PRIVATE": "1", "LOG_LEVEL": "warning"}
        settings |= {"CELERY_BROKER_URL": broker} if broker else {}
        of = stack.enter_context(portal("reports", **{**settings, "LOG_LEVEL": "info"}))
        more = stack.enter_context(More(of, settings))
        more.ask("make", receivers.hook_url)
        wanted = report_schedules.TRIPLES
        say(f"{wanted} triples are due; {WORKERS} workers, {BEATS} beats")
        started, kills, told = time.monotonic(), Counter[str](), {"deliveries": [], "unfrozen": 0}
        looked, only_leases = 0.0, False
        while time.monotonic() - started < MOST_SECONDS:
            if time.monotonic() - looked > 10:
                told, looked = json.loads(more.ask("tell")), time.monotonic()
                states = Counter(each["state"] for each in told["deliveries"])
                say(f"{dict(states)}, {sum(kills.values())} kills")
                if len(told["deliveries"]) == wanted and set(states) <= FINAL:
                    break
                only_leases = len(told["deliveries"]) == wanted and set(states) <= FINAL | {"sending"}
            time.sleep(chance.uniform(*KILL_SECONDS))
            if not only_leases:
                kills[_kill_one(of, more, chance)] += 1
        return told, receivers.got.copy(), kills, time.monotonic() - started


def _kill_one(of: Portal, more: More, chance: random.Random) -> str:
    name = chance.choice(["worker", "beat", *more.running, *(name for name in more.running if "worker" in name)])
    if name in more.running:
        more.kill(name)
    else:
        try:
            of.process(name).kill()
        except (LookupError, psutil.Error):
            return "none"  # the supervisor has not brought it back yet
    return name.split()[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--broker", default="", help="such as redis://127.0.0.1:6379/0 (default: the folder)")
    parser.add_argument("--results", type=Path, default=results_folder(quick=False))
    options = parser.parse_args()
    before = machine.describe()
    told, got, kills, seconds = run(options.seed, options.broker)
    rows = [
        {"state": state, "times received": times, "triples": count}
        for (state, times), count in sorted(
            Counter((each["state"], got[each["id"].replace("-", "")]) for each in told["deliveries"]).items()
        )
    ]
    wrong = [row for row in rows if row["times received"] != 1 and (row["state"] != "perhaps" or row["times received"])]
    wanted = report_schedules.TRIPLES
    complete = len(told["deliveries"]) == wanted and not told["unfrozen"]
    counts = [
        {"what": f"broker {'Redis' if options.broker else 'folder'}, workers", "count": WORKERS},
        {"what": "beats", "count": BEATS},
        {"what": "triples (schedule, period, recipient)", "count": wanted},
        {"what": "reports", "count": told.get("reports", 0)},
        {"what": "messages received", "count": sum(got.values())},
        {"what": "kills", "count": sum(kills.values())},
        {"what": "attempts after the first", "count": sum(max(0, e["attempts"] - 1) for e in told["deliveries"])},
        {"what": "seconds", "count": round(seconds)},
    ]
    text = "\n".join([machine_line(before), table("What ran", counts), table("Delivered", rows)])
    write(options.results, "reports", {"machine": before, "kills": kills, "counts": counts, "delivered": rows}, text)
    if wrong or not complete:
        say(f"wrong: {wrong}, complete: {complete}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
