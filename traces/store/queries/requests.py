"""How many requests there were, how many failed and how long they took, in a range and over time.

A request is a trace (traces/store/figures.py), which is in a range that it overlaps: what lists, pages and reports
count, and what usage says beside its calls. Over time it stands in the step in which it starts or, if it began before
the range, in the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agentops_portal.clickhouse.gate import Scope, select
from agentops_portal.units import NS_OF_QUARTER
from traces.store.figures import FIGURES

from .steps import Step, key_sql, steps_of
from .summaries import traces_sql
from .trace_metrics import COUNTED_NS, DURATION, PERCENTILES
from .usage import Latency

_TRACE = {"status": FIGURES["status"], "duration": DURATION}
_COUNTS = f"count() AS requests, countIf(status = 'error') AS failed_requests, {PERCENTILES}(duration) AS percentiles"


@dataclass(frozen=True)
class Requests:
    requests: int = 0
    failed_requests: int = 0
    request_latency: Latency | None = None  # from first start to last end; None: there was none

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Requests":
        latency = Latency(*row["percentiles"]) if row["requests"] else None
        return cls(row["requests"], row["failed_requests"], latency)


def requests_total(scope: Scope) -> Requests:
    """Of the traces that overlap the scope."""
    [row] = select(f"SELECT {_COUNTS} FROM ({traces_sql(scope, _TRACE)})", name="requests.total", scope=scope)
    return Requests.of(row)


def requests_over_time(scope: Scope, step: Step, zone: ZoneInfo) -> dict[datetime, Requests]:
    """By quarters of an hour, hours or days as they are cut in a time zone, empty ones included."""
    steps = steps_of(scope, step, zone)
    source = traces_sql(scope, {**_TRACE, "quarter": f"intDiv({COUNTED_NS}, {NS_OF_QUARTER})"})
    rows = select(
        f"SELECT {key_sql(step)} AS step, {_COUNTS} FROM ({source}) GROUP BY step",
        name="requests.over_time",
        scope=scope,
        parameters=steps.parameters,
    )
    found = {row["step"]: Requests.of(row) for row in rows}
    return {start: found.get(key, Requests()) for key, start in steps.starts.items()}
