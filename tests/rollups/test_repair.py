"""Roll-ups that miss spans, as they do when ClickHouse is killed in the middle of an insert, are made whole."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connections

from agentops_portal.clickhouse.gate import Scope
from tests.pages.spans import Spanlet, request_of, store_trace
from tests.receiver import entry_of
from traces.ingest.inbox import spans as store
from traces.ingest.inbox.envelope import envelopes
from traces.store.queries.filters import TraceFilter
from traces.store.queries.trace_list import totals
from traces.store.rollups import rebuild as rollups
from traces.store.rollups.doubles import remove_doubles
from traces.store.rollups.repair import repair, wrong_days
from traces.tasks import repair_rollups

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store")]

DAYS_AGO = 400  # a day of which no other test has spans
MOMENT = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=DAYS_AGO)


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "IN_FLIGHT", timedelta(0))


def stored(project_id: UUID) -> Scope:
    spans = [Spanlet("root"), Spanlet("child", id=2, parent=1)]
    store_trace(project_id, spans, number=time.time_ns(), start_ns=int(MOMENT.timestamp()) * 10**9)
    return Scope(project_id, MOMENT - timedelta(hours=1), MOMENT + timedelta(hours=1))


def roots_in_usage(project_id: UUID) -> int:
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute("SELECT sumIf(spans, is_root) FROM usage_quarters WHERE project_id = %s", [str(project_id)])
        [(count,)] = cursor.fetchall()
    return int(count)


def lose(table: str, project_id: UUID) -> None:
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE project_id = %s", [str(project_id)])


@pytest.mark.parametrize("table", ["trace_summaries", "usage_quarters"])
def test_a_day_that_misses_spans_is_found_and_computed_anew(table: str, project_id: UUID) -> None:
    scope = stored(project_id)
    lose(table, project_id)
    assert MOMENT.date() in wrong_days(connections["clickhouse"], datetime.now(UTC).date())

    repair_rollups()

    assert totals(scope, TraceFilter()).spans == 2
    assert roots_in_usage(project_id) == 1
    assert MOMENT.date() not in wrong_days(connections["clickhouse"], datetime.now(UTC).date())


@pytest.mark.parametrize("table", ["trace_summaries", "usage_quarters"])
def test_a_day_that_holds_spans_too_many_is_computed_anew_as_well(table: str, project_id: UUID) -> None:
    scope = stored(project_id)
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} SELECT * FROM {table} WHERE project_id = %s", [str(project_id)])
    assert MOMENT.date() in wrong_days(connections["clickhouse"], datetime.now(UTC).date())

    repair_rollups()

    assert totals(scope, TraceFilter()).spans == 2
    assert roots_in_usage(project_id) == 1
    assert MOMENT.date() not in wrong_days(connections["clickhouse"], datetime.now(UTC).date())


def test_a_whole_day_is_left_alone_and_the_running_one_too(project_id: UUID) -> None:
    stored(project_id)

    assert repair(connections["clickhouse"], MOMENT) == []
    assert MOMENT.date() not in wrong_days(connections["clickhouse"], datetime.now(UTC).date())


def test_a_span_that_two_receivers_stored_at_the_same_moment_counts_once_after_the_night(project_id: UUID) -> None:
    scope = stored(project_id)
    entry = entry_of(
        project_id, request_of({1: [Spanlet("one", id=3)]}, int(MOMENT.timestamp()) * 10**9).SerializeToString()
    )
    for _ in range(2):
        store.insert(envelopes(entry.body, project_id, entry.digest))  # neither saw the other's
        time.sleep(0.01)
    assert totals(scope, TraceFilter()).spans == 4

    repair_rollups()

    assert totals(scope, TraceFilter()).spans == 3
    assert roots_in_usage(project_id) == 2
    assert remove_doubles(connections["clickhouse"], datetime.now(UTC).date()) == 0
