"""The tables of ClickHouse that hold data of projects for longer than a moment, and how old their rows are.

The inbox is none: what is in it is stored within seconds.
"""

from dataclasses import dataclass

from agentops_portal.units import NS_OF_DAY
from traces.store.rollups.all import ROLLUPS
from traces.store.rollups.rollup import Rollup, midnight, units_since_1970
from traces.store.schema.tables import SPANS, UNREADABLE
from traces.store.schema.verdicts import VERDICTS


@dataclass(frozen=True)
class Kept:
    """A table whose rows have a `project_id` and a day. day: SQL, days since 1970; time, unit_ns: as of a Rollup."""

    name: str
    day: str
    time: str
    unit_ns: int | None = None

    @classmethod
    def of(cls, rollup: Rollup) -> "Kept":
        return cls(rollup.table, rollup.day(), rollup.time, rollup.time_unit_ns)

    def before(self, day: int) -> str:
        """SQL condition: rows of days before this one."""
        if self.unit_ns is None:
            return f"{self.time} < {midnight(str(day))}"
        return f"{self.time} < {day * (NS_OF_DAY // self.unit_ns)}"


# Spans last: what was removed in part is out of every list and figure first, and whoever looks again finds the rest.
KEPT = (
    *(Kept.of(rollup) for rollup in ROLLUPS),
    Kept(VERDICTS, units_since_1970("Timestamp", NS_OF_DAY), "Timestamp"),
    Kept(UNREADABLE, "intDiv(toUnixTimestamp64Milli(received_at), 86400000)", "received_at"),
    Kept(SPANS, units_since_1970("Timestamp", NS_OF_DAY), "Timestamp"),
)
