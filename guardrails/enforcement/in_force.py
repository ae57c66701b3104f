"""The rules and limits of a project, kept for a moment by each process: a change acts within two seconds."""

import threading
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from django.db import Error

from projects.models import Project

from .content import Compiled
from .models import Limit, Rule

log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 2.0
OUTAGE_SECONDS: Final = 600.0  # how long the last known ones count while PostgreSQL is away
MOST_PROJECTS: Final = 1_000


class RulesUnknown(Exception):
    """PostgreSQL is away and the rules of the project were not asked for lately."""


@dataclass(frozen=True)
class InForce:
    rules: tuple[Compiled, ...]
    limits: tuple[Limit, ...]
    asked_at: float  # time.monotonic()


_known: dict[UUID, InForce] = {}
_lock = threading.Lock()


def forget() -> None:
    with _lock:
        _known.clear()


def in_force(project_id: UUID) -> InForce:
    """Raises RulesUnknown."""
    known = _known.get(project_id)
    age = time.monotonic() - known.asked_at if known else OUTAGE_SECONDS
    if known and age < FRESH_SECONDS:
        return known
    try:
        found = _ask(project_id, known)
    except Error as error:
        log.warning("rules are not known", error=type(error).__name__)
        if known and age < OUTAGE_SECONDS:
            return known
        raise RulesUnknown from error
    with _lock:
        if len(_known) >= MOST_PROJECTS:
            _known.clear()
        _known[project_id] = found
    return found


def _ask(project_id: UUID, known: InForce | None) -> InForce:
    before = {each.rule.pk: each for each in known.rules} if known else {}
    now = time.monotonic()
    project = Project.objects.only("organization_id").get(pk=project_id)
    rules = tuple(
        same if (same := before.get(rule.pk)) and same.rule.updated_at == rule.updated_at else Compiled.of(rule)
        for rule in Rule.objects.in_force(project)
    )
    return InForce(rules, tuple(Limit.objects.in_force(project)), now)
