"""`python -m benchmarks.policies`: how long a minute of 1,000 policies takes.

A hundred projects with ten policies each, one of every kind and a budget by model, and traces of the last day. In the
first minute incidents open, in the others they go on. The exit code is 1 when a minute takes more than 5 s.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import machine
from .paths import ROOT, results_folder
from .policy_minutes import MOST_SECONDS
from .portal import FOREIGN, Portal, portal
from .report import machine_line, table, write


def measure() -> dict[str, Any]:
    with portal("policies", LOG_LEVEL="error") as of:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.policy_minutes"],
            cwd=ROOT,
            env=_environment(of),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _environment(of: Portal) -> dict[str, str]:
    own = {name: str(port) for name, port in of.ports.items()}
    folders = {"PORTAL_VAR": str(of.folder / "var"), "PORTAL_DOTENV": str(of.folder / ".env")}
    settings = {"DJANGO_SETTINGS_MODULE": "agentops_portal.settings", "LOG_LEVEL": "error"}
    return {name: value for name, value in os.environ.items() if name not in FOREIGN} | own | folders | settings


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--results", type=Path, default=results_folder(quick=False))
    options = parser.parse_args()
    before = machine.describe()
    told = measure()
    counts = [{"what": name, "count": told[name]} for name in ("policies", "projects", "spans", "incidents")]
    rows = [
        {"minute": number + 1, "seconds": round(seconds, 2), "questions": told["questions"][number]}
        for number, seconds in enumerate(told["seconds"])
    ]
    text = "\n".join([machine_line(before), table("What was evaluated", counts), table("Minutes", rows)])
    write(options.results, "policies", {"machine": before, **told}, text)
    return int(max(told["seconds"]) > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
