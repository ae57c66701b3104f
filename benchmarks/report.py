"""Results: JSON for programs, the same as a table for people."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def say(text: str) -> None:
    """Progress, to standard error: standard output is the table."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def table(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows under the names of their fields; a field that a row does not have is left blank."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name, "")) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[column]) for line in cells)) for column, name in enumerate(names)]
    head = "  ".join(name.rjust(width) for name, width in zip(names, widths, strict=True))
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([title, head, "-" * len(head), *lines, ""])


def _cell(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def write(folder: Path, subject: str, raw: Mapping[str, Any], text: str) -> None:
    """Write `<date>-<subject>.json` and `.txt`; a run on the same day replaces them."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{datetime.now(UTC):%Y-%m-%d}-{subject}"
    (folder / f"{name}.json").write_text(json.dumps(raw, indent=1) + "\n")
    (folder / f"{name}.txt").write_text(text)
    print(text)
    say(f"written: {name}.json, {name}.txt")


def machine_line(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['measured_at']}  commit {machine['commit']}  {machine['cores']} x {machine['processor']}, "
        f"{machine['memory_gib']} GiB  {machine['system']}  Python {machine['python']}  "
        f"ClickHouse {machine['versions']['chdb-core']}  load before: {machine['load_before']}\n"
    )
