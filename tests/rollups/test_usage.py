"""Usage as reports read it from the roll-up is what a scan of all spans gives, in every time zone."""

from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import datetime_of
from tests.pages.spans import Spanlet, recorded, request_of, store
from traces.store.queries.requests import Requests, requests_over_time, requests_total
from traces.store.queries.scopes import whole_time
from traces.store.queries.steps import Step
from traces.store.queries.usage import Dimension, Latency, Usage, models_called, usage_by, usage_over_time, usage_total

from . import naive, naive_usage
from .arrivals import DAY_NS, copied_by_a_collector, send, sent_once, spread_over_days
from .conftest import PAYLOADS

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

Sql = Callable[..., list[tuple[object, ...]]]
ERROR = 2
CALL: dict[str, str | float] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 7,
}
COLUMNS: dict[Dimension, str] = {
    "model": "counted_model",
    "provider": "provider",
    "service": "ServiceName",
    "agent": "agent_name",
}
STEPS: tuple[Step, ...] = ("quarter", "hour", "day")
MINUTE = 60_000  # milliseconds, the unit of a Spanlet
# A night in which clocks are changed, and one in which they are not.
NIGHTS = {
    "UTC": "2024-10-04T00:00",
    "Asia/Seoul": "2024-10-03T15:00",
    "Asia/Kathmandu": "2024-10-03T18:15",
    "Europe/Berlin": "2024-10-27T01:00",
    "America/New_York": "2024-03-10T07:00",
    "America/Santiago": "2024-09-08T04:00",
    "Australia/Lord_Howe": "2024-04-06T15:00",
}


def without_latency(usage: Usage) -> Usage:
    return replace(usage, latency=None)


def same(found: Usage, spans: list[naive.Row]) -> None:
    assert without_latency(found) == naive_usage.usage(spans)
    between_neighbours(found.latency, naive_usage.durations_of_calls(spans))


def between_neighbours(found: Latency | None, durations: list[int]) -> None:
    """A histogram says of few values the mean of those beside the percentile."""
    assert (found is None) == (not durations)
    for level, value in ((0.5, found.p50), (0.95, found.p95), (0.99, found.p99)) if found else ():
        place = level * (len(durations) - 1)
        below, above = durations[max(int(place) - 1, 0)], durations[min(int(place) + 2, len(durations) - 1)]
        assert below * (1 - 1e-6) <= value <= above * (1 + 1e-6)


def same_by(found: dict[str, Usage], groups: dict[str, list[naive.Row]]) -> None:
    for name, spans in groups.items():
        expected = naive_usage.usage(spans)
        assert (name in found) == bool(expected.calls or expected.cost.reported is not None)
        if name in found:
            same(found[name], spans)
    assert found.keys() <= groups.keys()
    order = [(-each.calls, name) for name, each in found.items()]
    assert order == sorted(order)


PATTERNS = {"quarter": "%Y-%m-%d %H:%M", "hour": "%Y-%m-%d %H:00", "day": "%Y-%m-%d"}
LONGEST = {"quarter": timedelta(minutes=15), "hour": timedelta(hours=1), "day": timedelta(hours=25)}


def same_over_time(scope: Scope, step: Step, zone: ZoneInfo) -> dict[datetime, Usage]:
    found = usage_over_time(scope, step, zone)
    starts = list(found)
    widths = [after - before for before, after in pairwise(starts)]
    assert all(timedelta(0) < width <= LONGEST[step] for width in widths)
    assert starts[0] <= scope.start
    assert scope.end - LONGEST[step] <= starts[-1] < scope.end
    groups = naive_usage.grouped(naive_usage.spans_in(scope), naive_usage.local_step(step, zone))
    for start, each in found.items():
        key = (start.strftime(PATTERNS[step]), None if step == "day" else start.utcoffset())
        same(each, groups.pop(key, []))
    assert not groups
    same_requests_over_time(scope, step, zone)
    return found


