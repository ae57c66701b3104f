"""`python -m benchmarks [ingest] [growth] [--quick]`: measure, print tables, write raw results. See README.md."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import growth, ingest, machine, peers
from .paths import results_folder
from .report import machine_line, say, write


def _ingest(quick: bool) -> tuple[dict[str, Any], str]:
    """The portal, its engine and its peers in one run, for the ratios between them."""
    raw = ingest.measure(quick)
    raw["peers"] = peers.measure(quick)
    return raw, f"{ingest.tables(raw)}\n{peers.table_of(raw)}"


def _growth(quick: bool) -> tuple[dict[str, Any], str]:
    raw = growth.measure(quick)
    return raw, growth.tables(raw)


SUBJECTS: dict[str, Callable[[bool], tuple[dict[str, Any], str]]] = {"ingest": _ingest, "growth": _growth}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the portal on this machine.")
    parser.add_argument("subjects", nargs="*", metavar="subject", help=f"{', '.join(SUBJECTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="short runs, to see that it works; not for comparison")
    parser.add_argument("--results", type=Path, help="folder for the results")
    options = parser.parse_args()
    if unknown := set(options.subjects) - set(SUBJECTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose from {', '.join(SUBJECTS)}")
    for subject in options.subjects or SUBJECTS:
        described = machine.describe()
        if described["load_before"] > 0.7:
            say(f"The machine is busy (load {described['load_before']}): the figures will be too low.")
        raw, text = SUBJECTS[subject](options.quick)
        name = f"{subject}-quick" if options.quick else subject
        complete = {"machine": described, "quick": options.quick, **raw}
        write(options.results or results_folder(options.quick), name, complete, f"{machine_line(described)}\n{text}")


if __name__ == "__main__":
    main()
