"""Counters in PostgreSQL: tables LimitUse and Reservation."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from ..models import Limit, LimitUse, Reservation
from .counters import IN_FLIGHT, Asked, Call, Counted, CountersAway, Standing, Use, Waiting
from .line import Line
from .own_connection import own_cursor

# One statement, so that calls are one round trip and their counters are locked no longer than that takes. They are
# locked in one order, and what is then read is what the caller before has left. That the last half second of counts may
# be lost when PostgreSQL itself crashes is the price for not waiting for its disk while all others wait for the lock.
COUNT: Final = """
WITH asked AS (
    SELECT * FROM jsonb_to_recordset(%(counters)s::jsonb) AS asked (
        place int, limit_id uuid, value text, window_start timestamptz, more_used numeric, more_reserved numeric,
        amount numeric, stops boolean, is_cost boolean, oldest timestamptz
    )
), standing AS (
    SELECT asked.*, kept.id, kept.used, kept.reserved, kept.asked_at,
        kept.used + kept.reserved + more_used + more_reserved <= amount AS fits,
        NOT is_cost OR coalesce(kept.asked_at > oldest, false) AS is_fresh
    FROM guardrails_limituse AS kept JOIN asked USING (limit_id, value, window_start)
    ORDER BY kept.id
    FOR UPDATE OF kept
), verdict AS (
    SELECT count(*) = %(count)s AND bool_and(is_fresh AND (fits OR NOT stops)) AS counts,
        set_config('synchronous_commit', 'off', true) AS soon
    FROM standing
), counted AS (
    UPDATE guardrails_limituse AS kept
    SET used = kept.used + more_used, reserved = kept.reserved + more_reserved
    FROM standing, verdict WHERE kept.id = standing.id AND verdict.counts
), set_aside AS (
    INSERT INTO guardrails_reservation (use_id, project_id, amount, trace_id, call_id, created_at, expires_at)
    SELECT standing.id, project_id, aside.amount, trace_id, call_id, now, expires
    FROM jsonb_to_recordset(%(calls)s::jsonb) AS aside (
        place int, project_id uuid, amount numeric, trace_id text, call_id text, now timestamptz, expires timestamptz
    ) JOIN standing USING (place), verdict
    WHERE verdict.counts
)
SELECT counts, used, reserved, fits, asked_at, is_fresh, more_used, more_reserved
FROM standing, verdict ORDER BY place
"""
MAKE: Final = """
INSERT INTO guardrails_limituse (limit_id, value, window_start, used, reserved)
SELECT limit_id, value, window_start, 0, 0
FROM jsonb_to_recordset(%(counters)s::jsonb) AS asked (limit_id uuid, value text, window_start timestamptz)
ORDER BY limit_id
ON CONFLICT (limit_id, value, window_start) DO NOTHING
"""


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, IntegrityError) as error:
        raise CountersAway(type(error).__name__) from error


class InPostgres:
    """See Counters."""

    def __init__(self) -> None:
        self._line = Line(_count_all)

    def count(self, asked: Sequence[Asked], call: Call, now: datetime, oldest: datetime) -> Counted:
        question = _Question(asked, call, now, oldest)
        # Within a transaction of the caller's, nobody else can count with it.
        answer = _count_alone(question) if connection.in_atomic_block else self._line.ask(question)
        if isinstance(answer, CountersAway):
            raise answer
        return answer

    def waiting(self, asked: Asked, now: datetime, most: int) -> list[Waiting]:
        with _reached():
            rows = _reservations(asked).filter(expires_at__gt=now).order_by("-created_at")[:most]
            return [Waiting(str(row.pk), row.project_id, row.trace_id, row.call_id, row.created_at) for row in rows]

    def claim(self, asked: Asked, now: datetime, again_after: timedelta) -> bool:
        due = Q(claimed_at=None) | Q(claimed_at__lte=now - again_after)
        with _reached():
            return bool(_kept(asked).filter(due).update(claimed_at=now))

    def settle(self, asked: Asked, now: datetime, costs: Mapping[str, Decimal], spent: Decimal | None) -> None:
        with _reached(), transaction.atomic():
            # The counter first, as those do who reserve: two that wait for each other would wait for ever.
            counter = _kept(asked).select_for_update(of=("self",)).first()
            if counter is None:
                raise CountersAway("a counter was removed")
            over = Q(pk__in=[int(each) for each in costs]) | Q(expires_at__lte=now)
            released, cost = _release(_reservations(asked).filter(over), costs)
            counter.reserved = max(Decimal(0), counter.reserved - released)
            counter.used = counter.used + cost if spent is None else spent
            counter.asked_at = now
            counter.save(update_fields=["used", "reserved", "asked_at"])

    def uses(self, limit: Limit, start: datetime, most: int) -> list[Use]:
        with _reached():
            rows = limit.uses.filter(window_start=start).order_by("-used")[:most]
            return [Use(limit, row.value, row.used, row.reserved) for row in rows]


class _Question(NamedTuple):
    asked: Sequence[Asked]
    call: Call
    now: datetime
    oldest: datetime


def _count_all(questions: Sequence[_Question]) -> list[Counted | CountersAway]:
    """Calls that came together are counted together, if there is room for all of them; else each in its turn."""
    if len(questions) > 1:
        try:
            together = _count(questions)
        except CountersAway:
            together = None  # one call is no reason to refuse the others
        if together is not None and together.was:
            found = dict(zip(_sums(questions), together.standings, strict=True))
            return [Counted(True, [found[each.name] for each in question.asked]) for question in questions]
    return [_count_alone(question) for question in questions]


def _count_alone(question: _Question) -> Counted | CountersAway:
    try:
        return _count([question])
    except CountersAway as error:
        return error


def _count(questions: Sequence[_Question]) -> Counted:
    """All of the calls, or none. Standings are in the order of _sums. Raises CountersAway."""
    sums = _sums(questions)
    oldest = max(question.oldest for question in questions)
    parameters = {
        "counters": _json(_counter(place, each, oldest) for place, each in enumerate(sums.values())),
        "calls": _json(_reservations_of(questions, list(sums))),
        "count": len(sums),
    }
    with _reached(), own_cursor() as cursor:
        rows = cursor.execute(COUNT, parameters).fetchall()
        if len(rows) < len(sums):  # the first call of a window
            cursor.execute(MAKE, parameters)
            rows = cursor.execute(COUNT, parameters).fetchall()
    if len(rows) < len(sums):
        raise CountersAway("a counter was removed")
    return Counted(bool(rows[0][0]), [_standing(row) for row in rows])


def _sums(questions: Sequence[_Question]) -> dict[tuple[UUID, str, datetime], Asked]:
    """Each counter once, with what all calls add to it."""
    found: dict[tuple[UUID, str, datetime], Asked] = {}
    for question in questions:
        for each in question.asked:
            same = found.get(each.name)
            found[each.name] = each.plus(same) if same else each
    return found


def _counter(place: int, each: Asked, oldest: datetime) -> dict[str, Any]:
    return {
        "place": place,
        "limit_id": each.limit.pk,
        "value": each.value,
        "window_start": each.start,
        "more_used": str(each.used),
        "more_reserved": str(each.reserved),
        "amount": str(each.limit.amount),
        "stops": each.stops,
        "is_cost": each.is_cost,
        "oldest": oldest,
    }


def _reservations_of(
    questions: Sequence[_Question], places: Sequence[tuple[UUID, str, datetime]]
) -> Iterator[dict[str, Any]]:
    for asked, call, now, _ in questions:
        for each in asked:
            if each.is_cost:
                yield {
                    "place": places.index(each.name),
                    "project_id": call.project_id,
                    "amount": str(each.reserved),
                    "trace_id": call.trace_id,
                    "call_id": call.call_id,
                    "now": now,
                    "expires": now + IN_FLIGHT,
                }


def _json(rows: Iterable[dict[str, Any]]) -> str:
    """A list of each kind would cost the client more than the statement costs the server."""
    return orjson.dumps(list(rows)).decode()


def _standing(row: Sequence[Any]) -> Standing:
    was, used, reserved, fits, asked_at, is_fresh, more_used, more_reserved = row
    if was:
        used, reserved = used + more_used, reserved + more_reserved
    return Standing(used, reserved, fits, asked_at, is_fresh)


def _kept(asked: Asked) -> QuerySet[LimitUse]:
    return LimitUse.objects.filter(limit=asked.limit, value=asked.value, window_start=asked.start)


def _reservations(asked: Asked) -> QuerySet[Reservation]:
    return Reservation.objects.filter(use__in=_kept(asked))


def _release(rows: QuerySet[Reservation], costs: Mapping[str, Decimal]) -> tuple[Decimal, Decimal]:
    """What was reserved for these, and what they did cost. A row that another process released is gone already."""
    gone = list(rows.select_for_update(of=("self",)).values_list("pk", "amount"))
    Reservation.objects.filter(pk__in=[pk for pk, _ in gone]).delete()
    released = sum((amount for _, amount in gone), Decimal(0))
    return released, sum((costs.get(str(pk), Decimal(0)) for pk, _ in gone), Decimal(0))
