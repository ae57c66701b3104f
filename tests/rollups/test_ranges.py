"""A trace is in every range that it overlaps: lists, sums, exports and usage speak of the same traces."""

import json
from collections.abc import Callable
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from agentops_portal.clickhouse.gate import Scope, select
from agentops_portal.units import NS_OF_HOUR, datetime_of
from tests.pages.spans import Spanlet, Value, request_of, store, trace_id
from traces.reading.export import export_traces
from traces.store.queries import usage
from traces.store.queries.filters import TraceFilter
from traces.store.queries.people import sessions
from traces.store.queries.scopes import whole_time
from traces.store.queries.summaries import traces_sql
from traces.store.queries.trace_list import Cursor, totals, trace_page
from traces.store.queries.trace_metrics import trace_sums, trace_trend
from traces.store.queries.trace_table import trace_table

from .arrivals import DAY_NS

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

NOW = 20_000 * DAY_NS + 9 * NS_OF_HOUR  # a morning
HOUR = 3_600_000  # milliseconds, the unit of a Spanlet
ERROR = 2
CALL: dict[str, Value] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 777,
}
SESSION: dict[str, Value] = {"session.id": "s1"}


def last(hours: float, project_id: UUID, until: int = NOW) -> Scope:
    return Scope(project_id, datetime_of(until - int(hours * NS_OF_HOUR)), datetime_of(until))


def ids(project_id: UUID, scope: Scope, wanted: TraceFilter = TraceFilter()) -> list[int]:  # noqa: B008
    """The numbers of the listed traces, page by page."""
    found: list[int] = []
    cursor: Cursor | None = None
    while True:
        page = trace_page(scope, wanted, cursor, size=1)
        found += [int(trace.trace_id, 16) for trace in page.traces]
        cursor = page.next_cursor
        if cursor is None:
            return found


def exported(scope: Scope) -> set[int]:
    text = b"".join(export_traces(scope, TraceFilter(), "jsonl", spans=False)).decode()
    return {int(json.loads(line)["trace_id"], 16) for line in text.splitlines()}


@pytest.fixture
def long_and_short(project_id: UUID) -> UUID:
    """Seven traces around the last hour."""
    hours = {
        # a root that began 25 hours ago and failed a minute ago, with a call ten minutes ago: rows on two days
        1: [
            Spanlet("run", 1, start=-25 * HOUR, end=-HOUR / 60, status=ERROR, attributes=SESSION),
            Spanlet("chat", 2, 1, start=-HOUR / 6, end=-HOUR / 7, attributes=CALL),
        ],
        2: [Spanlet("one long span", 1, start=-60 * HOUR, end=-HOUR / 2)],  # one row, of the day before yesterday
        3: [Spanlet("in the hour", 1, start=-HOUR / 2, end=-HOUR / 3)],
        4: [Spanlet("over before", 1, start=-3 * HOUR, end=-2 * HOUR)],
        5: [Spanlet("not over", 1, start=-2 * HOUR, end=5 * HOUR)],
        6: [Spanlet("later", 1, start=HOUR, end=2 * HOUR)],
        # work of yesterday and of this hour, and nothing that lasted between
        7: [
            Spanlet("first", 1, start=-20 * HOUR, end=-19 * HOUR),
            Spanlet("second", 2, 1, start=-HOUR / 4, end=-HOUR / 5),
        ],
    }
    for number, spanlets in hours.items():
        for spanlet in reversed(spanlets):
            store(project_id, request_of({number: [spanlet]}, NOW))
    return project_id


def test_a_trace_is_in_every_range_that_it_overlaps(long_and_short: UUID, sql: Callable[..., object]) -> None:
    project_id = long_and_short
    scope = last(1, project_id)

    assert ids(project_id, scope) == [3, 5, 7, 1, 2]
    assert ids(project_id, scope, TraceFilter(status="error")) == [1]
    assert ids(project_id, scope, TraceFilter(text="long")) == [2]
    assert exported(scope) == {1, 2, 3, 5, 7}
    assert totals(scope, TraceFilter()).traces == trace_sums(scope)[0].traces == 5
    assert totals(scope, TraceFilter()).total_tokens == usage.usage_total(scope).total_tokens == 777
    by_end = trace_table(scope, TraceFilter(), order="end", descending=True, limit=3, offset=1)
    assert [trace.trace_id for trace in by_end] == [trace_id(number) for number in (1, 7, 3)]
    [session] = sessions(scope, "", None, 10)
    assert (session.id, session.traces, session.error_traces) == ("s1", 1, 1)
    trend = trace_trend(scope, "hour", ZoneInfo("UTC"))
    assert sum(sums.traces for sums in trend.values()) == 5  # what began before counts where the range does

    assert ids(project_id, last(24, project_id)) == [3, 5, 4, 7, 1, 2]
    assert ids(project_id, last(24, project_id), TraceFilter(text="run")) == [1]
    assert ids(project_id, last(1, project_id, until=NOW - 2 * NS_OF_HOUR)) == [4, 7, 1, 2]
    assert ids(project_id, last(1, project_id, until=NOW - 40 * NS_OF_HOUR)) == [2]
    assert ids(project_id, last(1, project_id, until=NOW + 9 * NS_OF_HOUR)) == []
    assert ids(project_id, whole_time(project_id)) == [6, 3, 5, 4, 7, 1, 2]

    sql("OPTIMIZE TABLE trace_summaries FINAL")
    assert ids(project_id, scope) == [3, 5, 7, 1, 2]


def test_rows_of_days_before_the_range_are_skipped_by_the_index(project_id: UUID) -> None:
    traces = {number: [Spanlet("old", 1, end=1)] for number in range(1, 3001)}
    store(project_id, request_of(traces, NOW - 3 * DAY_NS))
    store(project_id, request_of({5000: [Spanlet("now", 1)]}, NOW - NS_OF_HOUR // 2))
    scope = last(1, project_id)
    source = traces_sql(scope, {"id": "trace_id"}).split("UNION ALL")[0]

    plan = select(f"EXPLAIN indexes = 1 {source}", name="test.plan", scope=scope)

    assert "idx_ended" in str(plan)
    assert totals(scope, TraceFilter()).traces == 1
