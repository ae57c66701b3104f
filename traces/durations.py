"""Durations as people write them: a number with its unit."""

import re
from decimal import Decimal

UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*(ns|us|µs|ms|s|m|h)")
LONGEST_NS = 2**63 - 1


def parse_duration(text: str) -> int:
    """Nanoseconds of "250ms", "1.5s", "2m"; units ns, us, ms, s, m, h. Raises ValueError."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no duration.")
    return min(int(Decimal(found[1]) * UNITS[found[2]]), LONGEST_NS)
