"""The figures of usage and of guardrails again, counted span by span; see naive.py."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from agentops_portal.clickhouse.gate import Scope
from traces.store.figures import TraceFigures
from traces.store.queries.guardrails import GuardedTraces, GuardrailUse
from traces.store.queries.requests import Requests
from traces.store.queries.usage import Latency, Usage

from .naive import Row, Run, cost_of, figures_in, guardrail_runs, llm_calls, spans_of, tokens_of

QUARTER_NS = 900 * 10**9
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def spans_in(scope: Scope) -> list[Row]:
    """The spans of every quarter of an hour that the scope touches."""
    first = ns_of(scope.start) // QUARTER_NS
    last = (ns_of(scope.end) - 1) // QUARTER_NS
    return [span for span in spans_of(scope.project_id) if first <= span["start"] // QUARTER_NS <= last]


def usage(spans: Iterable[Row]) -> Usage:
    """Without the latency, which is a histogram's: see durations_of_calls."""
    spans = list(spans)
    calls = llm_calls(spans)
    return Usage(
        calls=len(calls),
        failed_calls=sum(call["StatusCode"] == "Error" for call in calls),
        cache_hits=sum(span["cache_hit"] for span in spans),
        **{
            name: tokens_of(name, spans)
            for name in ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens", "total_tokens")
        },
        cost=cost_of(spans, calls),
        latency=None,
    )


def durations_of_calls(spans: Iterable[Row]) -> list[int]:
    return sorted(span["Duration"] for span in spans if span["is_llm_call"] and span["StatusCode"] != "Error")


def requests(traces: list[TraceFigures]) -> Requests:
    durations = [trace.duration_ns for trace in traces]
    latency = Latency(*(quantile(durations, level) for level in (0.5, 0.95, 0.99))) if durations else None
    return Requests(len(durations), sum(trace.status == "error" for trace in traces), latency)


def quantile(values: list[int], level: float) -> float:
    """Between two values lies their weighted mean, as in a spreadsheet."""
    ordered, place = sorted(values), level * (len(values) - 1)
    below = ordered[int(place)]
    return below + (place - int(place)) * (ordered[min(int(place) + 1, len(ordered) - 1)] - below)


def grouped(spans: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for span in spans:
        groups[key(span)].append(span)
    return dict(groups)


def local_step(step: str, zone: ZoneInfo) -> Callable[[Row], tuple[str, timedelta | None]]:
    """What a clock on the wall shows at the start of the span's step, and for hours how far it is ahead of UTC."""

    def of(span: Row) -> tuple[str, timedelta | None]:
        local = (EPOCH + timedelta(microseconds=span["start"] // 1000)).astimezone(zone)
        if step == "day":
            return local.strftime("%Y-%m-%d"), None
        minute = local.minute // 15 * 15 if step == "quarter" else 0
        return f"{local:%Y-%m-%d %H}:{minute:02}", local.utcoffset()

    return of


def runs_in(scope: Scope) -> list[Run]:
    runs = guardrail_runs(span for span in spans_of(scope.project_id) if span["TraceId"])
    return [run for run in runs if ns_of(scope.start) <= run.start < ns_of(scope.end)]


def guardrail_use(runs: Iterable[Run]) -> list[GuardrailUse]:
    groups: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        groups[run.guardrail, run.mode].append(run)
    found = []
    for (guardrail, mode), group in groups.items():
        durations = sorted(run.end - run.start for run in group)
        outcomes = {
            name: sum(run.outcome == name for run in group)
            for name in ("allowed", "masked", "flagged", "blocked", "failed", "unknown")
        }
        p50, p95 = (durations[min(int(level * len(durations)), len(durations) - 1)] for level in (0.5, 0.95))
        found.append(GuardrailUse(guardrail, mode, len(group), **outcomes, p50_ns=p50, p95_ns=p95))
    return sorted(found, key=lambda use: (-use.blocked, -use.runs, use.guardrail, use.mode))


def guarded_traces(scope: Scope) -> GuardedTraces:
    traces = figures_in(scope.project_id, ns_of(scope.start), ns_of(scope.end))
    return GuardedTraces(
        with_calls=sum(t.llm_calls > 0 for t in traces),
        with_calls_and_runs=sum(t.llm_calls > 0 and t.guardrail_runs > 0 for t in traces),
        with_runs=sum(t.guardrail_runs > 0 for t in traces),
        with_blocks=sum(t.blocked_runs > 0 for t in traces),
    )


def ns_of(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
