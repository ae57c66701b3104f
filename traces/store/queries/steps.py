"""Quarters of an hour, hours and days as the clocks of a time zone cut them.

Worked out from Python's time zones, and not by ClickHouse's functions: those end in 2106, begin in 1970 UTC, and lose
their way where clocks are changed by half an hour (Australia/Lord_Howe).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

from agentops_portal.clickhouse.gate import ProjectsScope, Scope
from agentops_portal.units import EPOCH

Step = Literal["quarter", "hour", "day"]
QUARTER = 900  # seconds; no zone changes its clocks between two quarters
DAY = 86_400
WIDTH: Mapping[Step, int] = {"quarter": QUARTER, "hour": 3_600, "day": DAY}

_SECONDS = "(toInt64(quarter) * 900)"
_OFFSET = f"{{offsets:Array(Int64)}}[arrayCount(since -> since <= {_SECONDS}, {{since:Array(Int64)}})]"
_LOCAL = f"({_SECONDS} + {_OFFSET})"


def key_sql(step: Step) -> str:
    """SQL: the step to which a row with a `quarter` belongs, as a key of `Steps.starts`."""
    start = f"{_LOCAL} - positiveModulo({_LOCAL}, {WIDTH[step]})"
    return start if step == "day" else f"{start} - {_OFFSET}"


@dataclass(frozen=True)
class Stretch:
    """A time in which the clocks of a zone are not changed, in seconds since 1970, and their seconds ahead of UTC."""

    since: int
    until: int
    offset: int


@dataclass(frozen=True)
class Steps:
    """All steps that a scope touches, in their order."""

    # key → when the step starts, maybe before the scope. With a fixed offset: of one time zone, Python takes the two
    # hours that an autumn night has twice for equal.
    starts: dict[int, datetime]
    parameters: dict[str, list[int]]  # what key_sql() needs


def steps_of(scope: Scope | ProjectsScope, step: Step, zone: ZoneInfo) -> Steps:
    stretches = list(_stretches(scope, zone))
    starts: dict[int, datetime] = {}
    for number, each in enumerate(stretches):
        changed = each.since if number else None
        for key, start in _starts(each, step, zone, changed):
            starts.setdefault(key, start)  # a day goes on when the clocks are changed in it
    return Steps(
        starts,
        {"since": [each.since for each in stretches], "offsets": [each.offset for each in stretches]},
    )


def _starts(stretch: Stretch, step: Step, zone: ZoneInfo, changed: int | None) -> Iterator[tuple[int, datetime]]:
    """`changed`: when clocks were changed at the start of the stretch; an hour that this cuts in two is two steps."""
    width = WIDTH[step]
    first = (stretch.since + stretch.offset) // width * width
    for local in range(first, stretch.until + stretch.offset, width):
        if step == "day":
            yield local, _fixed((EPOCH + timedelta(seconds=local)).replace(tzinfo=zone))
        else:
            key = local - stretch.offset
            moment = key if changed is None else max(key, changed)
            yield key, _fixed((EPOCH + timedelta(seconds=moment)).astimezone(zone))


def _fixed(moment: datetime) -> datetime:
    return moment.replace(tzinfo=timezone(moment.utcoffset() or timedelta()), fold=0)


def _stretches(scope: Scope | ProjectsScope, zone: ZoneInfo) -> Iterator[Stretch]:
    since = _seconds(scope.start) // QUARTER * QUARTER
    end = _seconds(scope.end - timedelta(microseconds=1)) // QUARTER * QUARTER + QUARTER
    offset = _offset(since, zone)
    moment = since
    while moment < end:
        following = min(moment + DAY, end)
        if _offset(following, zone) != offset:
            following = _change(moment, following, zone)
            if following < end:
                yield Stretch(since, following, offset)
                since, offset = following, _offset(following, zone)
        moment = following
    yield Stretch(since, end, offset)


def _change(before: int, after: int, zone: ZoneInfo) -> int:
    """The quarter at which clocks are changed, between two moments less than a day apart."""
    offset = _offset(before, zone)
    while after - before > QUARTER:
        middle = (before + after) // 2 // QUARTER * QUARTER
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after


def _seconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - EPOCH) // timedelta(seconds=1)


def _offset(seconds: int, zone: ZoneInfo) -> int:
    offset = (EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(seconds=1)
