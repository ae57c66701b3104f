"""Spans at and around the border of what is kept, and counts of what every table holds."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from django.db import connections

from projects.models import Organization, Project
from tests.pages.spans import Spanlet, Value, request_of, store
from tests.services import free_ports
from traces.lifecycle.retention import run
from traces.lifecycle.retention.tables import KEPT
from traces.store.rollups import rebuild as rollups
from traces.store.schema.tables import SPANS, UNREADABLE

# The clock of these tests: nothing else in the suite stores spans of that time.
NOW = datetime(2031, 5, 10, 14, 30, tzinfo=UTC)
MIDNIGHT = datetime(2031, 5, 10, tzinfo=UTC)
CALL: dict[str, Value] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.usage.total_cost": 0.25,
}
GUARD: dict[str, Value] = {"guard.name": "pii", "guard.phase": "input", "guard.action": "allow", "guard.denied": False}

Counts = Callable[[Project], dict[str, int]]
Away = Callable[[], AbstractContextManager[None]]


def ns(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1000


def store_at(project: Project, number: int, moment: datetime) -> None:
    """A trace of a root, a call and a guardrail run that starts at `moment`."""
    spans = [
        Spanlet("root"),
        Spanlet("chat", 2, 1, 1, 5, attributes={**CALL, "user.id": f"user-{number}"}),
        Spanlet("check", 3, 1, 6, 7, attributes=GUARD),
    ]
    store(project.pk, request_of({number: spans}, ns(moment)))


def put_unreadable(project_id: UUID, moment: datetime, body: str = "78") -> None:
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {UNREADABLE} (received_at, project_id, key_id, digest, spans, body, reason) "
            f"SELECT fromUnixTimestamp64Milli({ns(moment) // 10**6}), '{project_id}', '{project_id}', "
            f"unhex('00'), 1, unhex('{body}'), 'broken'"
        )


@pytest.fixture
def project(db: None) -> Project:
    return Project.objects.create(organization=Organization.objects.create(name="Acme"), name="Support")


@pytest.fixture
def other(project: Project) -> Project:
    return Project.objects.create(organization=project.organization, name="Sales")


@pytest.fixture
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored a moment ago counts as stored long ago."""
    monkeypatch.setattr(rollups, "IN_FLIGHT", timedelta(0))


@pytest.fixture
def counts() -> Counts:
    """Rows by table, those of the summaries and of usage as the spans that they stand for."""

    def count(project: Project) -> dict[str, int]:
        found = {}
        with connections["clickhouse"].cursor() as cursor:
            for table in KEPT:
                wanted = "sum(spans)" if table.name in ("trace_summaries", "usage_quarters") else "count()"
                cursor.execute(f"SELECT {wanted} FROM {table.name} WHERE project_id = '{project.pk}'")
                found[table.name] = int(cursor.fetchone()[0])
        assert found["trace_summaries"] == found["usage_quarters"] == found[SPANS]
        return found

    return count


@pytest.fixture
def clickhouse_away(monkeypatch: pytest.MonkeyPatch) -> Away:
    """For runs, for real: the connection points at a port where nobody listens. A copy: this test's is in use."""

    @contextmanager
    def away() -> Iterator[None]:
        lost = connections["clickhouse"].copy()
        lost.settings_dict["PORT"] = str(free_ports(1)[0])
        with monkeypatch.context() as patch:
            patch.setattr(run, "connections", {"clickhouse": lost})
            patch.setitem(connections["clickhouse"].settings_dict, "PORT", lost.settings_dict["PORT"])
            yield

    return away
