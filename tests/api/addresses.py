"""The portal's addresses: those of the URLconf, and the lines of access.txt that say who may use them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from .world import ACTORS

TABLE = Path(__file__).with_name("access.txt")
# Addresses of these begin with both names, and both answer the same.
ALIASES = {"{monitoring}": ("/api/monitoring", "/api/agentops"), "{registry}": ("/agents", "/api/agents")}


@dataclass(frozen=True)
class Line:
    """One line of the table: a request, and the status that each of ACTORS gets."""

    method: str
    address: str  # with {placeholders}
    statuses: tuple[int, ...]
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.address}"

    def filled(self, values: dict[str, str]) -> tuple[str, Any]:
        """Address and body, the placeholders replaced."""
        body = None if self.body is None else json.loads(_fill(json.dumps(self.body), values))
        return _fill(self.address, values), body


def lines() -> list[Line]:
    found: list[Line] = []
    for text in TABLE.read_text(encoding="utf-8").splitlines():
        if text.strip() and not text.startswith("#"):
            found += _read(text)
    return found


def _read(text: str) -> Iterator[Line]:
    request, _, body = text.partition(" <- ")
    method, address, *statuses = request.split()
    if len(statuses) == 1:
        statuses *= len(ACTORS)
    assert len(statuses) == len(ACTORS), f"{len(ACTORS)} statuses, or one for all: {text}"
    for name, prefixes in ALIASES.items():
        if address.startswith(name):
            addresses = [address.replace(name, prefix) for prefix in prefixes]
            break
    else:
        addresses = [address]
    for each in addresses:
        yield Line(method, each, tuple(map(int, statuses)), json.loads(body) if body else None)


def _fill(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), text)


def routes() -> set[str]:
    """Every route of the URLconf but the admin's, as ResolverMatch.route says it."""
    return {route for route in _routes(get_resolver().url_patterns, "") if not route.startswith("admin/")}


def _routes(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for each in patterns:
        route = f"{prefix}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from _routes(each.url_patterns, route)
        else:
            yield route
