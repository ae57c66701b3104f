"""The traces of a project in a time range: one page of them, their totals, the models to filter by.

A trace belongs to the range in which it starts, and its figures cover all of its spans, also those that a filter does
not match. Which traces start when is read from `otel_traces_trace_id_ts`, one row per trace and insert; spans are read
for the traces of the page only, or, where a filter or a total needs them, for the traces of the range.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentops_portal.clickhouse.gate import Scope, select
from traces.figures import FIGURES, Cost, TraceFigures, cost_of, figures_sql

from .scopes import datetime_of, scope_of, whole_time

PAGE_SIZE = 50

# HAVING, because min() over a part of a trace's rows would make up a later start.
_STARTED = """
    SELECT TraceId, toUnixTimestamp64Nano(min(Start)) AS start_ns, toUnixTimestamp64Nano(max(End)) AS end_ns
    FROM otel_traces_trace_id_ts
    WHERE project_id = {project_id:String}
    GROUP BY TraceId
    HAVING min(Start) >= {start:DateTime64(9)} AND min(Start) < {end:DateTime64(9)}
"""

_SPANS = f"""
    FROM otel_traces
    WHERE project_id = {{project_id:String}}
        AND Timestamp >= {{start:DateTime64(9)}}
        AND Timestamp <= (SELECT fromUnixTimestamp64Nano(max(end_ns)) FROM ({_STARTED}))
        AND TraceId IN (SELECT TraceId FROM ({_STARTED}))
    GROUP BY TraceId
"""


@dataclass(frozen=True)
class TraceFilter:
    """What a trace must be to be listed; blank means any."""

    text: str = ""  # part of the trace id or of a span's name, whatever the case
    status: str = ""  # ok | error
    model: str = ""
    llm_only: bool = False

    def __bool__(self) -> bool:
        return bool(self.text or self.status or self.model or self.llm_only)

    def having(self) -> str:
        """SQL over a group of spans."""
        conditions = []
        if self.text:
            # Compared as text, so that % and _ mean themselves.
            conditions.append(
                "(position(TraceId, {trace_id_part:String}) > 0 OR "
                "countIf(positionCaseInsensitiveUTF8(SpanName, {text:String}) > 0) > 0)"
            )
        if self.status:
            conditions.append(f"({FIGURES['status']}) = {{status:String}}")
        if self.model:
            conditions.append("countIf(is_llm_call AND model = {model:String}) > 0")
        if self.llm_only:
            conditions.append("countIf(is_llm_call) > 0")
        return f"HAVING {' AND '.join(conditions)}" if conditions else ""

    def parameters(self) -> dict[str, str]:
        values = {
            "text": self.text,
            # No id contains "\n": a text that is no part of an id must not match every id.
            "trace_id_part": self.text.replace("-", "").lower() or "\n",
            "status": self.status,
            "model": self.model,
        }
        having = self.having()
        return {name: value for name, value in values.items() if f"{{{name}:" in having}


@dataclass(frozen=True)
class Cursor:
    """The last trace of a page: the next page holds those that started before it. Text form: `start_ns-trace_id`."""

    start_ns: int
    trace_id: str

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises ValueError when `text` is not what `str()` of a cursor gives."""
        start, _, trace_id = text.partition("-")
        if not (start.isascii() and start.isdigit() and len(start) <= 19):
            raise ValueError("no start time")
        if len(trace_id) > 64 or not trace_id.isascii() or not trace_id.isalnum():
            raise ValueError("no trace id")
        return cls(min(int(start), 2**63 - 1), trace_id)

    def __str__(self) -> str:
        return f"{self.start_ns}-{self.trace_id}"


@dataclass(frozen=True)
class TracePage:
    traces: list[TraceFigures]
    next_cursor: Cursor | None


@dataclass(frozen=True)
class Totals:
    """Sums over all traces of a filter."""

    traces: int
    error_traces: int
    spans: int
    llm_calls: int
    total_tokens: int
    cost: Cost


def trace_page(scope: Scope, wanted: TraceFilter, after: Cursor | None, size: int = PAGE_SIZE) -> TracePage:
    """The newest traces first, or those that follow `after`."""
    keys = _page_keys(scope, wanted, after, size + 1)
    shown = keys[:size]
    figures = _figures_of(scope, shown)
    last = shown[-1] if len(keys) > size else None
    return TracePage(
        traces=[figures[key["TraceId"]] for key in shown if key["TraceId"] in figures],
        next_cursor=Cursor(last["start_ns"], last["TraceId"]) if last else None,
    )


