"""Brings a store into the shape that today's code means. `manage.py migrate` does it after the migrations."""

from collections import defaultdict
from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.client import get_client
from agentops_portal.problems import StoreProblem
from traces.store.adoption import copy_what_waits, waits
from traces.store.calls.judging import judge_stored
from traces.store.rollups.rollup import Rollup
from traces.store.schema.adoption import BEFORE
from traces.store.schema.tables import SPANS

from .compare import Cure, Difference, differences
from .description import Description, description
from .filling import Say, is_empty, spans_count
from .renewal import clear, renew


def faults(connection: BaseDatabaseWrapper) -> list[str]:
    """What differs and matters, a sentence each. Changes nothing."""
    found = [str(each) for each in differences(connection) if each.cure is not Cure.NOTHING]
    return [*found, f"the rows of {BEFORE} are not copied yet"] if waits(connection) else found


def keep(connection: BaseDatabaseWrapper, say: Say, wanted: Description | None = None) -> None:
    """Alter what differs, take over what was there before the portal and renew the roll-ups that differ.

    `say` gets a line for each difference and for the progress, unless there are no spans: a new store gets what
    migrations leave to be altered after them.

    Raises StoreProblem before anything is changed when something must be done by hand, and after it when something
    still differs.
    """
    wanted = wanted or description()
    found = differences(connection, wanted)
    if found and _has_spans(connection):
        for difference in found:
            say(f"{difference}{'' if difference.cure is Cure.NOTHING else '.'}")
    _refuse([each for each in found if each.cure is Cure.BY_HAND])
    _alter(connection, found)
    adopts = waits(connection)
    copy_what_waits(connection, [rollup.table for rollup in wanted.rollups])
    unjudged = {view for rollup in wanted.rollups for view in rollup.views if view != rollup.view}
    if adopts or any(each.object in unjudged and each.what == "is missing" for each in found):
        judge_stored(get_client(), say)
    due = _due(connection, wanted, found, say)
    if due:
        renew(connection, due, say)
    clear(connection, [rollup for rollup in wanted.rollups if rollup not in due])
    if found or due:
        _refuse([each for each in differences(connection, wanted) if each.cure is not Cure.NOTHING])


def _has_spans(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM system.tables WHERE database = currentDatabase() AND name = %s", [SPANS])
        if not cursor.fetchall():
            return False
        cursor.execute(f"SELECT 1 FROM {SPANS} LIMIT 1")
        return bool(cursor.fetchall())


def _alter(connection: BaseDatabaseWrapper, found: Sequence[Difference]) -> None:
    """Make what is missing, then tables, then views, which read them."""
    commands: dict[str, list[str]] = defaultdict(list)
    for each in found:
        if each.cure is Cure.COMMAND:
            commands[each.object] += each.statements
    made = [each.statements for each in found if each.cure is Cure.STATEMENTS and each.what == "is missing"]
    changed = [each.statements for each in found if each.cure is Cure.STATEMENTS and each.what != "is missing"]
    altered = [
        [f"ALTER TABLE {' '.join(filter(None, (table, ddl.on_cluster())))} {', '.join(texts)}"]
        for table, texts in commands.items()
    ]
    with connection.cursor() as cursor:
        for statement in (text for texts in (*made, *altered, *changed) for text in texts):
            cursor.execute(statement)


def _due(connection: BaseDatabaseWrapper, wanted: Description, found: Sequence[Difference], say: Say) -> list[Rollup]:
    """The roll-ups to renew: those that differ, and those that are empty though there are spans that count in them."""
    differ = {each.object for each in found if each.cure is Cure.RENEWAL}
    due = []
    with connection.cursor() as cursor:
        for rollup in wanted.rollups:
            if differ & {*rollup.as_table().physical(), *rollup.views}:
                due.append(rollup)
            elif is_empty(cursor, rollup) and spans_count(cursor, rollup):
                say(f"{rollup.table} is empty, and there are spans.")
                due.append(rollup)
    return due


def _refuse(left: Sequence[Difference]) -> None:
    if left:
        raise StoreProblem(
            f"The ClickHouse store is not what this portal needs: {'; '.join(map(str, left))}.",
            "A migration must bring it there, or a backup of the store back; figures may be wrong until then.",
        )
