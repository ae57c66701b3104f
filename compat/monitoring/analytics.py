"""GET …/metrics, …/analytics/cost-trend, token-usage, performance, performance-summary and guardrails.

All figures are of the traces of the range (traces/store/queries/trace_metrics.py), so trends add up to the
metrics.
"""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.units import milliseconds
from compat.contract import ContractView
from compat.contract_schema import errors
from traces.reading.rows import known_dollars, metrics_of, percent, state, store_time
from traces.store.queries.trace_metrics import (
    BINS,
    TraceSums,
    duration_histogram,
    trace_durations,
    trace_sums,
    trace_trend,
)

from .parameters import TAG, TrendParameters, TypedRangeParameters, filter_of_type, scope_of_range

MAX_DURATIONS = 10_000


class MetricsSerializer(serializers.Serializer[Any]):
    trace_count = serializers.IntegerField()
    error_trace_count = serializers.IntegerField(help_text="Traces that ended in an error: the numerator of fail rate.")
    span_count = serializers.IntegerField()
    error_count = serializers.IntegerField(help_text="Spans with status Error.")
    llm_call_count = serializers.IntegerField(help_text="Model invocations, each once.")
    agent_call_count = serializers.IntegerField(
        help_text="Spans of agents in all traces, counted in quarters of an hour that the range touches."
    )
    total_cost = serializers.FloatField(help_text="US dollars, as far as they are known.")
    unknown_cost_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows.")
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    cache_read_input_tokens = serializers.IntegerField(help_text="Part of prompt_tokens.")
    reasoning_tokens = serializers.IntegerField(help_text="Part of completion_tokens.")
    avg_duration = serializers.FloatField(help_text="Milliseconds, of traces: from first start to last end.")
    p50_duration = serializers.FloatField(help_text="Milliseconds, of traces.")
    p95_duration = serializers.FloatField(help_text="Milliseconds, of traces.")
    p99_duration = serializers.FloatField(help_text="Milliseconds, of traces.")


BUCKET = "hour: 2026-11-23 09:00:00, day: 2026-11-23, week: the date of its Monday; in the time zone asked for."


class CostBucketSerializer(serializers.Serializer[Any]):
    timestamp = serializers.CharField(help_text=BUCKET)
    start = serializers.DateTimeField(help_text="When the bucket starts, with the zone's offset.")
    cost = serializers.FloatField(help_text="US dollars, as far as they are known.")
    unknown_cost_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows.")


class TokenBucketSerializer(serializers.Serializer[Any]):
    timestamp = serializers.CharField(help_text=BUCKET)
    start = serializers.DateTimeField(help_text="When the bucket starts, with the zone's offset.")
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    cache_hits = serializers.IntegerField(help_text="Input tokens that the provider read from its cache.")


class DurationSerializer(serializers.Serializer[Any]):
    trace_id = serializers.CharField()
    timestamp = serializers.CharField(help_text="Start, UTC, nanoseconds: 2026-11-23 09:30:00.123456789.")
    duration = serializers.IntegerField(help_text="Whole milliseconds, from the first start to the last end.")
    duration_ms = serializers.FloatField(help_text="The same, not rounded.")
    status = serializers.ChoiceField(choices=["success", "error"])


class BinSerializer(serializers.Serializer[Any]):
    start = serializers.FloatField(help_text="Milliseconds.")
    end = serializers.FloatField(help_text="Milliseconds.")
    count = serializers.IntegerField()


class PerformanceSummarySerializer(serializers.Serializer[Any]):
    trace_count = serializers.IntegerField()
    error_count = serializers.IntegerField(help_text="Traces that ended in an error.")
    error_rate = serializers.FloatField(help_text="Percent of the traces.")
    avg_duration = serializers.FloatField(help_text="Milliseconds.")
    p50_duration = serializers.FloatField(help_text="Milliseconds.")
    p95_duration = serializers.FloatField(help_text="Milliseconds.")
    p99_duration = serializers.FloatField(help_text="Milliseconds.")
    histogram = BinSerializer(many=True, help_text=f"{BINS} equally wide bins; none when there is no trace.")


class PerformanceParameters(TypedRangeParameters):
    limit = serializers.IntegerField(default=1_000, min_value=1, max_value=MAX_DURATIONS)


