"""Renews roll-ups whose table or view differ, while pages read the old figures and spans keep arriving.

1. Each is built in a table beside it (`<name>_next`), day by day, from the spans received so far (filling.py). The old
   table is read and filled meanwhile.
2. The old view is dropped. What arrives from then on is in the spans, and in no roll-up for some seconds.
3. When the inserts that still knew the old view have ended, the days that got spans since 1. are computed once more,
   and the two tables change places.
4. The new view is made; it takes spans from a moment on that lies a little ahead, when every insert knows it. What was
   received between 2. and that moment is added from the spans. Then the view takes everything.

So every span is counted once, by what `received_at` says, whenever it arrives. Killed in 1. to 3., the next run finds
the table beside and goes on with the days it lacks; killed in 4., it finds the new table by its comment, and does 3.
and 4. again with the days that differ. An insert that takes longer than MARGIN may be counted wrongly; the repair at
night (traces/store/rollups/repair.py) finds its day.
"""

import time
from collections.abc import Collection, Sequence
from datetime import timedelta

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from agentops_portal.clickhouse import ddl
from traces.store.rollups.rebuild import now_of
from traces.store.rollups.rollup import Rollup
from traces.store.schema.objects import Table

from .description import digest
from .filling import Say, add, fill, received_since, shadow_of, spans_count
from .live import read

# No insert of spans takes longer, from when it learns which views there are until its spans can be read.
MARGIN = timedelta(seconds=5)


def renew(connection: BaseDatabaseWrapper, rollups: Sequence[Rollup], say: Say) -> None:
    """Give the roll-ups the tables, views and figures of today's code. Safe to run again after it was interrupted."""
    with connection.cursor() as cursor:
        built: list[Rollup] = []
        empty: list[Rollup] = []
        for rollup in rollups:
            (built if spans_count(cursor, rollup) else empty).append(rollup)
        for rollup in empty:
            _make_anew(cursor, rollup)
        if built:
            _build(cursor, [rollup for rollup in built if not _in_place(cursor, rollup)], say)
            say(f"{_names(built)}: changing over, for {round(3 * MARGIN.total_seconds())} seconds or a little more")
            _change_over(cursor, built)
            say(f"{_names(built)}: done")


def copy_beside(cursor: CursorWrapper, rollups: Sequence[Rollup], days: Collection[int]) -> None:
    """Prepare to `renew` roll-ups whose days (since 1970) count otherwise, for the others the figures of now."""
    for rollup in rollups:
        shadow = _marked(shadow_of(rollup), rollup)
        for statement in (*ddl.drop_table(shadow.name), *shadow.create()):
            cursor.execute(statement)
        mine, beside = ddl.local(rollup.table), ddl.local(shadow.name)
        # The same files, until either is changed.
        cursor.execute(f"ALTER TABLE {beside} {ddl.on_cluster()} ATTACH PARTITION ALL FROM {mine}")
        for day in days:
            rows = rollup.in_days(str(day), str(day + 1))
            cursor.execute(f"DELETE FROM {beside} {ddl.on_cluster()} WHERE {rows}")


def clear(connection: BaseDatabaseWrapper, rollups: Sequence[Rollup]) -> None:
    """Drop what a renewal left that was killed at its very end. Of roll-ups that differ in nothing."""
    with connection.cursor() as cursor:
        shadows = [shadow_of(rollup).table for rollup in rollups]
        there = read(cursor, [name for shadow in shadows for name in (shadow, ddl.local(shadow))])
        for rollup, shadow in zip(rollups, shadows, strict=True):
            if shadow in there or ddl.local(shadow) in there:
                _finish(cursor, rollup)


def _make_anew(cursor: CursorWrapper, rollup: Rollup) -> None:
    """No span counts in it, so nobody misses it."""
    statements = [*_drop_views(rollup), *ddl.drop_table(rollup.table), *ddl.drop_table(shadow_of(rollup).table)]
    for statement in (*statements, *rollup.as_table().create(), *(view.create() for view in rollup.as_views())):
        cursor.execute(statement)


def _build(cursor: CursorWrapper, rollups: Sequence[Rollup], say: Say) -> None:
    """Step 1: the tables beside, with all that was received until a moment ago; twice, for what came meanwhile."""
    for rollup in rollups:
        _make_shadow(cursor, rollup)
        for statement in rollup.as_table().create():  # somebody dropped it
            cursor.execute(statement)
    for progress in (say, None):
        for rollup in rollups:
            fill(cursor, shadow_of(rollup), now_of(cursor) - MARGIN, progress)


def _make_shadow(cursor: CursorWrapper, rollup: Rollup) -> None:
    table = _marked(shadow_of(rollup), rollup)
    there = read(cursor, table.physical()).get(ddl.local(table.name))
    if there is not None and there.comment != table.comment:  # of other code
        for statement in ddl.drop_table(table.name):
            cursor.execute(statement)
    for statement in table.create():
        cursor.execute(statement)


def _change_over(cursor: CursorWrapper, rollups: Sequence[Rollup]) -> None:
    """Steps 2 to 4."""
    for rollup in rollups:
        for statement in _drop_views(rollup):
            cursor.execute(statement)
    stopped = now_of(cursor)
    _sleep(MARGIN)
    for rollup in rollups:
        in_place = _in_place(cursor, rollup)
        fill(cursor, rollup if in_place else shadow_of(rollup), stopped)
        if not in_place:
            _exchange(cursor, rollup)
    starts = now_of(cursor) + MARGIN
    for rollup in rollups:
        for view in rollup.as_views(received_since(starts)):
            cursor.execute(view.create())
    _sleep(2 * MARGIN)
    for rollup in rollups:
        add(cursor, rollup, stopped, starts)
        _finish(cursor, rollup)


def _exchange(cursor: CursorWrapper, rollup: Rollup) -> None:
    mine, other = ddl.local(rollup.table), ddl.local(shadow_of(rollup).table)
    cursor.execute(f"EXCHANGE TABLES {mine} AND {other} {ddl.on_cluster()}")
    if ddl.cluster():
        # Its columns are those of the table of a shard.
        _local, distributed = rollup.as_table().create()
        cursor.execute(distributed.replace("CREATE TABLE IF NOT EXISTS", "CREATE OR REPLACE TABLE", 1))


def _finish(cursor: CursorWrapper, rollup: Rollup) -> None:
    """The view takes everything; the table is one like any other, and the old one goes."""
    for view in rollup.as_views():
        cursor.execute(view.alter())
    cursor.execute(f"ALTER TABLE {ddl.local(rollup.table)} {ddl.on_cluster()} MODIFY COMMENT ''")
    for statement in ddl.drop_table(shadow_of(rollup).table):
        cursor.execute(statement)


def _marked(table: Rollup, rollup: Rollup) -> Table:
    """The table with a comment that says for which roll-up, as which code means it, it is built."""
    return table.as_table(f"built for {rollup.view} {digest((rollup.as_table(), *rollup.as_views()))}")


def _in_place(cursor: CursorWrapper, rollup: Rollup) -> bool:
    """Whether an interrupted renewal has exchanged the tables."""
    there = read(cursor, rollup.as_table().physical()).get(ddl.local(rollup.table))
    return there is not None and there.comment == _marked(rollup, rollup).comment


def _drop_views(rollup: Rollup) -> list[str]:
    return [ddl.drop_view(name) for name in rollup.views]


def _names(rollups: Sequence[Rollup]) -> str:
    return ", ".join(rollup.table for rollup in rollups)


def _sleep(duration: timedelta) -> None:
    time.sleep(duration.total_seconds())
