"""What a store has otherwise than today's code means it, object by object, and what cures it.

Texts are compared as ClickHouse's own formatter writes them, so that only what they mean counts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from agentops_portal.clickhouse import ddl
from traces.store.rollups.rollup import Rollup
from traces.store.schema.objects import Column, Table, View

from .description import Description, description
from .live import Live, read

_SHOWN = 120  # characters of a text, a quarter of them before its first difference


class Cure(Enum):
    STATEMENTS = "statements"  # what is missing is made
    COMMAND = "command"  # of an ALTER TABLE; several of one table run together
    RENEWAL = "renewal"  # of a roll-up: traces/store/shape/renewal.py
    NOTHING = "nothing"  # it is in nobody's way
    BY_HAND = "by hand"  # a migration must do it


@dataclass(frozen=True)
class Difference:
    """object: its name in ClickHouse; what: the end of a sentence about it."""

    object: str
    what: str
    cure: Cure
    statements: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.object} {self.what}"


@dataclass(frozen=True)
class _Pair:
    """Two texts that should mean the same, each a whole statement or "", and the difference if they do not."""

    wanted: str
    live: str
    difference: Difference


def differences(connection: BaseDatabaseWrapper, wanted: Description | None = None) -> list[Difference]:
    """All differences between the store and `wanted`, by default what today's code means. Changes nothing."""
    wanted = wanted or description()
    with connection.cursor() as cursor:
        live = read(cursor, _names(wanted))
        cursor.execute("SELECT currentDatabase()")
        [(database,)] = cursor.fetchall()
        found = list(_all(wanted, live, database))
        texts = _formatted(cursor, [pair for pair in found if isinstance(pair, _Pair)])
    return [
        _told(each, texts) if isinstance(each, _Pair) else each
        for each in found
        if not isinstance(each, _Pair) or texts[each.wanted] != texts[each.live]
    ]


def _names(wanted: Description) -> set[str]:
    tables = {name for table in wanted.all_tables() for name in table.physical()}
    return tables | {view.name for view in wanted.all_views()}


def _all(wanted: Description, live: dict[str, Live], database: str) -> Iterator[Difference | _Pair]:
    for table in wanted.tables:
        yield from _table(table, live)
    for view in wanted.views:
        yield from _view(view, live, database)
    for rollup in wanted.rollups:
        yield from _rollup(rollup, live, database)


def _table(table: Table, live: dict[str, Live]) -> Iterator[Difference | _Pair]:
    for name in table.physical():
        there = live.get(name)
        if there is None:
            yield Difference(name, "is missing", Cure.STATEMENTS, tuple(table.create()))
        elif there.is_view:
            yield Difference(name, "is a view and should be a table", Cure.BY_HAND)
        else:
            yield from _columns(name, table, there)
            if there.engine != "Distributed":
                yield from _keys(name, table, there)
                yield from _indexes(name, table, there)


def _columns(name: str, table: Table, live: Live) -> Iterator[Difference | _Pair]:
    for column, meant in table.columns.items():
        there = live.columns.get(column)
        definition = meant.definition(column)
        if there is None:
            command = f"ADD COLUMN IF NOT EXISTS {definition}"
            yield Difference(name, f"has no column {column}", Cure.COMMAND, (command,))
            continue
        change = Difference(name, f"has another column {column}", Cure.COMMAND, (f"MODIFY COLUMN {definition}",))
        yield _Pair(_creation(column, meant, live), _creation(column, there, live), change)
    for column in live.columns.keys() - table.columns.keys():
        yield Difference(name, f"has a column {column} that nothing uses; it stays", Cure.NOTHING)


def _creation(name: str, column: Column, live: Live) -> str:
    if live.engine == "Distributed":  # it compresses nothing
        column = Column(column.type, column.kind, column.value)
    return f"CREATE TABLE t ({column.definition(name)}) ENGINE = Null"


