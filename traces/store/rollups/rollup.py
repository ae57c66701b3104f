"""A roll-up: a table that a materialized view fills from every insert into `otel_traces`, whoever inserts.

The view writes a row for each span, and the table's engine makes one of those with the same sorting key: at the
insert, within its block, and later by merging. Until then there are several, so readers always aggregate. (A view
that aggregated itself would do the same work, and each function in it costs every insert time.)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agentops_portal.clickhouse import ddl
from agentops_portal.units import NS_OF_DAY
from traces.store.schema.objects import DATABASE, SOURCE, Column, Index, Table, View
from traces.store.schema.rates import COMPUTED, computed_cost
from traces.store.schema.tables import SPANS
from traces.store.schema.verdicts import VERDICTS

# The trace id of rows that are no spans: points of metrics (traces/store/queries/metric_usage.py).
NO_TRACE = "0" * 32
# A client's clock may be anything: one insert may hold spans of many months.
_SETTINGS = "SETTINGS throw_on_max_partitions_per_insert_block = 0"
IN_A_TRACE = f"TraceId NOT IN ('', '{NO_TRACE}')"
Columns = Mapping[str, tuple[str, str]]  # name → (type, expression over a row of otel_traces)


@dataclass(frozen=True, kw_only=True)
class Rollup:
    """keys: the sorting key, in its order; values: what is aggregated; where: which spans count.

    of_verdicts: value → expression over a row of `span_verdicts`, which adds or takes away what a span does; the keys
    are those of a span. None of a roll-up that no verdict changes.

    time: the key that says when; time_unit_ns: its unit in nanoseconds since 1970, or None for a DateTime64(9).
    A row holds what spans of its time unit add, and a unit never crosses midnight UTC: whole days can be computed
    anew from their spans.
    """

    table: str
    keys: Columns
    values: Columns
    time: str
    time_unit_ns: int | None
    partition_by: str
    shard_by: str
    engine: str = "AggregatingMergeTree"
    where: str = "true"
    index_granularity: int = 8192
    indexes: Mapping[str, Index] = field(default_factory=dict)
    of_verdicts: Mapping[str, str] = field(default_factory=dict)

    @property
    def view(self) -> str:
        return f"{self.table}_mv"

    @property
    def views(self) -> tuple[str, ...]:
        return tuple(view.name for view in self.as_views())

    @property
    def sources(self) -> tuple[str, ...]:
        """The tables whose rows it adds up."""
        return (SPANS, VERDICTS) if self.of_verdicts else (SPANS,)

    def as_table(self, comment: str = "") -> Table:
        columns = {**self.keys, **self.values}
        return Table(
            name=self.table,
            columns={name: Column(kind) for name, (kind, _) in columns.items()},
            engine=self.engine,
            partition_by=self.partition_by,
            order_by=", ".join(self.keys),
            settings={"index_granularity": self.index_granularity},
            indexes=self.indexes,
            shard_by=self.shard_by,
            comment=comment,
        )

    def as_views(self, condition: str = "") -> tuple[View, ...]:
        """The views that fill the table, one for each of `sources`; with a condition they take only rows that meet it.

        What spans tell and what verdicts do have `received_at` and `Timestamp` in common.
        """
        return tuple(
            View(
                name=self.view if reads == SPANS else f"{self.table}_verdicts_mv",
                text=f"{self._text(SOURCE, reads)} AND {condition}" if condition else self._text(SOURCE, reads),
                reads=reads,
                to=self.table,
            )
            for reads in self.sources
        )

    @property
    def held(self) -> str:
        """SQL over rows of the table: how much they have counted, to be compared with `counted`."""
        if "spans" not in self.values:
            return f"uniqExact({', '.join(self.keys)})"
        return "sum(spans) + sum(verdicts)" if self.of_verdicts else "sum(spans)"

    def counted(self, source: str) -> str:
        """SQL over rows of one of `sources` that meet `where`: the same, counted from there."""
        if source == VERDICTS:
            return "count()"
        if "spans" in self.values:
            return f"sum({self.values['spans'][1]})"
        return f"uniqExact({', '.join(expression for _, expression in self.keys.values())})"

    def select(self, source: str) -> str:
        """What the view of one of `sources` reads; a condition may follow with AND."""
        return self._text(source, source).replace(DATABASE, ddl.database())

    def computed(self, rows: str) -> Iterator[str]:
        """Statements that add what the rows of its sources that meet a condition come to."""
        # By name: a column that was added later stands last in the table.
        columns = ", ".join([*self.keys, *self.values])
        for source in self.sources:
            yield f"INSERT INTO {self.table} ({columns}) {self.select(source)} AND {rows} {_SETTINGS}"

    def _text(self, source: str, reads: str) -> str:
        columns = {name: expression for name, (_, expression) in (*self.keys.items(), *self.values.items())}
        if reads == VERDICTS:
            columns |= self.of_verdicts
        rows = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
        # Priced here, where what a span tells stands in columns: a column that is worked out from many others costs an
        # insert what all of them do once more.
        priced = f"WITH {computed_cost()} AS {COMPUTED} " if COMPUTED in rows else ""
        return f"{priced}SELECT {rows} FROM {source} WHERE {self.where}"

    def day(self) -> str:
        """SQL: the day of a row, in days since 1970."""
        if self.time_unit_ns is None:
            return units_since_1970(self.time, NS_OF_DAY)
        return f"intDiv({self.time}, {NS_OF_DAY // self.time_unit_ns})"

    def in_days(self, first: str, end: str) -> str:
        """SQL condition: rows of days from `first` until before `end`, which are SQL of days since 1970."""
        if self.time_unit_ns is None:
            return f"{self.time} >= {midnight(first)} AND {self.time} < {midnight(end)}"
        units = NS_OF_DAY // self.time_unit_ns
        return f"{self.time} >= {first} * {units} AND {self.time} < {end} * {units}"


def on_day(day: str) -> str:
    """SQL condition: spans of a day since 1970, UTC."""
    return f"Timestamp >= {midnight(day)} AND Timestamp < {midnight(f'{day} + 1')}"


def midnight(day: str) -> str:
    """SQL: the start of a day since 1970, UTC, as a time of spans."""
    return f"fromUnixTimestamp64Nano(toInt64({day}) * {NS_OF_DAY}, 'UTC')"


def units_since_1970(moment: str, unit_ns: int) -> str:
    """SQL: how many whole units lie between 1970 and a DateTime64(9). A DateTime would end in 2106."""
    return f"intDiv(toUnixTimestamp64Nano({moment}), {unit_ns})"
