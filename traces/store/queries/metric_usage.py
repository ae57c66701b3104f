"""Tokens and cost that metrics tell of services that send no traces of their calls: usage of a source of its own, which
is in no other figure.

The rows are points of metrics (traces/ingest/otlp/usage_metrics.py). A point of a cumulative series tells what was
counted since the series began: what a range used is its last point less the last one before the range.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.dialects.base import attribute
from traces.store.dialects.model_names import undated
from traces.store.rollups.rollup import NO_TRACE as NO_TRACE
from traces.store.rollups.usage import USAGE

from .usage import IN_RANGE

# How long before a range the point may lie that a cumulative series is counted from. Exporters send one a minute.
LOOK_BACK = timedelta(days=1)
MOST = 1_000


class Point:
    """Attributes of a row that is a point of a metric; its name is that of the metric, its start the point's time."""

    KIND = "portal.metric.kind"  # input, output, cache_read, cache_write, cost
    MODEL = "portal.metric.model"
    VALUE = "portal.metric.value"
    SERIES = "portal.metric.series"
    BEGAN = "portal.metric.began"  # of a cumulative series, nanoseconds


@dataclass(frozen=True)
class MetricUsage:
    service: str
    model: str
    input_tokens: int = 0  # with what was read from a cache and written to one
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cost: Decimal | None = None  # US dollars; None: not told

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


_POINTS = f"""
    SELECT ServiceName AS service, SpanName AS metric, {attribute(Point.KIND)} AS kind,
        {undated(attribute(Point.MODEL))} AS model, {attribute(Point.SERIES)} AS series,
        toFloat64OrZero({attribute(Point.VALUE)}) AS value, {attribute(Point.BEGAN)} AS began,
        Timestamp >= {{since:DateTime64(9)}} AS is_in
    FROM otel_traces
    WHERE project_id = {{project_id:String}} AND TraceId = '{NO_TRACE}'
        AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}}
        AND ServiceName GLOBAL NOT IN (
            SELECT toString(service) FROM {USAGE.table} WHERE {IN_RANGE} AND type IN ('llm', 'embedding')
        )
    LIMIT 1 BY TraceId, SpanId
"""
# Of a series whose points before the range are not there: all of it when it began since they are looked for.
_BEFORE = (
    "multiIf(countIf(NOT is_in) > 0, maxIf(value, NOT is_in), "
    "toInt64OrZero(any(began)) >= toUnixTimestamp64Nano({start:DateTime64(9)}), 0, minIf(value, is_in))"
)
_OF_SERIES = f"multiIf(any(began) = '', sumIf(value, is_in), countIf(is_in) = 0, 0, maxIf(value, is_in) - {_BEFORE})"
# A client that tells the same under two names, an old one and the standard's, means it once.
_SQL = f"""
    SELECT service, model, kind, max(used) AS amount FROM (
        SELECT service, model, kind, metric, sum(of_series) AS used FROM (
            SELECT service, model, kind, metric, series, {_OF_SERIES} AS of_series
            FROM ({_POINTS}) GROUP BY service, model, kind, metric, series
        ) GROUP BY service, model, kind, metric
    ) GROUP BY service, model, kind HAVING amount > 0
    ORDER BY service, model, kind
    LIMIT {5 * MOST}
"""


def metric_usage(scope: Scope) -> list[MetricUsage]:
    """By service and model, for services of which no call is known by a trace; those with the most tokens first."""
    rows = select(
        _SQL,
        name="metric_usage",
        scope=replace(scope, start=scope.start - LOOK_BACK),
        parameters={"since": scope.start},
    )
    told: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        told.setdefault((row["service"], row["model"]), {})[row["kind"]] = row["amount"]
    found = [_usage(service, model, amounts) for (service, model), amounts in told.items()]
    return sorted(found, key=lambda each: (-each.total_tokens, each.service, each.model))[:MOST]


def _usage(service: str, model: str, amounts: Mapping[str, Any]) -> MetricUsage:
    read = round(amounts.get("cache_read", 0))
    return MetricUsage(
        service,
        model,
        input_tokens=round(amounts.get("input", 0)) + read + round(amounts.get("cache_write", 0)),
        output_tokens=round(amounts.get("output", 0)),
        cached_input_tokens=read,
        cost=Decimal(str(round(amounts["cost"], 12))) if "cost" in amounts else None,
    )