def _keys(name: str, table: Table, live: Live) -> Iterator[Difference | _Pair]:
    if live.engine != table.engine.partition("(")[0]:
        yield Difference(name, f"has engine {live.engine}, not {table.engine}", Cure.BY_HAND)
    for what, meant, there in (
        ("partition key", table.partition_by, live.partition_by),
        ("sorting key", table.order_by, live.order_by),
    ):
        yield _Pair(_select(meant), _select(there), Difference(name, f"has another {what}", Cure.BY_HAND))
    ttl = f"MODIFY TTL {table.ttl}" if table.ttl else "REMOVE TTL"
    yield _Pair(_select(table.ttl), _select(live.ttl), Difference(name, "has another TTL", Cure.COMMAND, (ttl,)))
    for setting, value in table.settings.items():
        if live.settings.get(setting) != str(value):
            command = f"MODIFY SETTING {setting} = {value}"
            yield Difference(name, f"has another setting {setting}", Cure.COMMAND, (command,))


def _indexes(name: str, table: Table, live: Live) -> Iterator[Difference | _Pair]:
    for index, meant in table.indexes.items():
        there = live.indexes.get(index)
        add = f"ADD INDEX IF NOT EXISTS {meant.definition(index)}"
        if there is None:
            yield Difference(name, f"has no index {index}", Cure.COMMAND, (add,))
        elif (there.type, there.granularity) != (meant.type, meant.granularity) or there.expression != meant.expression:
            yield Difference(name, f"has another index {index}", Cure.COMMAND, (f"DROP INDEX {index}", add))
    for index in live.indexes.keys() - table.indexes.keys():
        yield Difference(name, f"has an index {index} that nothing uses; it stays", Cure.NOTHING)


def _view(view: View, live: dict[str, Live], database: str) -> Iterator[Difference | _Pair]:
    there = live.get(view.name)
    if there is None:
        yield Difference(view.name, "is missing", Cure.STATEMENTS, (view.create(),))
    elif there.to != (ddl.local(view.to) if view.to else "") or not there.is_view:
        yield Difference(view.name, f"fills {there.to or 'nothing'}", Cure.BY_HAND)
    else:
        change = Difference(view.name, "has another text", Cure.STATEMENTS, (view.alter(),))
        yield _Pair(view.select(database), there.select, change)


def _rollup(rollup: Rollup, live: dict[str, Live], database: str) -> Iterator[Difference | _Pair]:
    """Whatever differs, the roll-up is renewed; but for a column that nothing uses."""
    views = [each for view in rollup.as_views() for each in _view(view, live, database)]
    for each in (*_table(rollup.as_table(), live), *views):
        if isinstance(each, _Pair):
            yield _Pair(each.wanted, each.live, _renewed(each.difference))
        else:
            yield _renewed(each)


def _renewed(difference: Difference) -> Difference:
    if difference.cure is Cure.NOTHING:
        return difference
    return Difference(difference.object, difference.what, Cure.RENEWAL)


def _select(expression: str) -> str:
    return f"SELECT {expression}" if expression else ""


def _formatted(cursor: CursorWrapper, pairs: Iterable[_Pair]) -> dict[str, str]:
    """Text → the same in ClickHouse's notation."""
    texts = sorted({text for pair in pairs for text in (pair.wanted, pair.live) if text})
    cursor.execute("SELECT arrayMap(text -> formatQuerySingleLine(text), %s)", [texts])
    [(formatted,)] = cursor.fetchall()
    return {"": "", **dict(zip(texts, formatted, strict=True))}


def _told(pair: _Pair, texts: dict[str, str]) -> Difference:
    """The difference with the place where the two texts part."""
    meant, there = texts[pair.wanted], texts[pair.live]
    same = next((at for at, (a, b) in enumerate(zip(meant, there, strict=False)) if a != b), 0)
    first = max(same - _SHOWN // 4, 0)
    what = f"{pair.difference.what}: …{there[first : first + _SHOWN]}… should be …{meant[first : first + _SHOWN]}…"
    return Difference(pair.difference.object, what, pair.difference.cure, pair.difference.statements)
