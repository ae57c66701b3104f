"""The portal's objects as a store has them, out of ClickHouse's system tables."""

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.utils import CursorWrapper

from traces.store.schema.objects import Column, Index

# A server, a cluster and ClickHouse Cloud name the same engine differently.
_PREFIX = re.compile(r"^(Replicated|Shared)(?=\w*MergeTree)")
_TTL = re.compile(r" TTL (.+?)(?= SETTINGS |$)")
_SETTINGS = re.compile(r" SETTINGS (.+)$")
_TARGET = re.compile(r"^CREATE MATERIALIZED VIEW \S+ TO (?:\S+\.)?`?(\w+)`?")

_OBJECTS = """
    SELECT name, engine, engine_full, partition_key, sorting_key, as_select, create_table_query, comment
    FROM system.tables WHERE database = currentDatabase() AND has(%s, name)
"""
_COLUMNS = """
    SELECT table, name, type, default_kind, default_expression, compression_codec
    FROM system.columns WHERE database = currentDatabase() AND has(%s, table) ORDER BY position
"""
_INDEXES = """
    SELECT table, name, expr, type_full, granularity
    FROM system.data_skipping_indices WHERE database = currentDatabase() AND has(%s, table)
"""


@dataclass(frozen=True)
class Live:
    """One object. A view has `select` (its tables named with their database) and, a materialized one, `to`."""

    engine: str
    partition_by: str = ""
    order_by: str = ""
    ttl: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    select: str = ""
    to: str = ""
    comment: str = ""
    columns: dict[str, Column] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)

    @property
    def is_view(self) -> bool:
        return self.engine in ("View", "MaterializedView")


def read(cursor: CursorWrapper, names: Collection[str]) -> dict[str, Live]:
    """Those of the objects with these names that the connection's database has."""
    wanted = [sorted(names)]
    cursor.execute(_COLUMNS, wanted)
    columns: dict[str, dict[str, Column]] = defaultdict(dict)
    for table, name, *parts, codec in cursor.fetchall():
        kind, default, value = parts
        columns[table][name] = Column(kind, default, value, codec.removeprefix("CODEC(").removesuffix(")"))
    cursor.execute(_INDEXES, wanted)
    indexes: dict[str, dict[str, Index]] = defaultdict(dict)
    for table, name, *parts in cursor.fetchall():
        indexes[table][name] = Index(*parts)
    cursor.execute(_OBJECTS, wanted)
    return {name: _live(columns[name], indexes[name], *rest) for name, *rest in cursor.fetchall()}


def _live(columns: dict[str, Column], indexes: dict[str, Index], engine: str, full: str, *texts: Any) -> Live:
    partition_by, order_by, select, create, comment = texts
    settings = _found(_SETTINGS, full)
    return Live(
        engine=_PREFIX.sub("", engine),
        partition_by=partition_by,
        order_by=order_by,
        ttl=_found(_TTL, full),
        settings=dict(each.split(" = ", 1) for each in settings.split(", ") if " = " in each),
        select=select,
        to=_found(_TARGET, create),
        comment=comment,
        columns=columns,
        indexes=indexes,
    )


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
