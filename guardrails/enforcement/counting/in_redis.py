"""Counters in Redis: each a hash, and a sorted set of the reservations; scripts make each step one step.

Amounts are whole numbers, of money nano-dollars. Scripts compare them as doubles: exact up to nine million dollars.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid4

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..models import Limit, Measure
from .counters import IN_FLIGHT, Asked, Call, Counted, CountersAway, Standing, Use, Waiting

SECONDS: Final = 1.0
KEPT: Final = timedelta(days=1)  # beyond a window's end
NANO: Final = 1_000_000_000
# KEYS: counter and reservations of each. ARGV: now, oldest; of each used, reserved, amount, stops, is_cost, value, what
# keeps the reservation, when the counter goes.
COUNT: Final = """
local function number(text) return tonumber(text or '0') end
local counts, standings = 1, {}
for place = 0, #KEYS / 2 - 1 do
    local kept = redis.call('HMGET', KEYS[2 * place + 1], 'used', 'reserved', 'asked_at')
    local at = 8 * place + 2
    local sum = number(kept[1]) + number(kept[2]) + number(ARGV[at + 1]) + number(ARGV[at + 2])
    local fits = sum <= number(ARGV[at + 3]) and 1 or 0
    local fresh = (ARGV[at + 5] == '0' or number(kept[3]) > number(ARGV[2])) and 1 or 0
    if fresh == 0 or (ARGV[at + 4] == '1' and fits == 0) then counts = 0 end
    standings[place + 1] = {kept[1] or '0', kept[2] or '0', fits, kept[3] or '', fresh}
end
if counts == 1 then
    for place = 0, #KEYS / 2 - 1 do
        local counter, flight, at = KEYS[2 * place + 1], KEYS[2 * place + 2], 8 * place + 2
        redis.call('HINCRBY', counter, 'used', ARGV[at + 1])
        redis.call('HINCRBY', counter, 'reserved', ARGV[at + 2])
        redis.call('HSET', counter, 'value', ARGV[at + 6])
        redis.call('PEXPIREAT', counter, ARGV[at + 8])
        if ARGV[at + 5] == '1' then
            redis.call('ZADD', flight, ARGV[1], ARGV[at + 7])
            redis.call('PEXPIREAT', flight, ARGV[at + 8])
        end
    end
end
return {counts, standings}
"""
# KEYS: counter, reservations. ARGV: now, when those were made that are over, spent or '', value, when the counter goes;
# of each that has arrived the reservation and its cost.
SETTLE: Final = """
local counter, flight, cost = KEYS[1], KEYS[2], 0
local function release(each)
    if redis.call('ZREM', flight, each) == 0 then return false end
    redis.call('HINCRBY', counter, 'reserved', '-' .. string.match(each, '^(%d+)|'))
    return true
end
for place = 6, #ARGV, 2 do
    if release(ARGV[place]) and ARGV[3] == '' then redis.call('HINCRBY', counter, 'used', ARGV[place + 1]) end