def same_requests_over_time(scope: Scope, step: Step, zone: ZoneInfo) -> None:
    """A trace stands where it starts; one that began before the range, where the range does."""
    start_ns = naive_usage.ns_of(scope.start)
    traces = naive.figures_in(scope.project_id, start_ns, naive_usage.ns_of(scope.end))
    starts = list(requests_over_time(scope, step, zone).items())
    ends = [naive_usage.ns_of(start) for start, _ in starts[1:]] + [naive_usage.ns_of(scope.end)]
    for (start, found), end_ns in zip(starts, ends, strict=True):
        in_step = [t for t in traces if naive_usage.ns_of(start) <= max(t.start_ns, start_ns) < end_ns]
        same_requests(found, naive_usage.requests(in_step))
    assert sum(found.requests for _, found in starts) == len(traces)


def check(scope: Scope) -> None:
    spans = naive_usage.spans_in(scope)
    assert spans
    same(usage_total(scope), spans)
    for dimension, column in COLUMNS.items():
        same_by(usage_by(scope, dimension), naive_usage.grouped(spans, itemgetter(column)))
    called = {span["counted_model"] for span in spans if span["is_llm_call"]} - {""}
    assert set(models_called(scope, 200)) == called
    traces = naive.figures_in(scope.project_id, naive_usage.ns_of(scope.start), naive_usage.ns_of(scope.end))
    same_requests(requests_total(scope), naive_usage.requests(traces))


def same_requests(found: Requests, expected: Requests) -> None:
    assert replace(found, request_latency=None) == replace(expected, request_latency=None)
    if expected.request_latency is None:
        assert found.request_latency is None
    else:
        assert found.request_latency is not None
        assert astuple(found.request_latency) == pytest.approx(astuple(expected.request_latency))


def last_hours(project_id: UUID, hours: int) -> Scope:
    """Up to the newest span."""
    end = datetime_of(max(span["start"] for span in naive.spans_of(project_id))) + timedelta(microseconds=1)
    return Scope(project_id, end - timedelta(hours=hours), end)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_usage_is_what_a_scan_of_the_spans_gives(payload: str) -> None:
    project_id = sent_once(recorded(payload))

    check(whole_time(project_id))
    for step in STEPS:
        same_over_time(last_hours(project_id, 7), step, ZoneInfo("Asia/Seoul"))