class MetricsView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="Figures of a project in a range",
        parameters=[TypedRangeParameters],
        responses={200: MetricsSerializer, **errors(404)},
    )
    def get(self, request: Request) -> Response:
        asked = TypedRangeParameters.of_query(request)
        return Response(metrics_of(scope_of_range(request, asked), filter_of_type(asked["trace_type"])))


class _TrendView(ContractView):
    def trend(self, request: Request) -> list[tuple[dict[str, str], TraceSums]]:
        asked = TrendParameters.of_query(request)
        wanted = filter_of_type(asked["trace_type"])
        found = trace_trend(scope_of_range(request, asked), asked["interval"], asked["timezone"], wanted)
        return [(bucket(start, asked["interval"]), sums) for start, sums in found.items()]


def bucket(start: datetime, interval: str) -> dict[str, str]:
    """How a bucket is named: on the clocks of its zone, and unmistakably."""
    local = start.replace(tzinfo=None)
    name = local.isoformat(" ") if interval == "hour" else local.date().isoformat()
    return {"timestamp": name, "start": start.isoformat()}


class CostTrendView(_TrendView):
    @extend_schema(
        tags=[TAG],
        summary="Cost over time",
        description="Buckets without traces are there, with 0.",
        parameters=[TrendParameters],
        responses={200: CostBucketSerializer(many=True), **errors(404)},
    )
    def get(self, request: Request) -> Response:
        return Response(
            [
                {**named, "cost": known_dollars(sums.cost), "unknown_cost_calls": sums.cost.unknown_calls}
                for named, sums in self.trend(request)
            ]
        )


class TokenUsageView(_TrendView):
    @extend_schema(
        tags=[TAG],
        summary="Tokens over time",
        description="Buckets without traces are there, with 0.",
        parameters=[TrendParameters],
        responses={200: TokenBucketSerializer(many=True), **errors(404)},
    )
    def get(self, request: Request) -> Response:
        return Response(
            [
                {
                    **named,
                    "prompt_tokens": sums.input_tokens,
                    "completion_tokens": sums.output_tokens,
                    "cache_hits": sums.cached_input_tokens,
                }
                for named, sums in self.trend(request)
            ]
        )


class PerformanceView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="How long traces took",
        description="The newest traces of the range first, at most `limit`. Percentiles, error rate and histogram of"
        " all traces of the range: `performance-summary`.",
        parameters=[PerformanceParameters],
        responses={200: DurationSerializer(many=True), **errors(404)},
    )
    def get(self, request: Request) -> Response:
        asked = PerformanceParameters.of_query(request)
        wanted = filter_of_type(asked["trace_type"])
        return Response(
            [
                {
                    "trace_id": trace.trace_id,
                    "timestamp": store_time(trace.start_ns),
                    "duration": round(milliseconds(trace.duration_ns)),
                    "duration_ms": milliseconds(trace.duration_ns),
                    "status": state(trace.status),
                }
                for trace in trace_durations(scope_of_range(request, asked), asked["limit"], wanted)
            ]
        )


class PerformanceSummaryView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="Percentiles, error rate and histogram of all traces of a range",
        parameters=[TypedRangeParameters],
        responses={200: PerformanceSummarySerializer, **errors(404)},
    )
    def get(self, request: Request) -> Response:
        asked = TypedRangeParameters.of_query(request)
        scope, wanted = scope_of_range(request, asked), filter_of_type(asked["trace_type"])
        sums, durations = trace_sums(scope, wanted)
        counts = duration_histogram(scope, durations.shortest, durations.longest, wanted) if sums.traces else []
        width = (durations.longest - durations.shortest) / BINS
        edges = [milliseconds(durations.shortest + width * number) for number in range(BINS + 1)]
        return Response(
            {
                "trace_count": sums.traces,
                "error_count": sums.error_traces,
                "error_rate": percent(sums.error_traces, sums.traces),
                "avg_duration": milliseconds(durations.average),
                "p50_duration": milliseconds(durations.p50),
                "p95_duration": milliseconds(durations.p95),
                "p99_duration": milliseconds(durations.p99),
                "histogram": [
                    {"start": edges[number], "end": edges[number + 1], "count": count}
                    for number, count in enumerate(counts)
                ],
            }
        )
