"""The traces of a project in a time range: one page of them, their totals, the models to filter by.

A trace belongs to every range that it overlaps (summaries.py), and its figures cover all of its spans, also those that
a filter does not match. Lists are in the order of their starts, so those that began before the range come last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from agentops_portal.clickhouse.gate import Scope, select
from agentops_portal.units import datetime_of
from traces.store.figures import COSTS, FIGURES, Cost, TraceFigures

from .filters import TraceFilter
from .scopes import whole_time
from .summaries import figures_of, newest_rows_sql, traces_sql
from .usage import models_called

PAGE_SIZE = 50


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
    """The newest traces first, or those that follow `after`; those that began before the scope come last."""
    found = (_filtered if wanted else _listed)(scope, wanted, after, size + 1)
    shown = found[:size]
    last = shown[-1] if len(found) > size else None
    return TracePage(traces=shown, next_cursor=Cursor(last.start_ns, last.trace_id) if last else None)


def _until(scope: Scope, after: Cursor) -> Scope:
    """The scope without the days that lie behind the cursor."""
    end = datetime_of(after.start_ns) + timedelta(microseconds=1)
    return replace(scope, end=min(scope.end, max(end, scope.start + timedelta(microseconds=1))))


def _follows(after: Cursor | None) -> tuple[str, dict[str, Any]]:
    if after is None:
        return "true", {}
    condition = "(toUnixTimestamp64Nano(started), trace_id) < ({after_ns:Int64}, {after_id:String})"
    return condition, {"after_ns": after.start_ns, "after_id": after.trace_id}


def _listed(scope: Scope, wanted: TraceFilter, after: Cursor | None, limit: int) -> list[TraceFigures]:
    found = _newest(_until(scope, after) if after else scope, after, limit)
    if len(found) < limit:
        older = {"is_older": "started < {start:DateTime64(9)}"}
        found += _figures(scope, _keys(scope, wanted, after, limit - len(found), also=older))
    return found


def _newest(scope: Scope, after: Cursor | None, limit: int) -> list[TraceFigures]:
    """The newest `limit` traces that start in the scope. Rows that are not their trace's first are skipped."""
    found: dict[str, TraceFigures] = {}
    while len(found) < limit:
        follows, parameters = _follows(after)
        at_once = 2 * (limit - len(found))
        rows = select(
            newest_rows_sql(follows),
            name="trace_list.newest_rows",
            scope=scope,
            parameters=parameters | {"limit": at_once},
        )
        figures = figures_of(scope.project_id, {row["trace_id"] for row in rows})
        for row in rows:
            trace = figures.get(row["trace_id"])
            if trace and trace.start_ns == row["start_ns"]:
                found.setdefault(trace.trace_id, trace)
        if len(rows) < at_once:
            break
        after = Cursor(rows[-1]["start_ns"], rows[-1]["trace_id"])
        scope = _until(scope, after)
    return list(found.values())[:limit]


def _filtered(scope: Scope, wanted: TraceFilter, after: Cursor | None, limit: int) -> list[TraceFigures]:
    """The newest `limit` traces that fit the filter. It looks further back only when the newest days have too few."""
    for newest in _newest_parts(_until(scope, after) if after else scope):
        ids = _keys(newest, wanted, after, limit, started=True)
        if len(ids) == limit:
            return _figures(scope, ids)
    return _figures(scope, _keys(scope, wanted, after, limit))


def _keys(
    scope: Scope,
    wanted: TraceFilter,
    after: Cursor | None,
    limit: int,
    *,
    started: bool = False,
    also: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """The ids of the newest `limit` traces that fit the filter and meet the conditions in `also`."""
    follows, parameters = _follows(after)
    conditions = {**wanted.conditions(), "follows": follows, **also}
    columns = {"id": "trace_id", "start_ns": FIGURES["start_ns"], **conditions}
    rows = select(
        f"SELECT id, start_ns FROM ({traces_sql(scope, columns, started=started)}) "
        f"WHERE {' AND '.join(conditions)} ORDER BY start_ns DESC, id DESC LIMIT {{limit:UInt32}}",
        name="trace_list.older" if also else "trace_list.filtered",
        scope=scope,
        parameters={**wanted.parameters(), **parameters, "limit": limit},
    )
    return [row["id"] for row in rows]


def _figures(scope: Scope, ids: Sequence[str]) -> list[TraceFigures]:
    """In the order of the ids; one may be missing while its day is computed anew."""
    figures = figures_of(scope.project_id, ids)
    return [figures[id_] for id_ in ids if id_ in figures]


def _newest_parts(scope: Scope) -> Iterator[Scope]:
    """The last day of a scope and its last week, where they are much less than all of it."""
    for days in (1, 7):
        start = scope.end - timedelta(days=days)
        if scope.end - scope.start > timedelta(days=2 * days):
            yield replace(scope, start=start)


_SUMS = ("span_count", "llm_calls", "total_tokens", *COSTS)


def totals(scope: Scope, wanted: TraceFilter) -> Totals:
    """Sums over every trace of the range that fits the filter, not over a page of them."""
    conditions = wanted.conditions()
    figures = {f"figure_{name}": FIGURES[name] for name in ("status", *_SUMS)}
    sums = ", ".join(f"sum(figure_{name}) AS {name}" for name in _SUMS)
    [row] = select(
        f"""
        SELECT count() AS traces, countIf(figure_status = 'error') AS error_traces, {sums}
        FROM ({traces_sql(scope, {**figures, **conditions})})
        WHERE {" AND ".join(conditions) or "true"}
        """,
        name="trace_list.totals",
        scope=scope,
        parameters=wanted.parameters(),
    )
    return _totals_of(row)


def _totals_of(row: Mapping[str, Any]) -> Totals:
    plain = ("traces", "error_traces", "llm_calls", "total_tokens")
    return Totals(**{name: row[name] for name in plain}, spans=row["span_count"], cost=Cost.of(row))


def models(scope: Scope, limit: int = 200) -> list[str]:
    """The models called in the range, give or take a quarter of an hour, the most used first."""
    return models_called(scope, limit)


@dataclass(frozen=True)
class Newest:
    """The project's newest trace."""

    trace_id: str
    start_ns: int

    @property
    def start(self) -> datetime:
        return datetime_of(self.start_ns)


def newest_trace(project_id: UUID) -> Newest | None:
    """The trace of a project that started last, at any time; None when it has none at all."""
    newest = _newest(whole_time(project_id), None, 1)
    return Newest(newest[0].trace_id, newest[0].start_ns) if newest else None
