"""The table of docs/clients.md, out of what the recorded clients told (test_clients.py, tests/rollups). To write it
anew: `python -m tests.dialects.client_table`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.dialects.test_clients import LAYERED, RIGHT
from tests.dialects.test_clients import Told as Calls
from tests.receiver import PAYLOADS
from tests.rollups.test_recorded_clients import BODIES
from tests.rollups.test_recorded_clients import Told as Others

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
_TABLE = re.compile(r"(?<=<!-- the table -->\n).*(?=<!-- its end -->)", re.DOTALL)
_HEAD = "| client | calls | tokens | cost | agents | sessions, users | guardrails | failed traces |"
_KINDS = {"cached": "cache read", "written": "cache write", "reasoning": "reasoning"}
# Failed sessions of the agentops SDK: one way to fail each, and nothing else.
_PARTS_OF_ONE = re.compile("ao-end-")


def clients() -> Iterator[tuple[list[str], str]]:
    """Names of the files of a client, and what it is, from the list beside the files."""
    for line in (PAYLOADS / "clients" / "README.md").read_text().splitlines():
        if found := re.fullmatch(r"\| (`.+) \| (.+) \|", line):
            names, said = found.groups()
            yield re.findall(r"`([a-z0-9-]+)\*?`", names), said


def rows() -> Iterator[str]:
    for names, said in clients():
        whats = said.split(" · ")
        for name, what in zip(names, whats, strict=False):
            if not _PARTS_OF_ONE.match(name):
                base = whats[0].split(" + ")[0] if what.startswith(("+", "and ", "with ", "three ")) else ""
                yield row(f"{base} {what}".strip(), (RIGHT | LAYERED)[name], BODIES.get(name), name)


def row(client: str, calls: Calls, others: Others | None, name: str) -> str:
    cells = [
        client,
        "right" if calls.done or calls.failed else "not told",
        tokens(calls),
        "reported" if calls.cost != "0" else "not told",
        *(rest(others) if others or name not in LAYERED else ["–"] * 4),
    ]
    return f"| {' | '.join(cells)} |"


def rest(others: Others | None) -> list[str]:
    told = others or Others()
    return [
        "right" if told.agents else "not told",
        people(told),
        ", ".join(sorted({outcome for _, outcome in told.runs})) or "not told",
        "right" if told.failed else "none was sent",
    ]


def tokens(calls: Calls) -> str:
    if not calls.input:
        return "not told"
    return ", ".join(["input, output", *(word for kind, word in _KINDS.items() if getattr(calls, kind))])


def people(others: Others) -> str:
    told: Mapping[str, bool] = {"session": bool(others.sessions), "user": bool(others.users), "tags": bool(others.tags)}
    return ", ".join(word for word, is_told in told.items() if is_told) or "not told"


def table() -> str:
    return "\n".join([_HEAD, "|---|---|---|---|---|---|---|---|", *rows(), ""])


def page() -> str:
    return _TABLE.sub(lambda _: table(), PAGE.read_text())


if __name__ == "__main__":
    PAGE.write_text(page())