@pytest.mark.parametrize("seed", range(2))
def test_a_range_counts_with_every_quarter_of_an_hour_that_it_touches(seed: int) -> None:
    project_id = sent_once(spread_over_days(recorded("litellm-1.106.2-mixed"), seed), seed, requests=10)
    spans = sorted(naive.spans_of(project_id), key=lambda span: span["start"])
    start, end = datetime_of(spans[len(spans) // 4]["start"]), datetime_of(spans[len(spans) // 2]["start"])

    for scope in (
        Scope(project_id, start, end),
        Scope(project_id, start, start + timedelta(microseconds=1)),
        Scope(project_id, end.replace(minute=15, second=0, microsecond=0), end + timedelta(hours=2)),
    ):
        check(scope)
    same_over_time(Scope(project_id, start, end), "hour", ZoneInfo("America/New_York"))
    same_over_time(last_hours(project_id, 100), "day", ZoneInfo("Asia/Kolkata"))


@pytest.mark.parametrize("zone", NIGHTS)
def test_steps_are_cut_where_the_clocks_of_the_reader_cut_them(project_id: UUID, zone: str) -> None:
    middle = datetime.fromisoformat(NIGHTS[zone]).replace(tzinfo=UTC)
    first = middle - timedelta(hours=30)
    calls = [
        Spanlet("call", number + 1, 0, number * 20 * MINUTE, number * 20 * MINUTE + 1 + number, attributes=CALL)
        for number in range(180)  # every 20 minutes of 60 hours
    ]
    store(project_id, request_of({1: calls}, int(first.timestamp()) * 10**9))
    scope = Scope(project_id, first, first + timedelta(hours=60))

    for step in STEPS:
        found = same_over_time(scope, step, ZoneInfo(zone))
        assert sum(each.calls for each in found.values()) == 180


def test_the_hour_that_an_autumn_night_has_twice_is_two_hours(project_id: UUID) -> None:
    start = datetime(2024, 11, 3, 4, 30, tzinfo=UTC)  # 00:30 in New York; clocks go back from 02:00 to 01:00 at 06:00
    calls = [
        Spanlet("call", hour + 1, 0, hour * 60 * MINUTE, hour * 60 * MINUTE + 5, attributes=CALL) for hour in range(4)
    ]
    store(project_id, request_of({1: calls}, int(start.timestamp()) * 10**9))
    scope = Scope(project_id, start, start + timedelta(hours=4))

    found = usage_over_time(scope, "hour", ZoneInfo("America/New_York"))
    days = usage_over_time(scope, "day", ZoneInfo("America/New_York"))

    assert [(hour.isoformat(), each.calls) for hour, each in found.items()] == [
        ("2024-11-03T00:00:00-04:00", 1),
        ("2024-11-03T01:00:00-04:00", 1),
        ("2024-11-03T01:00:00-05:00", 1),
        ("2024-11-03T02:00:00-05:00", 1),
        ("2024-11-03T03:00:00-05:00", 0),
    ]
    assert [(day.isoformat(), each.calls) for day, each in days.items()] == [("2024-11-03T00:00:00-04:00", 4)]


def test_the_day_of_seoul_begins_at_three_in_the_afternoon_of_utc(project_id: UUID) -> None:
    midnight = int(datetime(2026, 11, 22, 15, tzinfo=UTC).timestamp()) * 10**9
    calls = [Spanlet("before", 1, 0, -0.001, 5, attributes=CALL), Spanlet("after", 2, 0, 0, 5, attributes=CALL)]
    store(project_id, request_of({1: calls}, midnight))
    scope = Scope(project_id, datetime_of(midnight) - timedelta(days=1), datetime_of(midnight) + timedelta(days=2))

    days = usage_over_time(scope, "day", ZoneInfo("Asia/Seoul"))

    assert [(day.isoformat(), each.calls) for day, each in days.items()] == [
        ("2026-11-22T00:00:00+09:00", 1),
        ("2026-11-23T00:00:00+09:00", 1),
        ("2026-11-24T00:00:00+09:00", 0),
    ]


@pytest.mark.parametrize("start", ["1970-01-01T00:00", "2106-02-08T00:00", "2262-04-08T00:00"])
@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York"])
def test_times_that_no_calendar_of_32_bits_holds_are_counted(project_id: UUID, start: str, zone: str) -> None:
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    start_ns = int(moment.timestamp()) * 10**9
    store(project_id, request_of({1: [Spanlet("call", attributes=CALL)]}, start_ns))
    scope = Scope(project_id, moment, moment + timedelta(hours=30))

    for step in STEPS:
        found = same_over_time(scope, step, ZoneInfo(zone))
        assert next(iter(found.values())).calls == 1


def test_a_request_lasts_until_the_last_time_there_is_at_most(project_id: UUID) -> None:
    start_ns, last = 5 * DAY_NS, 2**63 - 1
    request = request_of({1: [Spanlet("root", 1, attributes=CALL)]}, start_ns)
    request.resource_spans[0].scope_spans[0].spans[0].end_time_unix_nano = 2**64 - 1
    store(project_id, request)

    latency = usage_total(whole_time(project_id)).latency
    request_latency = requests_total(whole_time(project_id)).request_latency

    assert latency is not None
    assert request_latency is not None
    assert [latency.p95, request_latency.p95] == pytest.approx([last - start_ns] * 2)


def test_a_failed_call_that_was_sent_twice_is_one_call_in_usage(project_id: UUID) -> None:
    twice = [Spanlet("litellm_request", number, 1, 0, 5 * number, status=ERROR, attributes=CALL) for number in (2, 3)]
    for spanlet in (*twice, Spanlet("root", 1), Spanlet("retry", 4, 1, 6, 9, attributes=CALL)):
        store(project_id, request_of({1: [spanlet]}, 5 * DAY_NS))

    total = usage_total(whole_time(project_id))

    assert (total.calls, total.failed_calls, total.cost.unknown_calls) == (2, 1, 2)
    assert requests_total(whole_time(project_id)).requests == 1
    assert total.latency is not None
    assert total.latency.p50 == 3 * 10**6


def test_the_same_call_in_two_traces_is_two_calls(project_id: UUID) -> None:
    failed = Spanlet("call", 2, 1, status=ERROR, attributes=CALL)
    store(project_id, request_of({1: [failed], 2: [failed]}, 5 * DAY_NS))

    assert usage_total(whole_time(project_id)).failed_calls == 2


def test_what_an_answer_from_the_cache_saved_is_no_cost(project_id: UUID) -> None:
    priced: dict[str, str | float] = {**CALL, "gen_ai.cost.total_cost": 0.25}
    hit = {**priced, "hidden_params": '{"cache_key": "abc"}'}
    store(project_id, request_of({1: [Spanlet("paid", 1, attributes=priced), Spanlet("hit", 2, attributes=hit)]}, 5))

    by_model = usage_by(whole_time(project_id), "model")

    assert list(by_model) == ["gpt-4o", *([""] if "" in by_model else [])]
    cost = by_model["gpt-4o"].cost
    assert (cost.reported, cost.saved, cost.unknown_calls) == (Decimal("0.25"), Decimal("0.25"), 0)
    assert (by_model["gpt-4o"].input_tokens, by_model["gpt-4o"].total_tokens) == (7, 7)  # of two calls that tell 7


def test_an_answer_from_the_cache_without_a_price_is_no_unknown_cost(project_id: UUID) -> None:
    hit = {**CALL, "hidden_params": '{"cache_key": "abc"}'}
    spans = [Spanlet("hit", 1, attributes=hit), Spanlet("call", 2, attributes=CALL)]
    store(project_id, request_of({1: spans}, 5 * DAY_NS))

    usage = usage_total(whole_time(project_id))

    assert (usage.calls, usage.cache_hits, usage.cost.unknown_calls) == (2, 1, 1)


def test_a_project_without_spans_used_nothing(project_id: UUID) -> None:
    scope = Scope(project_id, datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))

    total = usage_total(scope)

    assert (total.calls, total.total_tokens, total.cost.reported, total.latency) == (0, 0, None, None)
    assert usage_by(scope, "model") == {}
    assert models_called(scope, 10) == []
    assert len(usage_over_time(scope, "hour", ZoneInfo("Asia/Seoul"))) == 48


def test_usage_does_not_change_when_its_rows_are_merged(project_id: UUID, sql: Sql) -> None:
    send(project_id, recorded("litellm-1.106.2-mixed"), seed=3, requests=15)
    scope = whole_time(project_id)
    before = {dimension: usage_by(scope, dimension) for dimension in COLUMNS}

    sql("OPTIMIZE TABLE usage_quarters FINAL")

    assert {dimension: usage_by(scope, dimension) for dimension in COLUMNS} == before
    check(scope)


def test_spans_that_a_collector_writes_itself_are_usage_too(project_id: UUID, sql: Sql) -> None:
    send(project_id, recorded("litellm-1.106.2-mixed"), seed=1)
    other = uuid4()

    copied_by_a_collector(sql, project_id, other)

    check(whole_time(other))
    assert without_latency(usage_total(whole_time(other))) == without_latency(usage_total(whole_time(project_id)))


def test_usage_of_another_project_is_not_counted(project_id: UUID) -> None:
    other = uuid4()
    for each, count in ((project_id, 1), (other, 2)):
        calls = [Spanlet("call", number + 1, 0, attributes=CALL) for number in range(count)]
        store(each, request_of({1: calls}, 5 * DAY_NS))

    assert usage_total(whole_time(project_id)).calls == 1
    assert usage_by(whole_time(other), "model")["gpt-4o"].calls == 2
