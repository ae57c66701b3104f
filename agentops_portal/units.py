"""Times and money in one place: the nanoseconds that spans carry, and what APIs and pages make of them.

Figures as people read them are in formats.py.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

NS_OF_MS: Final = 10**6
NS_OF_SECOND: Final = 10**9
NS_OF_HOUR: Final = 3_600 * NS_OF_SECOND
NS_OF_QUARTER: Final = NS_OF_HOUR // 4  # of an hour: the unit of usage
NS_OF_DAY: Final = 24 * NS_OF_HOUR

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY: Final[date] = EPOCH.date()
# The two ends of time: what people may ask for ends at midnight before the last moment that a DateTime64(9) holds.
END_OF_TIME: Final = datetime(2262, 4, 11, tzinfo=UTC)
LAST_NS: Final = 2**63 - 1
LAST_MOMENT: Final = "2262-04-11 23:47:16.854775807"
LAST_MICROSECOND: Final = datetime(2262, 4, 11, 23, 47, 16, 854775, tzinfo=UTC)

_NS_OF: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": NS_OF_MS,
    "s": NS_OF_SECOND,
    "m": 60 * NS_OF_SECOND,
    "h": NS_OF_HOUR,
}
_DURATION: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*(ns|us|µs|ms|s|m|h)")


def datetime_of(nanoseconds: int) -> datetime:
    """Nanoseconds since 1970 as an aware UTC datetime, cut to microseconds."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


def iso_utc(nanoseconds: int) -> str:
    """Nanoseconds since 1970 as ISO 8601 in UTC, none of them lost: 2026-11-23T09:30:00.123456789Z."""
    seconds, fraction = divmod(nanoseconds, NS_OF_SECOND)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"


def milliseconds(nanoseconds: float) -> float:
    """Milliseconds, with all that lies below as their fraction."""
    return nanoseconds / NS_OF_MS


def parse_duration(text: str) -> int:
    """Nanoseconds of "250ms", "1.5s", "2m"; units ns, us, ms, s, m, h. Raises ValueError."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no duration.")
    return min(int(Decimal(found[1]) * _NS_OF[found[2]]), LAST_NS)


def fixed_dollars(amount: Decimal, decimals: int = 7) -> str:
    """US dollars as text with so many decimals, as AgentOps' clients read them: 0.0000335."""
    return f"{amount:.{decimals}f}"
