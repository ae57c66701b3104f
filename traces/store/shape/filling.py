"""Computes a roll-up from the spans, day by day, so that it can be interrupted and goes on where it stopped.

What a day holds says whether it is done: as much as its spans of before `moment` add up to. Days are filled from the
newest to the oldest, so the oldest day that is there is the one in which a process may have been killed.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.backends.utils import CursorWrapper

from agentops_portal.clickhouse import ddl
from agentops_portal.units import EPOCH_DAY, NS_OF_DAY
from traces.store.rollups.rollup import Rollup, on_day, units_since_1970
from traces.store.schema.tables import SPANS

Say = Callable[[str], None]

_DAY = units_since_1970("Timestamp", NS_OF_DAY)
_LINES = 20  # of progress, for any number of days


def fill(cursor: CursorWrapper, rollup: Rollup, moment: datetime, say: Say | None = None) -> int:
    """Make each day of the roll-up's table hold what its spans received before `moment` add; gives the days computed.

    Nothing else may write into the table meanwhile, and all inserts of spans before `moment` must have ended.
    """
    held = _held(cursor, rollup)
    wanted = _wanted(cursor, rollup, moment)
    wrong = {day for day, count in wanted.items() if held.get(day) != count} | (held.keys() - wanted.keys())
    wrong |= {min(held)} if held else set()
    for done, day in enumerate(sorted(wrong, reverse=True), start=1):
        _compute(cursor, rollup, day, moment, there=day in held)
        if say and (done % max(len(wrong) // _LINES, 1) == 0 or done == len(wrong)):
            # Of a day beyond the calendar the number says enough.
            date = EPOCH_DAY + timedelta(days=min(day, 2_900_000))
            say(f"{rollup.table}: {done} of {len(wrong)} days are computed, down to {date}")
    return len(wrong)


def add(cursor: CursorWrapper, rollup: Rollup, since: datetime, until: datetime) -> None:
    """Add the spans that were received from `since` until before `until`."""
    _insert(cursor, rollup, f"{_received('>=', since)} AND {_received('<', until)}")


def spans_count(cursor: CursorWrapper, rollup: Rollup) -> bool:
    """Whether any span there is counts in the roll-up."""
    cursor.execute(f"SELECT 1 FROM {SPANS} WHERE {rollup.where} LIMIT 1")
    return bool(cursor.fetchall())


def is_empty(cursor: CursorWrapper, rollup: Rollup) -> bool:
    cursor.execute(f"SELECT 1 FROM {rollup.table} LIMIT 1")
    return not cursor.fetchall()


def shadow_of(rollup: Rollup) -> Rollup:
    """The table in which the roll-up is built before it takes its place."""
    return replace(rollup, table=f"{rollup.table}_next")


def received_since(moment: datetime) -> str:
    """SQL condition over spans."""
    return _received(">=", moment)


def _held(cursor: CursorWrapper, rollup: Rollup) -> dict[int, int]:
    cursor.execute(f"SELECT toInt32({rollup.day()}) AS of_day, {rollup.held} FROM {rollup.table} GROUP BY of_day")
    return dict(cursor.fetchall())


def _wanted(cursor: CursorWrapper, rollup: Rollup, moment: datetime) -> dict[int, int]:
    wanted: Counter[int] = Counter()
    for source in rollup.sources:
        cursor.execute(
            f"SELECT toInt32({_DAY}) AS of_day, {rollup.counted(source)} FROM {source} "
            f"WHERE ({rollup.where}) AND {_received('<', moment)} GROUP BY of_day"
        )
        wanted.update(dict(cursor.fetchall()))
    return wanted


def _compute(cursor: CursorWrapper, rollup: Rollup, day: int, moment: datetime, *, there: bool) -> None:
    if there:
        rows = rollup.in_days(str(day), str(day + 1))
        cursor.execute(f"DELETE FROM {ddl.local(rollup.table)} {ddl.on_cluster()} WHERE {rows}")
    _insert(cursor, rollup, f"{on_day(str(day))} AND {_received('<', moment)}")


def _insert(cursor: CursorWrapper, rollup: Rollup, rows: str) -> None:
    for statement in rollup.computed(rows):
        cursor.execute(statement)


def _received(comparison: str, moment: datetime) -> str:
    return f"received_at {comparison} fromUnixTimestamp64Milli(toInt64({round(moment.timestamp() * 1000)}))"
