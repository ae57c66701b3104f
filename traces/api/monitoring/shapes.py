"""How the monitoring API writes times, durations, money and states."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from traces.figures import Cost, TraceFigures
from traces.queries.scopes import datetime_of
from traces.replay import milliseconds
from traces.times import iso_utc

SECOND_NS = 10**9


def store_time(nanoseconds: int) -> str:
    """As the store writes a time, UTC: 2026-11-23 09:30:00.123456789."""
    seconds, fraction = divmod(nanoseconds, SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{fraction:09d}"


def naive_time(nanoseconds: int) -> str:
    """ISO 8601 without an offset, UTC, cut to microseconds: 2026-11-23T09:30:00.123456."""
    return datetime_of(nanoseconds).replace(tzinfo=None).isoformat()


def epoch_ms(nanoseconds: int) -> float:
    """Milliseconds since 1970 with microseconds as their fraction: what JavaScript's Date takes."""
    return nanoseconds // 1_000 / 1_000


def dollars(cost: Cost) -> float:
    """What is known of a cost; 0 when nothing is: `unknown_cost_calls` beside it says how many calls are missing."""
    return float(cost.reported or Decimal(0))


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
        "total_cost": dollars(trace.cost),
        "unknown_cost_calls": trace.cost.unknown_calls,
        "prompt_tokens": trace.input_tokens,
        "completion_tokens": trace.output_tokens,
        "total_tokens": trace.total_tokens,
        "models": list(trace.models),
        "agents": list(trace.agents),
        "tags": list(trace.tags),
    }
