"""The rules and limits of a project, kept ready by each process: a change acts within two seconds.

One question a second, beside the requests, tells whether any rule or limit of the portal has changed. Only then are
they asked for again, by the project that needs them next.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from django.db import DEFAULT_DB_ALIAS, Error, OperationalError, connections

from projects.models import Project

from .content import Compiled
from .counting.own_connection import own_cursor
from .models import Limit, Rule

log = structlog.get_logger(__name__)

ASK_AFTER: Final = 1.0
OLD_AFTER: Final = 2.0  # the first request after a pause waits for the answer
OUTAGE_SECONDS: Final = 600.0  # how long the last known ones count while PostgreSQL is away
MOST_PROJECTS: Final = 1_000
# xmin is another after each change of a row, however it was made.
VERSION: Final = """
SELECT md5(string_agg(found.id || found.xmin, ',' ORDER BY found.id)) FROM (
    SELECT id::text AS id, xmin::text AS xmin FROM guardrails_rule
    UNION ALL SELECT id::text, xmin::text FROM guardrails_limit
) AS found
"""


class RulesUnknown(Exception):
    """PostgreSQL is away and the rules of the project were not asked for lately."""


@dataclass(frozen=True)
class InForce:
    rules: tuple[Compiled, ...]
    limits: tuple[Limit, ...]
    version: str


class _Version:
    """Which version of all rules and limits is the newest, as far as this process knows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rules")
        self._is_asked = False
        self.forget()

    def forget(self) -> None:
        self._version = ""
        self._asked_at = self._asks_again_at = float("-inf")

    @property
    def age(self) -> float:
        return time.monotonic() - self._asked_at

    def newest(self) -> str:
        """Raises Error when it has to be asked for and PostgreSQL does not answer. Then nobody asks for a second."""
        if self.age >= OLD_AFTER:
            with self._lock:
                if time.monotonic() < self._asks_again_at:
                    raise OperationalError("PostgreSQL did not answer a moment ago")
                if self.age >= OLD_AFTER:
                    self._ask()
        elif self.age >= ASK_AFTER and not self._is_asked:
            self._is_asked = True
            self._beside.submit(self._ask_beside)
        return self._version

    def _ask(self) -> None:
        now = time.monotonic()
        try:
            with own_cursor() as cursor:
                (version,) = cursor.execute(VERSION).fetchone()
        except Error:
            self._asks_again_at = time.monotonic() + ASK_AFTER
            raise
        self._version, self._asked_at = version or "none", now

    def _ask_beside(self) -> None:
        try:
            with self._lock:
                self._ask()
        except Error as error:
            log.warning("rules may be old", error=type(error).__name__)
        finally:
            self._is_asked = False


_version = _Version()
_known: dict[UUID, InForce] = {}
_lock = threading.Lock()


def forget() -> None:
    with _lock:
        _known.clear()
        _version.forget()


def in_force(project_id: UUID) -> InForce:
    """Raises RulesUnknown."""
    known = _known.get(project_id)
    try:
        version = _version.newest()
        if known and known.version == version:
            return known
        found = _ask(project_id, known, version)
    except Error as error:
        log.warning("rules are not known", error=type(error).__name__)
        if known and _version.age < OUTAGE_SECONDS:
            return known
        raise RulesUnknown from error
    with _lock:
        if len(_known) >= MOST_PROJECTS:
            _known.clear()
        _known[project_id] = found
    return found


def _ask(project_id: UUID, known: InForce | None, version: str) -> InForce:
    """The version was asked for before: what changes meanwhile makes another one."""
    before = {each.rule.pk: each for each in known.rules} if known else {}
    try:
        project = Project.objects.only("organization_id").get(pk=project_id)
        rules = tuple(
            same if (same := before.get(rule.pk)) and same.rule.updated_at == rule.updated_at else Compiled.of(rule)
            for rule in Rule.objects.in_force(project)
        )
        return InForce(rules, tuple(Limit.objects.in_force(project)), version)
    finally:
        connection = connections[DEFAULT_DB_ALIAS]
        if not connection.in_atomic_block:
            connection.close()  # back to the pool: no request of Django's may end here
