"""Prices the calls that are stored anew when the book says something else about them.

Spans hold no computed amount: they are priced when they are read, and the roll-ups when they are written. So only the
roll-ups are computed anew, of the days in which a call costs something else, beside those that are read meanwhile
(traces/store/shape/renewal.py): pages show the figures of before until they show those of after, and spans keep
arriving. Reported amounts are never touched.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog
from django.db import connection as postgres
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from agentops_portal.clickhouse import ddl
from agentops_portal.units import NS_OF_DAY
from projects.models import User
from projects.services import record
from traces.store.rollups.rollup import units_since_1970
from traces.store.rollups.trace_summaries import TRACE_SUMMARIES
from traces.store.rollups.usage import USAGE
from traces.store.schema.objects import DATABASE
from traces.store.schema.rates import DRAFT_TABLE, HELD_TABLE, RATES, computed_cost
from traces.store.schema.tables import SPANS
from traces.store.schema.verdicts import VERDICTS
from traces.store.shape.renewal import copy_beside, renew

from .filling import LOCK, book_rows, seen_names, write_rates

log = structlog.get_logger(__name__)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Change:
    """What stored calls cost by the book of before and of now, in US dollars, and the days (since 1970) they are of."""

    calls: int
    before: Decimal
    after: Decimal
    days: tuple[int, ...]


def preview() -> Change:
    """What the book as it stands would change, nothing being changed."""
    with transaction.atomic(), postgres.cursor() as lock, connections["clickhouse"].cursor() as cursor:
        lock.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        return _drafted(cursor)


def reprice(actor: User | None = None, say: Say = log.info) -> Change:
    """Let the book as it stands count for what comes and for what is stored. Leaves an audit event.

    May be run again after it was interrupted. Of two processes that do it the second one waits.
    """
    with transaction.atomic(), postgres.cursor() as lock, connections["clickhouse"].cursor() as cursor:
        lock.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        change = _drafted(cursor)
        if change.days:
            copy_beside(cursor, (TRACE_SUMMARIES, USAGE), change.days)
        cursor.execute(HELD_TABLE.replace_by(f"SELECT name, entries FROM {RATES}"))
        if change.days:
            renew(connections["clickhouse"], (TRACE_SUMMARIES, USAGE), say)
            told: dict[str, Any] = {"calls": change.calls, "before": str(change.before), "after": str(change.after)}
            record("price.repriced", actor=actor, target=f"{len(change.days)} days", **told)
    return change


_BEFORE, _AFTER = (computed_cost(table.name) for table in (HELD_TABLE, DRAFT_TABLE))


def _calls(source: str, counts: str) -> str:
    return f"""
    SELECT {units_since_1970("Timestamp", NS_OF_DAY)} AS day, {_BEFORE} AS cost_before, {_AFTER} AS cost_after,
        toInt64({counts}) AS counts
    FROM {source} WHERE is_llm_call AND isNull(reported_cost)
    """


# Layers of calls are taken out again, for they have no cost.
_CHANGES = f"""
SELECT toInt32(day), sum(counts), sum(counts * ifNull(cost_before, 0)), sum(counts * ifNull(cost_after, 0)) FROM (
    {_calls(SPANS, "1")} UNION ALL {_calls(VERDICTS, "sign")}
)
WHERE isNull(cost_before) != isNull(cost_after) OR ifNull(cost_before, 0) != ifNull(cost_after, 0)
GROUP BY day ORDER BY day
"""


def _drafted(cursor: CursorWrapper) -> Change:
    write_rates(cursor, book_rows(seen_names(cursor)))
    cursor.execute(DRAFT_TABLE.replace_by(f"SELECT name, entries FROM {RATES}"))
    cursor.execute(_CHANGES.replace(DATABASE, ddl.database()))
    rows = cursor.fetchall()
    return Change(
        calls=sum(calls for _, calls, _, _ in rows),
        before=sum((before for _, _, before, _ in rows), Decimal(0)),
        after=sum((after for _, _, _, after in rows), Decimal(0)),
        days=tuple(day for day, *_ in rows),
    )
