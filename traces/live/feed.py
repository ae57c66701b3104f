"""What happened in a project since the last look."""

import math
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import structlog

from agentops_portal.clickhouse.gate import ClickHouseError, Scope
from agentops_portal.units import milliseconds
from traces.reading.rows import known_dollars, list_row, metrics_of, state
from traces.store.figures import TraceFigures
from traces.store.guard import shown_or
from traces.store.queries.changes import Arrival, arrivals
from traces.store.queries.summaries import figures_of
from traces.store.values.budget import limited

log = structlog.get_logger(__name__)

MAX_TRACES = 200  # told at a time; a page cannot follow more
MAX_KNOWN = 2_000  # the traces that changed last; they are not told again unless they change
# Spans may be seen later than the moment of arrival that they carry: an insert commits when it is done.
OVERLAP_SECONDS = 15
LONGEST_LOOK_SECONDS = 300
METRICS_SECONDS = 10.0  # at most so often while traces arrive
QUIET_METRICS_SECONDS = 60.0  # and so often while none do: it also shows that the connection lives
METRICS_RANGE = timedelta(hours=24)


class Feed:
    """The news of one project. Not thread-safe: one look at a time. The first look learns what is there already."""

    def __init__(self, project_id: UUID, clock: Callable[[], float] = time.monotonic) -> None:
        self._project_id = project_id
        self._clock = clock
        self._known: dict[str, tuple[Arrival, TraceFigures]] = {}
        self._looked_at: float | None = None
        self._metrics_at = clock()
        self._has_news = False

    def look(self) -> list[str]:
        """Messages for all who listen, the oldest first. Raises ClickHouseError."""
        started = self._clock()
        is_first = self._looked_at is None
        with limited():
            news = list(self._changes(started))
        self._looked_at = started
        if is_first:
            return []
        self._has_news = self._has_news or bool(news)
        try:
            news += self._metrics(started)
        except ClickHouseError as error:  # what changed is told all the same
            log.warning("live metrics are left out", error=type(error).__name__)
            self._metrics_at = started
        return news

    def _changes(self, now: float) -> Iterator[str]:
        found = {arrival.trace_id: arrival for arrival in arrivals(self._project_id, self._reach(now), MAX_TRACES)}
        figures = figures_of(
            self._project_id, [name for name, arrival in found.items() if self._arrival_of(name) != arrival]
        )
        for trace in sorted(figures.values(), key=lambda each: (each.start_ns, each.trace_id)):
            arrival, known = found[trace.trace_id], self._known.pop(trace.trace_id, None)
            self._known[trace.trace_id] = (arrival, trace)
            # Of a trace that nothing is known of, the rest may have come before anybody listened.
            if known is None and arrival.spans >= trace.span_count:
                yield _told("trace_new", list_row, trace)
            elif known is None or known[1] != trace:
                yield _told("trace_update", update_row, trace)
        for trace_id in list(self._known)[:-MAX_KNOWN]:
            del self._known[trace_id]

    def _arrival_of(self, trace_id: str) -> Arrival | None:
        known = self._known.get(trace_id)
        return known[0] if known else None

    def _reach(self, now: float) -> int:
        elapsed = 0.0 if self._looked_at is None else now - self._looked_at
        return min(math.ceil(elapsed) + OVERLAP_SECONDS, LONGEST_LOOK_SECONDS)

    def _metrics(self, now: float) -> Iterator[str]:
        wait = METRICS_SECONDS if self._has_news else QUIET_METRICS_SECONDS
        if now - self._metrics_at < wait:
            return
        end = datetime.now(UTC)
        metrics = metrics_of(Scope(self._project_id, end - METRICS_RANGE, end))
        self._metrics_at, self._has_news = self._clock(), False
        times = {"start_time": (end - METRICS_RANGE).isoformat(), "end_time": end.isoformat()}
        yield message("metrics_update", {**times, **metrics})


def _told(kind: str, row: Callable[[TraceFigures], dict[str, Any]], trace: TraceFigures) -> str:
    return shown_or(
        lambda reason: message("error", {"message": reason, "trace_id": trace.trace_id}),
        lambda: message(kind, row(trace)),
        where="live",
        trace_id=trace.trace_id,
    )


def message(kind: str, data: dict[str, Any]) -> str:
    return orjson.dumps({"type": kind, "data": data, "timestamp": datetime.now(UTC).isoformat()}).decode()


def update_row(trace: TraceFigures) -> dict[str, Any]:
    return {
        "trace_id": trace.trace_id,
        "status": state(trace.status),
        "duration": milliseconds(trace.duration_ns),
        "cost": known_dollars(trace.cost),
        "unknown_cost_calls": trace.cost.unknown_calls,
        "span_count": trace.span_count,
        "error_count": trace.error_count,
        "prompt_tokens": trace.input_tokens,
        "completion_tokens": trace.output_tokens,
    }
