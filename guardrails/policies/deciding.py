"""Whether a figure opens an incident, makes it graver or ends it. Pure: the evaluation of every minute and the
simulation decide by the same rules.

Two limits keep a figure that wavers from opening incidents again and again: it ends only behind `resolve_at`, and for
the cool-down after its end no other is opened.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from guardrails.incidents.models import Severity

from .kinds import KINDS, Kind
from .models import Policy

Outcome = Literal["opened", "escalated", "resolved"]
QUIET = "quiet"  # why one ended: nothing happened in the window


@dataclass(frozen=True)
class Reading:
    """A figure of one project at one moment. volume: what `min_volume` is of; None: it has none."""

    value: Decimal | None
    window_start: datetime
    volume: int | None = None
    unknown_calls: int = 0  # whose cost is in no sum


@dataclass(frozen=True)
class Standing:
    """What is known of a policy and a subject before: the severity of the incident that goes on, and when the last one
    ended.
    """

    severity: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Step:
    outcome: Outcome
    severity: str = ""
    threshold: Decimal = Decimal(0)
    reason: str = ""


def decide(policy: Policy, reading: Reading, standing: Standing, moment: datetime) -> Step | None:
    """None: nothing changes."""
    level = _level(policy, reading.value)
    if standing.severity:
        return _going_on(policy, reading, standing, level)
    if level is None or not is_enough(policy, reading) or not is_on_duty(policy, moment):
        return None
    if standing.ended_at and moment < standing.ended_at + timedelta(minutes=policy.cool_down_minutes):
        return None
    return Step("opened", *level)


def is_on_duty(policy: Policy, moment: datetime) -> bool:
    """Whether the moment is in the hours of the policy; hours from 22 to 6 belong to the day on which they begin."""
    local = moment.astimezone(policy.zone)
    first, last = policy.from_hour, policy.until_hour
    if first < last:
        return local.isoweekday() in policy.weekdays and first <= local.hour < last
    if local.hour >= first:
        return local.isoweekday() in policy.weekdays
    return local.hour < last and (local - timedelta(days=1)).isoweekday() in policy.weekdays


def _going_on(policy: Policy, reading: Reading, standing: Standing, level: tuple[str, Decimal] | None) -> Step | None:
    if level is not None:
        is_graver = _RANK[level[0]] > _RANK[standing.severity]
        return Step("escalated", *level) if is_graver else None
    if reading.value is None:
        return Step("resolved", reason=QUIET)
    if reading.volume == 0:  # nobody called a model: whether the guardrail would have run is not known
        return None
    return Step("resolved") if _is_back(policy, reading.value) else None


_RANK = {Severity.INFO.value: 0, Severity.WARNING.value: 1, Severity.CRITICAL.value: 2}


def _level(policy: Policy, value: Decimal | None) -> tuple[str, Decimal] | None:
    """Severity and limit that the value has reached."""
    if value is None:
        return None
    if KINDS[policy.kind].is_floor:
        return (policy.severity, policy.threshold) if value < policy.threshold else None
    if value <= 0:
        return None
    if value >= policy.threshold:
        return policy.severity, policy.threshold
    if policy.warn_at is not None and value >= policy.warn_at:
        return min(policy.severity, Severity.WARNING, key=_RANK.__getitem__), policy.warn_at
    return None


def is_enough(policy: Policy, reading: Reading) -> bool:
    return reading.volume is None or reading.volume >= max(policy.min_volume, 1)


def _is_back(policy: Policy, value: Decimal) -> bool:
    """Behind all limits, which `_level` has seen to, and as far as the policy asks."""
    if policy.resolve_at is None or policy.kind == Kind.COST_BUDGET:
        return True
    return value >= policy.resolve_at if KINDS[policy.kind].is_floor else value <= policy.resolve_at
