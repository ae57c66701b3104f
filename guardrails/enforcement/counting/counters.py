"""What a store of counters does, whichever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol
from uuid import UUID

from ..models import Limit, Measure, Per, Window

IN_FLIGHT: Final = timedelta(minutes=10)  # after which a call is taken to have cost nothing


class CountersAway(Exception):
    """The store does not answer, or a limit was removed while it was counted. Any other error is a fault of ours, and
    no reason to let calls pass.
    """


@dataclass(frozen=True)
class Call:
    """Who calls what, as far as the client says, and how many tokens its prompt is taken to have."""

    project_id: UUID
    key: str = ""
    user: str = ""
    model: str = ""
    trace_id: str = ""
    call_id: str = ""
    tokens: int = 0

    def value(self, per: str) -> str:
        values = {Per.ALL: "", Per.KEY: self.key, Per.USER: self.user, Per.MODEL: self.model}
        return values[Per(per)]


@dataclass(frozen=True)
class Asked:
    """One counter that a call goes to: of a limit, for a value ('' for all together) in a window; and by how much."""

    limit: Limit
    value: str
    start: datetime
    end: datetime
    used: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)

    @classmethod
    def of(cls, limit: Limit, call: Call, now: datetime) -> "Asked":
        more = Decimal(call.tokens if limit.measure == Measure.TOKENS else 1)
        used, reserved = (Decimal(0), limit.reserve) if limit.measure == Measure.COST else (more, Decimal(0))
        return cls(limit, call.value(limit.per), *window_of(limit.window, now), used, reserved)

    def plus(self, other: "Asked") -> "Asked":
        """Of the same counter."""
        return replace(self, used=self.used + other.used, reserved=self.reserved + other.reserved)

    @property
    def name(self) -> tuple[UUID, str, datetime]:
        return self.limit.pk, self.value, self.start

    @property
    def is_cost(self) -> bool:
        return self.limit.measure == Measure.COST

    @property
    def stops(self) -> bool:
        """A limit in shadow counts on when it is used up."""
        return not self.limit.shadow


@dataclass(frozen=True)
class Standing:
    """A counter as a call finds it; when the call was counted, with the call. fits: the call does not pass the limit.
    asked_at: when it was known last what was spent, None for never.
    """

    used: Decimal
    reserved: Decimal
    fits: bool
    asked_at: datetime | None
    is_fresh: bool


@dataclass(frozen=True)
class Counted:
    """was: whether the call was counted in all of them; else it is in none. standings: in the order that was asked."""

    was: bool
    standings: list[Standing]


@dataclass(frozen=True)
class Waiting:
    """A reservation. id: the store's own."""

    id: str
    project_id: UUID
    trace_id: str
    call_id: str
    created_at: datetime


@dataclass(frozen=True)
class Use:
    """What is used of a limit in a window by all together or by one of them (`value`)."""

    limit: Limit
    value: str
    used: Decimal
    reserved: Decimal

    @property
    def used_shown(self) -> str:
        return self.limit.shown(self.used)

    @property
    def reserved_shown(self) -> str:
        return self.limit.shown(self.reserved)


class Counters(Protocol):
    """Each method is one step for all processes: nobody sees half of it. All of them raise CountersAway."""

    def count(self, asked: Sequence[Asked], call: Call, now: datetime, oldest: datetime) -> Counted:
        """Count a call in all of these or, when one that stops is used up or a cost is known for longer than since
        `oldest`, in none.
        """

    def waiting(self, asked: Asked, now: datetime, most: int) -> list[Waiting]:
        """Reservations that hold, the newest first."""

    def claim(self, asked: Asked, now: datetime, again_after: timedelta) -> bool:
        """Whether the caller is the one of all processes who finds out now what was spent."""

    def settle(self, asked: Asked, now: datetime, costs: Mapping[str, Decimal], spent: Decimal | None) -> None:
        """End the reservations whose calls have arrived (id → cost) and those that are over. spent: what is used;
        None: add the costs to it.
        """

    def uses(self, limit: Limit, start: datetime, most: int) -> list[Use]:
        """By those who used most."""


def window_of(window: str, now: datetime) -> tuple[datetime, datetime]:
    """When it began and when it ends."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if window == Window.MONTH:
        first = day.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    if window == Window.WEEK:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    if window == Window.DAY:
        return day, day + timedelta(days=1)
    hour = day.replace(hour=now.astimezone(UTC).hour)
    if window == Window.HOUR:
        return hour, hour + timedelta(hours=1)
    minute = hour.replace(minute=now.minute)
    return minute, minute + timedelta(minutes=1)
