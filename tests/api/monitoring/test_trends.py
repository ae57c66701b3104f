"""Ranges with offsets, buckets as clocks cut them, and buckets in which nothing happened."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.api.conftest import Get
from tests.cast import Cast
from tests.pages.spans import Spanlet, Value, store_trace

from .stored import address

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

CALL: dict[str, Value] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 7,
    "gen_ai.usage.output_tokens": 3,
    "gen_ai.cost.total_cost": 0.25,
}


def call_at(cast: Cast, *moments: str, fraction_ns: int = 0) -> None:
    """A trace of one LLM call of $0.25 at each moment."""
    for number, moment in enumerate(moments, start=1):
        seconds = int(datetime.fromisoformat(moment).timestamp())
        store_trace(cast.project.pk, [Spanlet("call", attributes=CALL)], number, seconds * 10**9 + fraction_ns)


def trend(get: Get, cast: Cast, start: str, end: str, path: str = "analytics/cost-trend", **query: Any) -> Any:
    answer = get(address(path, cast.project.pk, start_time=start, end_time=end, **query), person="bob")
    assert answer.status_code == 200, answer.content
    return answer.json()


def costs(buckets: Any) -> dict[str, float]:
    return {each["timestamp"]: each["cost"] for each in buckets}


def test_days_without_traces_are_zero(cast: Cast, get: Get) -> None:
    call_at(cast, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", "2026-11-23T00:00:00Z")

    found = trend(get, cast, "2026-11-20T00:00:00Z", "2026-11-24T00:00:00Z")

    assert costs(found) == {"2026-11-20": 0.5, "2026-11-21": 0, "2026-11-22": 0, "2026-11-23": 0.25}
    assert found[0]["start"] == "2026-11-20T00:00:00+00:00"


def test_hours_have_the_contract_s_names(cast: Cast, get: Get) -> None:
    call_at(cast, "2026-11-23T09:59:59Z")

    found = trend(get, cast, "2026-11-23T08:30:00Z", "2026-11-23T10:30:00Z", interval="hour")

    assert costs(found) == {"2026-11-23 08:00:00": 0, "2026-11-23 09:00:00": 0.25, "2026-11-23 10:00:00": 0}


def test_weeks_are_named_by_their_monday(cast: Cast, get: Get) -> None:
    call_at(cast, "2026-11-15T23:59:59Z", "2026-11-16T00:00:00Z", "2026-11-22T12:00:00Z", "2026-11-30T00:00:00Z")

    found = trend(get, cast, "2026-11-11T00:00:00Z", "2026-12-02T00:00:00Z", interval="week")

    assert costs(found) == {"2026-11-09": 0.25, "2026-11-16": 0.5, "2026-11-23": 0, "2026-11-30": 0.25}
    assert all(date.fromisoformat(each["timestamp"]).weekday() == 0 for each in found)


def test_a_week_with_a_clock_change_starts_at_its_own_midnight(cast: Cast, get: Get) -> None:
    # New York leaves summer time on 2026-11-01, a Sunday.
    call_at(cast, "2026-10-26T04:00:00Z", "2026-11-02T04:59:59Z", "2026-11-02T05:00:00Z")

    found = trend(
        get, cast, "2026-10-27T00:00:00Z", "2026-11-04T00:00:00Z", interval="week", timezone="America/New_York"
    )

    assert [each["start"] for each in found] == ["2026-10-26T00:00:00-04:00", "2026-11-02T00:00:00-05:00"]
    assert costs(found) == {"2026-10-26": 0.25, "2026-11-02": 0.25}


def test_buckets_are_cut_in_the_zone_asked_for(cast: Cast, get: Get) -> None:
    call_at(cast, "2026-11-22T14:59:59Z", "2026-11-22T15:00:00Z")  # midnight in Seoul

    seoul = trend(get, cast, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", timezone="Asia/Seoul")
    utc = trend(get, cast, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")

    assert costs(seoul) == {"2026-11-22": 0.25, "2026-11-23": 0.25}
    assert costs(utc) == {"2026-11-22": 0.5}
    assert seoul[1]["start"] == "2026-11-23T00:00:00+09:00"


def test_a_zone_off_the_hour_cuts_hours_at_its_own(cast: Cast, get: Get) -> None:
    call_at(cast, "2026-11-23T00:14:59Z", "2026-11-23T00:15:00Z")  # 06:00 in Kathmandu, +05:45

    found = trend(get, cast, "2026-11-23T00:00:00Z", "2026-11-23T01:00:00Z", interval="hour", timezone="Asia/Kathmandu")

    assert costs(found) == {"2026-11-23 05:00:00": 0.25, "2026-11-23 06:00:00": 0.25}


def test_the_hour_that_an_autumn_night_has_twice_is_two_buckets(cast: Cast, get: Get) -> None:
    call_at(cast, "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z")  # 01:30 in New York, and 01:30 again

    found = trend(
        get, cast, "2026-11-01T05:00:00Z", "2026-11-01T08:00:00Z", interval="hour", timezone="America/New_York"
    )

    assert [(each["start"], each["cost"]) for each in found] == [
        ("2026-11-01T01:00:00-04:00", 0.25),
        ("2026-11-01T01:00:00-05:00", 0.25),
        ("2026-11-01T02:00:00-05:00", 0),
    ]


@pytest.mark.parametrize(
    "start",
    ["2026-11-23T18:30:00%2B09:00", "2026-11-23T18:30:00+09:00", "2026-11-23T09:30:00Z", "2026-11-23T09:30:00"],
)
def test_offsets_of_the_range_count(cast: Cast, get: Get, start: str) -> None:
    call_at(cast, "2026-11-23T09:29:59Z", "2026-11-23T09:30:00Z")

    asked = address("metrics", cast.project.pk, start_time=None, end_time="2026-11-24T00:00:00+09:00")
    answer = get(f"{asked}&start_time={start}", person="bob")

    assert answer.json()["trace_count"] == 1


def test_unix_seconds_are_times_too(cast: Cast, get: Get) -> None:
    call_at(cast, "2026-11-23T09:30:00Z")
    moment = int(datetime(2026, 11, 23, 9, 30, tzinfo=UTC).timestamp())

    assert trend(get, cast, str(moment), str(moment + 1), "metrics")["trace_count"] == 1
    assert trend(get, cast, str(moment - 1), str(moment), "metrics")["trace_count"] == 0


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("2026-11-23T09:30:00.499999Z", "2026-11-23T09:30:00.500001Z", 1),
        ("2026-11-23T09:30:00.500Z", "2026-11-23T09:30:01Z", 1),
        ("2026-11-23T09:30:00.500001Z", "2026-11-23T09:30:01Z", 1),  # it has not ended
        ("2026-11-23T09:30:00.510001Z", "2026-11-23T09:30:01Z", 0),
        ("2026-11-23T09:30:00Z", "2026-11-23T09:30:00.500Z", 0),
    ],
)
def test_fractions_of_seconds_of_the_range_count(cast: Cast, get: Get, start: str, end: str, count: int) -> None:
    call_at(cast, "2026-11-23T09:30:00Z", fraction_ns=500_000_000)

    assert trend(get, cast, start, end, "metrics")["trace_count"] == count
    assert sum(costs(trend(get, cast, start, end)).values()) == 0.25 * count


def test_token_buckets_hold_the_same_times(cast: Cast, get: Get) -> None:
    call_at(cast, "2026-11-22T15:00:00Z")

    asked = {"timezone": "Asia/Seoul", "path": "analytics/token-usage"}
    found = trend(get, cast, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", **asked)

    assert [(each["timestamp"], each["prompt_tokens"], each["completion_tokens"]) for each in found] == [
        ("2026-11-22", 0, 0),
        ("2026-11-23", 7, 3),
    ]


@pytest.mark.parametrize("interval", ["hour", "day", "week"])
def test_too_many_buckets_are_refused_with_their_number(cast: Cast, get: Get, interval: str) -> None:
    asked = {"start_time": "1970-01-01T00:00:00Z", "end_time": "2100-01-01T00:00:00Z", "interval": interval}

    answer = get(address("analytics/cost-trend", cast.project.pk, **asked), person="bob")

    assert answer.status_code == 422
    [fault] = answer.json()["detail"]
    assert fault["loc"] == ["query", "interval"]
    assert f"{interval}s; at most" in fault["msg"]


def test_a_year_of_hours_is_answered(cast: Cast, get: Get) -> None:
    call_at(cast, "2026-06-01T12:00:00Z")

    found = trend(get, cast, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", interval="hour", timezone="Asia/Seoul")

    assert len(found) == 8_760
    assert costs(found)["2026-06-01 21:00:00"] == 0.25
