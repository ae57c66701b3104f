"""Whether a call may be made: exact for any number of processes, for the store of counters counts and decides in one
step (counting/).

A budget counts what is stored (spending.py) and what is reserved for calls in flight. A call that one limit refuses
counts in none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

import structlog

from agentops_portal.clickhouse.gate import ClickHouseError

from . import spending
from .counting import Asked, CountersAway, Standing, Use, counters, window_of
from .counting.counters import Call
from .models import Limit

__all__ = ["Call", "State", "take", "uses_of"]

log = structlog.get_logger(__name__)

TRIES: Final = 3  # a budget that was asked for may be old again once the call is counted


@dataclass(frozen=True)
class State:
    """How a limit stands after a call was counted, or refused."""

    limit: Limit
    value: str
    used: Decimal | None  # None: cannot be counted now
    reserved: Decimal
    resets_at: datetime
    refused: bool = False


def take(limits: Sequence[Limit], call: Call, now: datetime) -> list[State]:
    """Count a call. One state says `refused` when it may not be made; that of a limit in shadow decides nothing."""
    asked = [Asked.of(limit, call, now) for limit in limits]
    unknown: list[State] = []
    try:
        for _ in range(TRIES):
            if any(state.refused and not state.limit.shadow for state in unknown) or not asked:
                return unknown
            counted = counters().count(asked, call, now, now - spending.OLD_AFTER)
            old = [each for each, found in zip(asked, counted.standings, strict=True) if not found.is_fresh]
            if not old:
                spending.keep_known(asked, counted.standings, now)
                return [*unknown, *map(_state, asked, counted.standings)]
            asked_in_vain = [each for each in old if not _is_known(each)]
            unknown += map(_unknown, asked_in_vain)
            asked = [each for each in asked if each not in asked_in_vain]
    except CountersAway as error:
        log.warning("limits are not counted", error=str(error))
    return [*unknown, *map(_unknown, asked)]


def uses_of(limit: Limit, now: datetime, most: int = 5) -> list[Use] | None:
    """What is used of a limit in the window that runs, by those who used most of it; None: cannot be said now."""
    start, _ = window_of(limit.window, now)
    try:
        return counters().uses(limit, start, most)
    except CountersAway as error:
        log.warning("uses of a limit are not known", error=str(error))
        return None


def _is_known(asked: Asked) -> bool:
    """Find out what was spent; whether that was possible."""
    try:
        spending.know(asked)
    except (ClickHouseError, CountersAway) as error:
        log.warning("a budget is not known", error=type(error).__name__)
        return False
    return True


def _state(asked: Asked, found: Standing) -> State:
    return State(asked.limit, asked.value, found.used, found.reserved, asked.end, refused=not found.fits)


def _unknown(asked: Asked) -> State:
    refused = not asked.limit.fails_open
    return State(asked.limit, asked.value, None, Decimal(0), asked.end, refused=refused)
