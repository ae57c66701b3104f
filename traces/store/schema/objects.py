"""What a table and a view are, in parts that can be compared with those of a store that is there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from agentops_portal.clickhouse import ddl

SOURCE = "{source}"  # in the text of a view: the table that it reads
DATABASE = "{database}"  # in the text of a view: where it is, for what ClickHouse works out where none is selected
_COLUMN = re.compile(
    r"`?(?P<name>[\w.]+)`? (?P<type>.+?)(?: (?P<kind>MATERIALIZED|DEFAULT) (?P<value>.+?))?(?: CODEC\((?P<codec>.+)\))?"
)


@dataclass(frozen=True)
class Column:
    """type: as ClickHouse writes it; kind: MATERIALIZED or DEFAULT, with its expression, or "" without one."""

    type: str
    kind: str = ""
    value: str = ""
    codec: str = ""

    def definition(self, name: str) -> str:
        """SQL: as it stands in CREATE TABLE and after ADD COLUMN."""
        value = f"{self.kind} {self.value}" if self.kind else ""
        codec = f"CODEC({self.codec})" if self.codec else ""
        return " ".join(part for part in (f"`{name}`", self.type, value, codec) if part)


@dataclass(frozen=True)
class Index:
    expression: str
    type: str
    granularity: int

    def definition(self, name: str) -> str:
        return f"{name} {self.expression} TYPE {self.type} GRANULARITY {self.granularity}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that holds rows (or, with engine Null, passes them on). On a cluster it is two: see ddl.py; with engine
    `Join(…)`, which is there to be looked up in, it is one, the same on every server.

    settings: those that are not the server's own; comment: what a roll-up that is being built says of itself.
    """

    name: str
    columns: Mapping[str, Column]
    engine: str = "MergeTree"
    partition_by: str = ""
    order_by: str = ""
    ttl: str = ""
    settings: Mapping[str, int] = field(default_factory=dict)
    indexes: Mapping[str, Index] = field(default_factory=dict)
    shard_by: str = "rand()"
    comment: str = ""

    @property
    def is_held(self) -> bool:
        return self.engine.startswith("Join(")

    def create(self) -> list[str]:
        parts = [column.definition(name) for name, column in self.columns.items()]
        parts += [f"INDEX {index.definition(name)}" for name, index in self.indexes.items()]
        if self.is_held:
            return [
                f"CREATE TABLE IF NOT EXISTS {self.name} {ddl.on_cluster()} ({', '.join(parts)}) ENGINE = {self.engine}"
            ]
        engine = self.engine if self.engine == "Null" else ddl.merge_tree(self.engine)
        return ddl.create_table(self.name, ", ".join(parts), engine, self._clauses(), shard_by=self.shard_by)

    def physical(self) -> list[str]:
        """The names under which it stands in system.tables: itself, on a cluster its shard's table first."""
        return [self.name] if self.is_held else list(dict.fromkeys((ddl.local(self.name), self.name)))

    def replace_by(self, select: str) -> str:
        """SQL that gives a table with engine Join other rows, at once: who looks up meanwhile finds those of before."""
        columns = ", ".join(column.definition(name) for name, column in self.columns.items())
        return f"CREATE OR REPLACE TABLE {self.name} {ddl.on_cluster()} ({columns}) ENGINE = {self.engine} AS {select}"

    def _clauses(self) -> str:
        settings = ", ".join(f"{name} = {value}" for name, value in self.settings.items())
        clauses = {
            "PARTITION BY": self.partition_by,
            "ORDER BY": f"({self.order_by})" if "," in self.order_by else self.order_by or "tuple()",
            "TTL": self.ttl,
            "SETTINGS": settings,
            "COMMENT": f"'{self.comment}'" if self.comment else "",
        }
        if self.engine == "Null":
            return ""
        return " ".join(f"{word} {text}" for word, text in clauses.items() if text)


@dataclass(frozen=True, kw_only=True)
class View:
    """text: its SELECT, with SOURCE for the table `reads`; to: the table that a materialized view fills, "" for a plain
    view.

    A materialized view stands on each shard and reads and fills the tables there.
    """

    name: str
    text: str
    reads: str
    to: str = ""

    def select(self, database: str = "") -> str:
        """The SELECT; with a database it names its table in full, as ClickHouse does when it stores the text."""
        table = ddl.local(self.reads) if self.to else self.reads
        text = self.text.replace(DATABASE, ddl.database())
        return text.replace(SOURCE, f"`{database}`.`{table}`" if database else table)

    def create(self) -> str:
        if self.to:
            return ddl.create_materialized_view(self.name, to=ddl.local(self.to), select=self.select())
        return f"CREATE VIEW IF NOT EXISTS {self.name} {ddl.on_cluster()} AS {self.select()}"

    def alter(self) -> str:
        if self.to:
            return f"ALTER TABLE {self.name} {ddl.on_cluster()} MODIFY QUERY {self.select()}"
        return f"CREATE OR REPLACE VIEW {self.name} {ddl.on_cluster()} AS {self.select()}"


def read_columns(text: str) -> dict[str, Column]:
    """Columns as CREATE TABLE has them, one a line. Raises ValueError for a line that is none."""
    found = {}
    for line in text.strip().splitlines():
        match = _COLUMN.fullmatch(line.strip().rstrip(","))
        if match is None:
            raise ValueError(f"no column: {line}")
        name, *parts = match.group("name", "type", "kind", "value", "codec")
        found[name] = Column(*(part or "" for part in parts))
    return found
