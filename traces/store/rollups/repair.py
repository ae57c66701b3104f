"""Finds days of which the roll-ups miss spans, and computes those anew.

An insert writes spans and then their roll-up rows. When ClickHouse is killed between the two, the spans are known to
be stored and are not sent again, so nothing else would ever add the rows.
"""

from collections import Counter
from datetime import date, datetime, timedelta

import structlog
from django.db.backends.base.base import BaseDatabaseWrapper

from agentops_portal.clickhouse.client import get_client
from agentops_portal.units import EPOCH_DAY, NS_OF_DAY
from traces.store.calls.judging import judge_what_others_stored
from traces.store.schema.tables import SPANS
from traces.store.schema.verdicts import VERDICTS

from .all import ROLLUPS
from .doubles import remove_doubles
from .rebuild import StillReceiving, rebuild
from .rollup import IN_A_TRACE, units_since_1970

log = structlog.get_logger(__name__)

RECEIVED_DAYS = 2  # of how many days the inserts are checked
_DAY = units_since_1970("Timestamp", NS_OF_DAY)
_RECENT = f"""
SELECT DISTINCT toInt32({_DAY}) FROM {SPANS}
WHERE received_at > now64(3) - toIntervalDay({RECEIVED_DAYS}) AND {IN_A_TRACE}
"""
# The ledger of guardrail runs counts a run once however often it was sent, so its rows cannot be compared with spans.
_COUNTING = [rollup for rollup in ROLLUPS if "spans" in rollup.values]


def wrong_days(connection: BaseDatabaseWrapper, before: date) -> list[date]:
    """Days before `before` (UTC) that got spans lately and whose roll-ups hold another number of spans."""
    with connection.cursor() as cursor:
        stored: Counter[int] = Counter()
        for source in (SPANS, VERDICTS):
            cursor.execute(
                f"SELECT toInt32({_DAY}) AS day, countIf(NOT is_pending) FROM {source} "
                f"WHERE day IN ({_RECENT}) AND day < %s AND {IN_A_TRACE} GROUP BY day",
                [(before - EPOCH_DAY).days],
            )
            stored.update(dict(cursor.fetchall()))
        wrong: set[int] = set()
        for rollup in _COUNTING:
            cursor.execute(
                f"SELECT toInt32({rollup.day()}) AS day, {rollup.held} FROM {rollup.table} "
                f"WHERE day IN ({_RECENT}) GROUP BY day"
            )
            held = dict(cursor.fetchall())
            wrong |= {day for day, spans in stored.items() if held.get(day, 0) != spans}
    return [EPOCH_DAY + timedelta(days=day) for day in sorted(wrong)]


def repair(connection: BaseDatabaseWrapper, now: datetime) -> list[date]:
    """Compute the roll-ups of such days anew and return them; the running day is left to the next one's repair.

    Spans that are stored twice lose their second row first, which makes their days such days. Traces that no receiver
    stored are judged (traces/store/calls).
    """
    remove_doubles(connection, before=now.date())
    judge_what_others_stored(get_client())
    repaired = []
    for day in wrong_days(connection, before=now.date()):
        try:
            rebuild(connection, day, day + timedelta(days=1))
        except StillReceiving as error:
            log.warning("roll-ups that miss spans wait for a quieter hour", reason=str(error))
        else:
            log.warning("roll-ups missed spans and were computed anew", day=str(day))
            repaired.append(day)
    return repaired
