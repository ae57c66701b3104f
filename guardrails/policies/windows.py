"""Which time a policy's figure is counted over, as of a moment."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from .kinds import CALENDAR, LENGTHS, Window
from .models import Policy


def window_start(policy: Policy, moment: datetime) -> datetime:
    """Of the window that ends with the moment: a moment that ends a day is the end of that day."""
    if policy.window in CALENDAR:
        return period_start(policy.window, moment - timedelta(microseconds=1), policy.zone)
    return moment - LENGTHS[policy.window]


def period_start(window: str, moment: datetime, zone: ZoneInfo) -> datetime:
    """Of the hour, day, ISO week or month that holds the moment, in UTC."""
    local = moment.astimezone(zone)
    if window == Window.HOUR:  # by seconds: an hour that clocks have twice is two
        offset = local.utcoffset() or timedelta()
        seconds = int((moment + offset).timestamp())
        return datetime.fromtimestamp(seconds - seconds % 3600, UTC) - offset
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if window == Window.WEEK:
        day -= timedelta(days=day.weekday())
    elif window == Window.MONTH:
        day = day.replace(day=1)
    return day.astimezone(UTC)
