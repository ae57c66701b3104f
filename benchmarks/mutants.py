"""`make mutants`: small faults are put into code whose faults are dear, one at a time, and its tests must fail.

The tools that are kept well (mutmut, cosmic-ray) change operators of Python. Here much of what can be wrong is SQL in
constants, which they leave alone; so this looks at the tokens of both. The code is changed in a copy of the checkout.
The exit code is 1 when the tests pass with a fault: then a test is missing, or the code does nothing.
"""

import argparse
import io
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from .paths import ROOT
from .report import say

# Code → the tests that hold it.
SUBJECTS = {
    "traces/store/figures.py": ("tests/rollups/test_trace_summaries.py", "tests/rollups/test_usage.py"),
    "traces/store/queries/filters.py": ("tests/rollups/test_filters.py", "tests/pages/test_trace_filter.py"),
    "traces/live/access.py": ("tests/api/monitoring/test_live_access.py",),
    "agentops_portal/origins.py": ("tests/test_origins.py",),
    "projects/access.py": ("tests/api/test_access_table.py", "tests/projects"),
    "traces/ingest/otlp/rate.py": ("tests/otlp/test_rate.py", "tests/otlp/test_limits.py"),
    "traces/store/dialects": ("tests/dialects",),
}
BOTH_WAYS = "== !=, < <=, > >=, + -, * /, and or, True False, min max, any all, -= +="
PYTHON = {"not": ""} | {old: new for pair in BOTH_WAYS.split(", ") for old, new in (pair.split(), pair.split()[::-1])}
SQL = {" AND ": " OR ", " OR ": " AND ", "NOT ": "", " = ": " != ", " != ": " = ", " < ": " <= ", " >= ": " > "} | {
    "isNotNull": "isNull",
    "greatest": "least",
    "min": "max",
    "max": "min",
    "sum": "max",
}
IN_SQL = "|".join(rf"\b{word}\b" if word.isalpha() else re.escape(word) for word in SQL)
STRINGS = (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", None))  # the latter since Python 3.12
DOCUMENTATION = re.compile(r'\s*"""')
SECONDS = 900
LEFT_OUT = (".git", ".venv", "node_modules", "var", ".pytest_cache", ".mypy_cache", ".ruff_cache", "__pycache__")


@dataclass(frozen=True)
class Mutant:
    path: str
    start: int
    old: str
    new: str

    def applied(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.start + len(self.old) :]

    def described(self, text: str) -> str:
        line = text.count("\n", 0, self.start)
        change = f"{self.old.strip()} → {self.new.strip() or 'nothing'}"
        return f"{self.path}:{line + 1}: {change}: {text.splitlines()[line].strip()}"


def mutants_of(path: str, text: str) -> Iterator[Mutant]:
    """Every change of one token after which it still is Python; of documentation none."""
    for place, old, new in _changes(text):
        mutant = Mutant(path, place, old, new)
        with suppress(SyntaxError):
            compile(mutant.applied(text), path, "exec")
            yield mutant


def _changes(text: str) -> Iterator[tuple[int, str, str]]:
    """Place, old and new text."""
    lines = [0, *accumulate(map(len, text.splitlines(keepends=True)))]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        start = lines[token.start[0] - 1] + token.start[1]
        if token.type in (tokenize.OP, tokenize.NAME) and token.string in PYTHON:
            yield start, token.string, PYTHON[token.string]
        elif token.type in STRINGS and not DOCUMENTATION.match(token.line):
            for found in re.finditer(IN_SQL, token.string):
                yield start + found.start(), found[0], SQL[found[0]]


def survives(folder: Path, mutant: Mutant, tests: tuple[str, ...]) -> bool:
    file = folder / mutant.path
    text = file.read_text()
    file.write_text(mutant.applied(text))
    try:
        return _passes(folder, tests)
    finally:
        file.write_text(text)


def _passes(folder: Path, tests: tuple[str, ...]) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", *tests]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def files_of(subject: str) -> list[str]:
    path = ROOT / subject
    return sorted(str(each.relative_to(ROOT)) for each in (path.glob("*.py") if path.is_dir() else [path]))


def hunt(folder: Path, subject: str, most: int, seed: int) -> list[str]:
    """The survivors among `most` mutants of a subject, chosen by `seed`."""
    tests = SUBJECTS[subject]
    if not _passes(folder, tests):
        return [f"{subject}: its tests fail as it is"]
    texts = {path: (ROOT / path).read_text() for path in files_of(subject)}
    every = [mutant for path, text in texts.items() for mutant in mutants_of(path, text)]
    chosen = random.Random(seed).sample(every, min(most, len(every)))
    say(f"{subject}: {len(chosen)} of {len(every)} mutants")
    found = []
    for mutant in chosen:
        if survives(folder, mutant, tests):
            found.append(mutant.described(texts[mutant.path]))
            say(f"  survives: {found[-1]}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="subject", help=f"of {', '.join(SUBJECTS)}; all unless named")
    parser.add_argument("--most", type=int, default=10, help="mutants of each subject (10)")
    parser.add_argument("--seed", type=int, default=0, help="which ones")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name) / "portal"
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for shared in ("node_modules", ".venv"):
            (folder / shared).symlink_to(ROOT / shared)
        survivors = [
            each
            for subject in options.subjects or SUBJECTS
            for each in hunt(folder, subject, options.most, options.seed)
        ]
    say("\n".join(survivors) or "Every fault was noticed.")
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main()
