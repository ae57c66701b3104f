"""Roll-ups that are computed anew from the spans say what those said that every insert filled."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from agentops_portal.clickhouse.gate import Scope
from tests.pages.spans import recorded
from traces.store.queries.filters import TraceFilter
from traces.store.queries.guardrails import guarded_traces, guardrail_runs, guardrail_use
from traces.store.queries.trace_list import totals, trace_page
from traces.store.queries.usage import usage_by, usage_over_time, usage_total
from traces.store.rollups import rebuild as rollups
from traces.store.rollups.all import ROLLUPS
from traces.store.rollups.rollup import Rollup

from .arrivals import send, spread_over_days

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

Sql = Callable[..., list[tuple[object, ...]]]
RECORDED = datetime(2026, 11, 23, tzinfo=UTC)
NEXT = RECORDED + timedelta(days=1)


@pytest.fixture
def stored(project_id: UUID) -> UUID:
    send(project_id, recorded("litellm-1.106.2-mixed"), seed=2)
    return project_id


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored a moment ago counts as stored long ago."""
    monkeypatch.setattr(rollups, "IN_FLIGHT", timedelta(0))


def figures(project_id: UUID, since: datetime = RECORDED, until: datetime = NEXT) -> dict[str, object]:
    scope = Scope(project_id, since, until)
    return {
        "page": trace_page(scope, TraceFilter(), None),
        "totals": totals(scope, TraceFilter()),
        "usage": usage_total(scope),
        "models": usage_by(scope, "model"),
        "days": usage_over_time(scope, "day", ZoneInfo("Asia/Seoul")),
        "guardrails": guardrail_use(scope),
        "runs": [(run.start_ns, run.guardrail, run.mode, run.outcome) for run in guardrail_runs(scope)],
        "guarded": guarded_traces(scope),
    }


def rebuild(since: datetime = RECORDED, until: datetime = NEXT) -> int:
    return rollups.rebuild(connections["clickhouse"], since.date(), until.date())


def test_computing_them_anew_changes_nothing(stored: UUID, settled: None) -> None:
    before = figures(stored)

    assert rebuild() == 1

    assert figures(stored) == before


def test_days_that_follow_one_another_are_computed_together(
    project_id: UUID, settled: None, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "STRETCH", 2)
    send(project_id, spread_over_days(recorded("litellm-1.106.2-mixed"), seed=1), seed=2)
    since, until = RECORDED - timedelta(days=2), NEXT + timedelta(days=2)
    before = figures(project_id, since, until)
    for rollup in ROLLUPS:
        sql(f"DELETE FROM {rollup.table} WHERE project_id = '{project_id}'")

    assert rebuild(since, until) == 5

    assert figures(project_id, since, until) == before


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.table)
def test_rows_that_a_crash_lost_come_back(stored: UUID, settled: None, sql: Sql, rollup: Rollup) -> None:
    before = figures(stored)
    sql(f"DELETE FROM {rollup.table} WHERE project_id = '{stored}'")
    assert figures(stored) != before

    rebuild()

    assert figures(stored) == before


def test_rows_that_were_counted_twice_are_counted_once(stored: UUID, settled: None, sql: Sql) -> None:
    before = figures(stored)
    for rollup in ROLLUPS:
        columns = ", ".join([*rollup.keys, *rollup.values])
        sql(
            f"INSERT INTO {rollup.table} ({columns}) SELECT {columns} FROM {rollup.table} WHERE project_id = '{stored}'"
        )
    assert figures(stored) != before

    rebuild()

    assert figures(stored) == before


def test_other_days_are_left_alone(stored: UUID, settled: None, sql: Sql) -> None:
    before = figures(stored)
    for rollup in ROLLUPS:
        sql(f"DELETE FROM {rollup.table} WHERE project_id = '{stored}'")

    rebuild(since=NEXT, until=NEXT + timedelta(days=1))
    assert figures(stored) != before

    rebuild()
    assert figures(stored) == before


def test_days_that_still_receive_spans_are_named(stored: UUID) -> None:
    before = figures(stored)

    with pytest.raises(rollups.StillReceiving, match="2026-11-23") as raised:
        rebuild()

    assert date(2026, 11, 23) in raised.value.days
    assert figures(stored) == before


def test_the_command_says_how_many_days_it_computed(stored: UUID, settled: None) -> None:
    out = StringIO()

    call_command("rebuild_rollups", "--since", "2026-11-23", "--until", "2026-11-24", stdout=out)

    assert out.getvalue() == "Rebuilt the roll-ups of 1 days.\n"
    with pytest.raises(CommandError, match="--until must come after --since"):
        call_command("rebuild_rollups", "--since", "2026-11-24", "--until", "2026-11-24")
