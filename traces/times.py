"""Times as exports and APIs write them."""

from datetime import UTC, datetime

SECOND_NS = 10**9


def iso_utc(nanoseconds: int) -> str:
    """Nanoseconds since 1970 as ISO 8601 in UTC, none of them lost: 2026-11-23T09:30:00.123456789Z."""
    seconds, fraction = divmod(nanoseconds, SECOND_NS)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"