end
for _, each in ipairs(redis.call('ZRANGEBYSCORE', flight, '-inf', ARGV[2])) do release(each) end
if tonumber(redis.call('HGET', counter, 'reserved') or '0') < 0 then redis.call('HSET', counter, 'reserved', '0') end
if ARGV[3] ~= '' then redis.call('HSET', counter, 'used', ARGV[3]) end
redis.call('HSET', counter, 'asked_at', ARGV[1], 'value', ARGV[4])
redis.call('PEXPIREAT', counter, ARGV[5])
return 1
"""


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise CountersAway(type(error).__name__) from error


class InRedis:
    """See Counters."""

    def __init__(self, url: str) -> None:
        # Nothing is tried twice: a call that was counted before the answer was lost would count twice.
        self._redis = Redis.from_url(
            url,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            health_check_interval=2,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._count = self._redis.register_script(COUNT)
        self._settle = self._redis.register_script(SETTLE)

    def count(self, asked: Sequence[Asked], call: Call, now: datetime, oldest: datetime) -> Counted:
        keys: list[str] = []
        arguments: list[str | int] = [_stamp(now), _stamp(oldest)]
        for each in asked:
            keys += (_counter(each), _flight(each))
            reserved = _units(each.limit, each.reserved)
            arguments += (_units(each.limit, each.used), reserved, _whole(each.limit))
            arguments += (int(each.stops), int(each.is_cost), each.value)
            arguments += (_reservation(reserved, call), _stamp(each.end + KEPT))
        with _reached():
            was, rows = self._count(keys=keys, args=arguments)
        pairs = zip(asked, rows, strict=True)
        return Counted(bool(was), [_standing(each, row, counted=bool(was)) for each, row in pairs])

    def waiting(self, asked: Asked, now: datetime, most: int) -> list[Waiting]:
        since = _stamp(now - IN_FLIGHT)
        with _reached():
            rows: Any = self._redis.zrevrangebyscore(
                _flight(asked), "+inf", f"({since}", start=0, num=most, withscores=True
            )
        return [_waiting(member, score) for member, score in rows]

    def claim(self, asked: Asked, now: datetime, again_after: timedelta) -> bool:
        with _reached():
            return bool(self._redis.set(f"{_counter(asked)}:claim", "1", nx=True, px=again_after))

    def settle(self, asked: Asked, now: datetime, costs: Mapping[str, Decimal], spent: Decimal | None) -> None:
        arguments: list[str | int] = [
            *(_stamp(now), _stamp(now - IN_FLIGHT), "" if spent is None else _units(asked.limit, spent)),
            *(asked.value, _stamp(asked.end + KEPT)),
        ]
        for reservation, cost in costs.items():
            arguments += (reservation, _units(asked.limit, cost))
        with _reached():
            self._settle(keys=[_counter(asked), _flight(asked)], args=arguments)

    def uses(self, limit: Limit, start: datetime, most: int) -> list[Use]:
        of_limit = f"{_of(limit)}:{_stamp(start)}:*:counter"
        with _reached():
            found: list[Any] = [self._redis.hgetall(key) for key in self._redis.scan_iter(of_limit, count=1000)]
        uses = [
            Use(limit, each.get("value", ""), _amount(limit, each.get("used")), _amount(limit, each.get("reserved")))
            for each in found
        ]
        return sorted(uses, key=lambda use: use.used, reverse=True)[:most]


def _of(limit: Limit) -> str:
    return f"portal:limit:{limit.pk}"


def _name(asked: Asked) -> str:
    """Of a user's name, which may be anything, a digest."""
    value = hashlib.blake2b(asked.value.encode(), digest_size=16).hexdigest()
    return f"{_of(asked.limit)}:{_stamp(asked.start)}:{value}"


def _counter(asked: Asked) -> str:
    return f"{_name(asked)}:counter"


def _flight(asked: Asked) -> str:
    return f"{_name(asked)}:flight"


def _stamp(moment: datetime) -> int:
    """Milliseconds."""
    return int(moment.timestamp() * 1000)


def _units(limit: Limit, amount: Decimal) -> int:
    return round(Decimal(amount) * (NANO if limit.measure == Measure.COST else 1))


def _whole(limit: Limit) -> int:
    """The amount of a limit: of a request and a half one passes."""
    return int(limit.amount * (NANO if limit.measure == Measure.COST else 1))


def _amount(limit: Limit, units: str | None) -> Decimal:
    number = Decimal(units or 0)
    return number / NANO if limit.measure == Measure.COST else number


def _reservation(reserved: int, call: Call) -> str:
    return f"{reserved}|{uuid4().hex}|{call.project_id}|{call.trace_id}|{call.call_id}"


def _waiting(member: str, score: float) -> Waiting:
    _, _, project_id, trace_id, call_id = member.split("|", 4)
    return Waiting(member, UUID(project_id), trace_id, call_id, datetime.fromtimestamp(score / 1000, UTC))


def _standing(asked: Asked, row: Any, *, counted: bool) -> Standing:
    used, reserved, fits, asked_at, is_fresh = row
    more_used, more_reserved = (asked.used, asked.reserved) if counted else (Decimal(0), Decimal(0))
    return Standing(
        _amount(asked.limit, used) + more_used,
        _amount(asked.limit, reserved) + more_reserved,
        bool(fits),
        datetime.fromtimestamp(int(asked_at) / 1000, UTC) if asked_at else None,
        bool(is_fresh),
    )
