"""Days, weeks and months as clocks cut them, and the moment at which a report is due."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.reports.periods import Period, Rhythm

SEOUL, BERLIN, NEW_YORK = (ZoneInfo(name) for name in ("Asia/Seoul", "Europe/Berlin", "America/New_York"))
CAIRO, HAVANA, APIA = (ZoneInfo(name) for name in ("Africa/Cairo", "America/Havana", "Pacific/Apia"))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(period: Period) -> str:
    return f"{period.first}/{period.after}"


@pytest.mark.parametrize(
    ("rhythm", "now", "expected"),
    [
        (Rhythm("daily", SEOUL), "2026-11-27T15:00", "2026-11-28/2026-11-29"),  # midnight in Seoul
        (Rhythm("daily", SEOUL), "2026-11-27T14:59", "2026-11-27/2026-11-28"),
        (Rhythm("weekly", SEOUL), "2026-11-27T12:00", "2026-11-23/2026-11-30"),
        (Rhythm("weekly", SEOUL, weekday=5), "2026-11-27T12:00", "2026-11-27/2026-12-04"),
        (Rhythm("weekly", SEOUL, weekday=7), "2026-11-27T12:00", "2026-11-22/2026-11-29"),
        (Rhythm("weekly", BERLIN), "2027-01-01T12:00", "2026-12-28/2027-01-04"),  # over the year's end
        (Rhythm("monthly", BERLIN), "2026-12-31T22:59", "2026-12-01/2027-01-01"),
        (Rhythm("monthly", BERLIN), "2026-12-31T23:00", "2027-01-01/2027-02-01"),
        (Rhythm("monthly", BERLIN, day=15), "2027-01-10T12:00", "2026-12-15/2027-01-15"),
        (Rhythm("monthly", BERLIN, day=31), "2027-02-10T12:00", "2027-01-31/2027-02-28"),
        (Rhythm("monthly", BERLIN, day=31), "2027-03-01T12:00", "2027-02-28/2027-03-31"),
        (Rhythm("monthly", BERLIN, day=29), "2028-02-29T12:00", "2028-02-29/2028-03-29"),
        (Rhythm("monthly", BERLIN, day=30), "2026-04-30T12:00", "2026-04-30/2026-05-30"),
    ],
)
def test_the_period_of_a_moment(rhythm: Rhythm, now: str, expected: str) -> None:
    assert days(rhythm.period_at(utc(now))) == expected


@pytest.mark.parametrize(
    ("rhythm", "first", "start", "end", "due"),
    [
        (Rhythm("daily", SEOUL), "2026-11-27", "2026-11-26T15:00", "2026-11-27T15:00", "2026-11-27T23:00"),
        # A day of 23 hours, and the hour of sending that does not exist: an hour behind the change instead.
        (Rhythm("daily", BERLIN, hour=2), "2026-03-28", "2026-03-27T23:00", "2026-03-28T23:00", "2026-03-29T01:00"),
        (Rhythm("daily", BERLIN), "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00", "2026-03-30T06:00"),
        # A day of 25 hours, and the hour of sending that comes twice: the first.
        (Rhythm("daily", BERLIN, hour=2), "2026-10-24", "2026-10-23T22:00", "2026-10-24T22:00", "2026-10-25T00:00"),
        (Rhythm("daily", BERLIN), "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00", "2026-10-26T07:00"),
        # Midnight does not exist, and comes twice.
        (Rhythm("daily", CAIRO), "2026-04-24", "2026-04-23T22:00", "2026-04-24T21:00", "2026-04-25T05:00"),
        (Rhythm("daily", HAVANA), "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00", "2026-11-02T13:00"),
        # At midnight there would be nothing to wait for spans that are still on their way.
        (Rhythm("weekly", SEOUL, hour=0), "2026-11-16", "2026-11-15T15:00", "2026-11-22T15:00", "2026-11-22T15:15"),
        (
            Rhythm("monthly", NEW_YORK, grace=timedelta(hours=12)),
            *("2026-11-01", "2026-11-01T04:00", "2026-12-01T05:00", "2026-12-01T17:00"),
        ),
    ],
)
def test_when_a_period_begins_ends_and_is_due(rhythm: Rhythm, first: str, start: str, end: str, due: str) -> None:
    period = rhythm.period_at(utc(start))

    assert period.first == date.fromisoformat(first)
    assert (period.start, period.end) == (utc(start), utc(end))
    assert rhythm.due_at(period) == utc(due)


def test_a_day_that_an_island_skipped_is_no_period() -> None:
    rhythm = Rhythm("daily", APIA)
    before = rhythm.period_at(utc("2011-12-30T09:00"))

    after = rhythm.next(before)

    assert days(before) == "2011-12-29/2011-12-30"
    assert before.end == after.start == utc("2011-12-30T10:00")
    assert after.end == utc("2011-12-31T10:00")
    assert rhythm.previous(after).start == before.start


def test_what_is_due_comes_in_order_and_ends_now() -> None:
    rhythm = Rhythm("daily", SEOUL)
    first = rhythm.period_at(utc("2026-11-20T00:00"))

    assert [days(each) for each in rhythm.due(first, utc("2026-11-22T23:00"))] == [
        "2026-11-20/2026-11-21",
        "2026-11-21/2026-11-22",
        "2026-11-22/2026-11-23",
    ]
    assert not list(rhythm.due(first, utc("2026-11-20T22:59:59")))


@pytest.mark.parametrize(("first", "week"), [("2026-12-28", "2026-W53"), ("2027-01-04", "2027-W01")])
def test_iso_weeks_at_the_years_end(first: str, week: str) -> None:
    assert Rhythm("weekly", BERLIN).period_at(utc(f"{first}T12:00")).iso_week == week
    assert Rhythm("daily", BERLIN).period_at(utc(f"{first}T12:00")).iso_week == ""


ZONES = st.sampled_from(
    ["UTC", "Asia/Seoul", "Europe/Berlin", "America/Havana", "Africa/Cairo", "Pacific/Apia", "Australia/Lord_Howe"]
)


@settings(max_examples=150, deadline=None)
@given(
    frequency=st.sampled_from(["daily", "weekly", "monthly"]),
    zone=ZONES,
    hour=st.integers(0, 23),
    weekday=st.integers(1, 7),
    day=st.integers(1, 31),
    now=st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001 - of UTC, below
)
def test_periods_leave_no_gap_and_hold_each_moment_once(
    frequency: str, zone: str, hour: int, weekday: int, day: int, now: datetime
) -> None:
    moment = now.replace(tzinfo=UTC)
    rhythm = Rhythm(frequency, ZoneInfo(zone), hour, weekday, day)  # type: ignore[arg-type]
    period = rhythm.period_at(moment)

    assert period.start <= moment < period.end
    following = [period]
    for _ in range(14):
        following.append(rhythm.next(following[-1]))
    for before, after in pairwise(following):
        assert before.start < before.end == after.start
        assert rhythm.previous(after).start == before.start
        assert before.end < rhythm.due_at(before) <= before.end + timedelta(hours=25)
        assert rhythm.period_at(before.end - timedelta(microseconds=1)).start == before.start
        assert rhythm.due_at(before) < rhythm.due_at(after)