def _page_keys(scope: Scope, wanted: TraceFilter, after: Cursor | None, limit: int) -> list[dict[str, Any]]:
    source = _STARTED
    if wanted:
        source = f"""
            SELECT TraceId, min(toUnixTimestamp64Nano(Timestamp)) AS start_ns,
                max(toUnixTimestamp64Nano(end_timestamp)) AS end_ns
            {_SPANS} {wanted.having()}
        """
    parameters: dict[str, Any] = {**wanted.parameters(), "limit": limit}
    follows = ""
    if after:
        follows = "WHERE (start_ns, TraceId) < ({after_ns:Int64}, {after_id:String})"
        parameters |= {"after_ns": after.start_ns, "after_id": after.trace_id}
    return select(
        f"SELECT TraceId, start_ns, end_ns FROM ({source}) {follows} "
        "ORDER BY start_ns DESC, TraceId DESC LIMIT {limit:UInt32}",
        name="trace_list.keys",
        scope=scope,
        parameters=parameters,
    )


def _figures_of(scope: Scope, keys: list[dict[str, Any]]) -> dict[str, TraceFigures]:
    if not keys:
        return {}
    rows = select(
        f"""
        {figures_sql()}
        FROM otel_traces
        WHERE project_id = {{project_id:String}}
            AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}}
            AND TraceId IN {{trace_ids:Array(String)}}
        GROUP BY TraceId
        """,
        name="trace_list.figures",
        scope=scope_of(scope.project_id, min(key["start_ns"] for key in keys), max(key["end_ns"] for key in keys)),
        parameters={"trace_ids": [key["TraceId"] for key in keys]},
    )
    return {row["figure_trace_id"]: TraceFigures.of(row) for row in rows}


def totals(scope: Scope, wanted: TraceFilter) -> Totals:
    """Sums over every trace that starts in the range and fits the filter, not over a page of them."""
    names = ("status", "span_count", "llm_calls", "total_tokens", "reported_cost", "reported_count")
    [row] = select(
        f"""
        SELECT count() AS traces, countIf(figure_status = 'error') AS error_traces, sum(figure_span_count) AS spans,
            sum(figure_llm_calls) AS llm_calls, sum(figure_total_tokens) AS total_tokens,
            sum(figure_reported_cost) AS reported_cost, sum(figure_reported_count) AS reported_count,
            sum(figure_unknown_cost_calls) AS unknown_cost_calls
        FROM ({figures_sql(*names, "unknown_cost_calls")} {_SPANS} {wanted.having()})
        """,
        name="trace_list.totals",
        scope=scope,
        parameters=wanted.parameters(),
    )
    return _totals_of(row)


def _totals_of(row: Mapping[str, Any]) -> Totals:
    plain = ("traces", "error_traces", "spans", "llm_calls", "total_tokens")
    return Totals(**{name: row[name] for name in plain}, cost=cost_of(row))


def models(scope: Scope, limit: int = 200) -> list[str]:
    """The models called in the range, the most used first."""
    rows = select(
        """
        SELECT toString(model) AS name
        FROM otel_traces
        WHERE project_id = {project_id:String}
            AND Timestamp >= {start:DateTime64(9)} AND Timestamp < {end:DateTime64(9)}
            AND is_llm_call AND model != ''
        GROUP BY name
        ORDER BY count() DESC, name
        LIMIT {limit:UInt32}
        """,
        name="trace_list.models",
        scope=scope,
        parameters={"limit": limit},
    )
    return [row["name"] for row in rows]


@dataclass(frozen=True)
class Newest:
    """The project's newest trace."""

    trace_id: str
    start_ns: int

    @property
    def start(self) -> Any:
        return datetime_of(self.start_ns)


def newest_trace(project_id: Any) -> Newest | None:
    """The trace of a project that started last, at any time; None when it has none at all."""
    rows = select(
        f"SELECT TraceId, start_ns FROM ({_STARTED}) ORDER BY start_ns DESC LIMIT 1",
        name="trace_list.newest",
        scope=whole_time(project_id),
    )
    return Newest(rows[0]["TraceId"], rows[0]["start_ns"]) if rows else None
