"""`make starts`: the portal starts wherever its checkout lies and whatever locale variables a person has set.

What native code finds on the heap is a function of paths and environment: a fault that needs some pattern there shows
in one place always and in another never. So `make up` runs twice in each of ten clones of this checkout whose paths
differ in length by one, with none to nine LC_* variables. The clones share what is installed; their data is their own.
The exit code is 1 when one of the starts fails, or succeeds at its second try only.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from . import machine
from .paths import ROOT, free_ports, results_folder, scratch_folder
from .portal import FOREIGN, PORTS
from .report import machine_line, say, table, write

START_SECONDS = 600
STOP_SECONDS = 30
CLONES = 10
# In the order in which they are set. https://www.gnu.org/software/gettext/manual/html_node/Locale-Environment-Variables.html
LOCALE_VARIABLES = (
    *("LC_TIME", "LC_MONETARY", "LC_NUMERIC", "LC_PAPER", "LC_NAME", "LC_ADDRESS"),
    *("LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION"),
)
# Files that make compares with what is installed; the clones have the installation of this checkout.
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "package.json", "package-lock.json")


def clone(folder: Path) -> None:
    """Clone this checkout's commit into `folder`, with what is installed here."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    for installed in (".venv", "node_modules"):
        (folder / installed).symlink_to((ROOT / installed).resolve())
    for name in REQUIREMENTS:
        os.utime(folder / name, (0, 0))


def environment(locales: int, ports: dict[str, str]) -> dict[str, str]:
    """This process's environment, with so many LC_* variables and nothing that is meant for another portal."""
    foreign = {*FOREIGN, "PORTAL_VAR", "PORTAL_DOTENV", "DJANGO_SETTINGS_MODULE", "VIRTUAL_ENV"}
    base = {name: value for name, value in os.environ.items() if name not in foreign and not name.startswith("LC_")}
    return base | ports | dict.fromkeys(LOCALE_VARIABLES[:locales], "de_DE.UTF-8")


def start(folder: Path, variables: dict[str, str]) -> dict[str, Any]:
    """`make up` until the portal is ready, then Ctrl-C; what came of it."""
    log_file = folder / "up.log"
    started = time.monotonic()
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            ["make", "up", "DEMO=0"],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while "AgentOps Portal is ready" not in (text := log_file.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() - started > START_SECONDS:
            break
        time.sleep(0.1)
    seconds = time.monotonic() - started
    outcome = _answer(variables["PORTAL_PORT"]) if "AgentOps Portal is ready" in text else _fault(text)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(STOP_SECONDS)
    return {"seconds": seconds, "outcome": outcome, "tried_again": text.count("; it is tried again")}


def _answer(port: str) -> str:
    answer = httpx.get(f"http://127.0.0.1:{port}/ready", timeout=30, trust_env=False)
    return "started" if answer.status_code == 200 else f"/ready answers {answer.status_code}: {answer.text[:200]}"


def _fault(text: str) -> str:
    found = re.search(r"^\w+ (?:ended|was not ready) .*$", text, re.MULTILINE)
    return found[0] if found else (text.strip().splitlines() or ["nothing was logged"])[-1]


def measure(clones: int) -> list[dict[str, Any]]:
    """One row for each start."""
    rows = []
    with scratch_folder("starts") as scratch:
        for number in range(clones):
            folder = scratch / f"clone-{'x' * (number + 1)}"
            clone(folder)
            ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
            locales = number % (len(LOCALE_VARIABLES) + 1)
            variables = environment(locales, ports)
            for attempt in (1, 2):
                row = {"clone": number + 1, "path_length": len(str(folder)), "LC_*": locales, "start": attempt}
                rows.append(row | start(folder, variables))
                say(f"clone {number + 1} of {clones}, start {attempt}: {rows[-1]['outcome']}")
            shutil.rmtree(folder)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starts", description=__doc__)
    parser.add_argument("--clones", type=int, default=CLONES, help=f"how many clones, {CLONES} unless given")
    parser.add_argument("--quick", action="store_true", help="two clones; the result stays out of the repository")
    options = parser.parse_args()
    about = machine.describe()
    rows = measure(2 if options.quick else options.clones)
    failed = [row for row in rows if row["outcome"] != "started" or row["tried_again"]]
    verdict = f"{len(rows) - len(failed)} of {len(rows)} starts succeeded at once\n"
    text = table(f"Starts\n{machine_line(about)}", rows) + verdict
    write(results_folder(options.quick), "starts", {"machine": about, "starts": rows}, text)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
