"""Which stretch of time a report is about and when it is due: days, weeks and months as the clocks of a place cut them.

A period goes from midnight of its first day to midnight of the day after its last. A midnight that clocks skip is the
moment at which they were put forward; of one that comes twice the first counts. So periods leave no gap, whatever a
government decides. The hour of sending follows the same rule, as cron's jobs do.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

Frequency = Literal["daily", "weekly", "monthly"]

DAY: Final = timedelta(days=1)
LATE: Final = timedelta(minutes=30)  # a report that is made this long after it was due says so


@dataclass(frozen=True)
class Rhythm:
    """When a schedule reports. weekday: 1 (Monday) to 7, as ISO 8601 counts; day: of the month, its last if it has
    fewer; hour: 0 to 23, local; grace: how long after its end a period waits for spans that are still on their way.
    """

    frequency: Frequency
    zone: ZoneInfo
    hour: int = 8
    weekday: int = 1
    day: int = 1
    grace: timedelta = timedelta(minutes=15)

    def period_at(self, moment: datetime) -> "Period":
        """The one that holds the moment."""
        first = self._boundary(moment.astimezone(self.zone).date() + DAY)  # clocks may have been put back over midnight
        while midnight(first, self.zone) > moment:
            first = self._before(first)
        return self._from(first)

    def next(self, period: "Period") -> "Period":
        return self._from(self._boundary(period.after))

    def previous(self, period: "Period") -> "Period":
        """The one before; a stretch that clocks skipped as a whole (Apia, 30 December 2011) is none."""
        first = self._before(period.first)
        while midnight(first, self.zone) >= period.start:
            first = self._before(first)
        return self._from(first)

    def due_at(self, period: "Period") -> datetime:
        """When its report is to be made."""
        hour = local(period.after, time(self.hour), self.zone)
        return max(hour, period.end + self.grace)

    def due(self, since: "Period", now: datetime) -> Iterator["Period"]:
        """The periods from `since` on whose reports are due, the oldest first."""
        while self.due_at(since) <= now:
            yield since
            since = self.next(since)

    def _from(self, first: date) -> "Period":
        after = self._after(first)
        while midnight(after, self.zone) <= midnight(first, self.zone):
            after = self._after(after)
        return Period(first, after, self.zone)

    def _boundary(self, day: date) -> date:
        """The last first day of a period that is not after `day`."""
        if self.frequency == "daily":
            return day
        if self.frequency == "weekly":
            return day - timedelta(days=(day.isoweekday() - self.weekday) % 7)
        this = _of_month(day.year, day.month, self.day)
        return this if this <= day else _of_month(*_month_before(day), self.day)

    def _before(self, first: date) -> date:
        return self._boundary(first - DAY)

    def _after(self, first: date) -> date:
        if self.frequency == "daily":
            return first + DAY
        if self.frequency == "weekly":
            return first + 7 * DAY
        following = first.replace(day=1) + timedelta(days=32)
        return _of_month(following.year, following.month, self.day)


@dataclass(frozen=True)
class Period:
    """Days of a time zone: from `first` on, before `after`."""

    first: date
    after: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """The moment, in UTC."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The moment, in UTC, before which it is over."""
        return midnight(self.after, self.zone)

    @property
    def last(self) -> date:
        return self.after - DAY

    @property
    def iso_week(self) -> str:
        """2026-W53, of a period that is a week from Monday to Sunday; else ""."""
        if self.first.isoweekday() != 1 or self.after - self.first != 7 * DAY:
            return ""
        year, week, _weekday = self.first.isocalendar()
        return f"{year}-W{week:02d}"


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return local(day, time(0), zone)


def local(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The moment, in UTC. Of a time that comes twice the first; one that is skipped is as far behind the change as it
    would have been without it, so a skipped midnight is the change itself.
    """
    return datetime.combine(day, clock, zone).replace(fold=0).astimezone(UTC)


def _of_month(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _month_before(day: date) -> tuple[int, int]:
    before = day.replace(day=1) - DAY
    return before.year, before.month
