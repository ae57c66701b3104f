"""Traces and the sums of a range as plain values: for live updates and the monitoring API, whose names they have."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import NS_OF_SECOND, datetime_of, iso_utc, milliseconds
from traces.store.figures import Cost, TraceFigures
from traces.store.queries.agents import agent_calls
from traces.store.queries.filters import TraceFilter
from traces.store.queries.trace_metrics import EVERY, trace_sums


def store_time(nanoseconds: int) -> str:
    """As the store writes a time, UTC: 2026-11-23 09:30:00.123456789."""
    seconds, fraction = divmod(nanoseconds, NS_OF_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{fraction:09d}"


def naive_time(nanoseconds: int) -> str:
    """ISO 8601 without an offset, UTC, cut to microseconds: 2026-11-23T09:30:00.123456."""
    return datetime_of(nanoseconds).replace(tzinfo=None).isoformat()


def epoch_ms(nanoseconds: int) -> float:
    """Milliseconds since 1970 with microseconds as their fraction: what JavaScript's Date takes."""
    return nanoseconds // 1_000 / 1_000


def known_dollars(cost: Cost) -> float:
    """What is known of a cost; 0 when nothing is: `unknown_cost_calls` beside it says how many calls are missing."""
    return float(cost.known or Decimal(0))


def percent(part: int, whole: int, digits: int = 2) -> float:
    """0 to 100; 0 when there is no whole."""
    return round(100 * part / whole, digits) if whole else 0.0


def state(status: str) -> str:
    """A trace's status (ok, error) in this API's words."""
    return "error" if status == "error" else "success"


def list_row(trace: TraceFigures) -> dict[str, Any]:
    """A trace as the list and live updates show it."""
    return {
        "trace_id": trace.trace_id,
        "service_name": trace.service,
        "span_name": trace.name,
        "start_time": store_time(trace.start_ns),
        "started_at": iso_utc(trace.start_ns),
        "duration": milliseconds(trace.duration_ns),
        "status": state(trace.status),
        "span_count": trace.span_count,
        "error_count": trace.error_count,
        "llm_call_count": trace.llm_calls,
        "total_cost": known_dollars(trace.cost),
        "unknown_cost_calls": trace.cost.unknown_calls,
        "prompt_tokens": trace.input_tokens,
        "completion_tokens": trace.output_tokens,
        "total_tokens": trace.total_tokens,
        "models": list(trace.models),
        "agents": list(trace.agents),
        "tags": list(trace.tags),
    }


def metrics_of(scope: Scope, wanted: TraceFilter = EVERY) -> dict[str, Any]:
    """As MetricsSerializer says; live updates send the same."""
    sums, durations = trace_sums(scope, wanted)
    return {
        "trace_count": sums.traces,
        "error_trace_count": sums.error_traces,
        "span_count": sums.span_count,
        "error_count": sums.error_count,
        "llm_call_count": sums.llm_calls,
        "agent_call_count": agent_calls(scope),
        "total_cost": known_dollars(sums.cost),
        "unknown_cost_calls": sums.cost.unknown_calls,
        "prompt_tokens": sums.input_tokens,
        "completion_tokens": sums.output_tokens,
        "total_tokens": sums.total_tokens,
        "cache_read_input_tokens": sums.cached_input_tokens,
        "reasoning_tokens": sums.reasoning_tokens,
        "avg_duration": milliseconds(durations.average),
        "p50_duration": milliseconds(durations.p50),
        "p95_duration": milliseconds(durations.p95),
        "p99_duration": milliseconds(durations.p99),
    }
