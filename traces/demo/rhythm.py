"""When people ask: by day more than by night, on weekdays more than at weekends, in Korea's time zone."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from .otlp import SECOND

HOUR = 3_600 * SECOND
HOME = ZoneInfo("Asia/Seoul")

# Share of traffic by hour of the day: a peak before and after lunch, a little from night jobs.
HOURS = (2, 1, 1, 1, 1, 2, 4, 9, 24, 46, 52, 44, 26, 38, 50, 48, 42, 34, 20, 14, 12, 10, 7, 4)
WEEKDAYS = (1.0, 1.05, 1.1, 1.0, 0.9, 0.3, 0.22)  # Monday first


class Rhythm:
    """Draws moments of the last `days` days before `now` (aware); times are nanoseconds since 1970."""

    def __init__(self, days: int, now: datetime, chance: Random) -> None:
        self.now = int(now.timestamp()) * SECOND
        self._chance = chance
        self._hours = [now - timedelta(hours=hours) for hours in range(days * 24, 0, -1)]
        local = [hour.astimezone(HOME) for hour in self._hours]
        self._weights = [HOURS[hour.hour] * WEEKDAYS[hour.weekday()] for hour in local]

    def moment(self) -> int:
        hour = self._chance.choices(self._hours, self._weights)[0]
        return int(hour.astimezone(UTC).timestamp()) * SECOND + self._chance.randrange(HOUR)

    def recent(self) -> int:
        """A moment of the last hour, whatever the time of day: a fresh portal should show something of today."""
        return self.now - self._chance.randrange(HOUR)

    def near(self, moment: int, minutes: int) -> int:
        """A moment in the `minutes` after `moment`, for incidents."""
        return moment + self._chance.randrange(minutes * 60 * SECOND)
