"""GET /v4/meterics/project/{project_id}, spelled so by today's clients, and its other addresses.

What the numbers mean here, and where that differs from AgentOps:

- A trace belongs to every range that it overlaps, with all of its spans; both ends are included.
- `span_count` counts spans by their own status; `unknown` and `indeterminate` are both those with status UNSET.
- Outcomes of traces (`success`, `fail`) follow the status of the trace: there is no third, so
  `indeterminate_datetime` is always empty. `fail_datetime` ÷ (`success_datetime` + `fail_datetime`) is the share of
  traces that failed.
- `total_tokens` and `avg_tokens` split by the outcome of the trace; each average is per trace of that outcome.
- Durations are of traces, from the first start to the last end, and never sums or means over spans that lie within
  each other.
- `trace_cost_dates` holds all traces, failed ones included, by the day (UTC) in which they start.
- Lists with an entry for each trace hold at most about LISTED traces; `listed_one_of` says that they are every k-th.
"""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import fixed_dollars
from compat.contract import ContractView
from compat.contract_schema import errors
from projects.models import Project
from traces.store.queries.project_metrics import (
    Outcome,
    ProjectMetrics,
    cost_by_day,
    project_metrics,
    sampled_traces,
    spans_per_trace,
)
from traces.store.queries.trace_metrics import TraceSums

from .parameters import PROJECT_ID, TAG, ProjectParameters, RangeParameters, project_of, scope_of_range
from .spans import iso, naive_iso

LISTED = 10_000
BUCKETS = 10


class SpanCountSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    success = serializers.IntegerField()
    fail = serializers.IntegerField()  # type: ignore[assignment]
    unknown = serializers.IntegerField()
    indeterminate = serializers.IntegerField()


class ByOutcomeSerializer(serializers.Serializer[Any]):
    all = serializers.IntegerField()
    success = serializers.IntegerField()
    fail = serializers.IntegerField()  # type: ignore[assignment]


class AverageByOutcomeSerializer(serializers.Serializer[Any]):
    all = serializers.FloatField()
    success = serializers.FloatField()
    fail = serializers.FloatField()  # type: ignore[assignment]


class TokenMetricsSerializer(serializers.Serializer[Any]):
    total_cost = serializers.CharField(help_text="US dollars, five decimals, as far as they are known.")
    average_cost_per_session = serializers.CharField(help_text="Per trace.")
    unknown_cost_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows.")
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    cache_read_input_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()
    total_tokens = ByOutcomeSerializer()
    avg_tokens = AverageByOutcomeSerializer(help_text="Per trace with the outcome, two decimals.")


class DurationMetricsSerializer(serializers.Serializer[Any]):
    min_duration_ns = serializers.IntegerField()
    max_duration_ns = serializers.IntegerField()
    avg_duration_ns = serializers.IntegerField()
    total_duration_ns = serializers.IntegerField()
    trace_durations = serializers.ListField(child=serializers.IntegerField(), help_text="Ascending.")


class ProjectMetricsSerializer(serializers.Serializer[Any]):
    project_id = serializers.CharField()
    trace_count = serializers.IntegerField()
    span_count = SpanCountSerializer()
    token_metrics = TokenMetricsSerializer()
    duration_metrics = DurationMetricsSerializer(help_text="Of traces, nanoseconds.")
    success_datetime = serializers.ListField(child=serializers.CharField(), help_text="Starts of traces, naive UTC.")
    fail_datetime = serializers.ListField(child=serializers.CharField(), help_text="Starts of traces, naive UTC.")
    indeterminate_datetime = serializers.ListField(child=serializers.CharField(), help_text="Always empty.")
    spans_per_trace = serializers.DictField(child=serializers.IntegerField(), help_text="Start of bucket → traces.")
    trace_durations = serializers.ListField(child=serializers.IntegerField(), help_text="Nanoseconds, ascending.")
    trace_cost_dates = serializers.DictField(child=serializers.FloatField(), help_text="YYYY-MM-DD → US dollars.")
    listed_one_of = serializers.IntegerField(help_text="Lists with an entry for each trace hold every k-th; mostly 1.")
    start_time = serializers.CharField(help_text="First start of a trace in the range; 1970 when there is none.")
    end_time = serializers.CharField(help_text="Last start of a trace in the range; 1970 when there is none.")
    freeplan_truncated = serializers.BooleanField(help_text="Always false: there are no plans here.")


def project_answer(request: Request, project_id: str | None) -> Response:
    project = project_of(request, project_id)
    scope = scope_of_range(project, RangeParameters.of_query(request))
    return Response(project_metrics_of(project, scope))


def project_metrics_of(project: Project, scope: Scope) -> dict[str, Any]:
    """The answer for one project and range."""
    metrics = project_metrics(scope)
    both = metrics.both
    one_of = max(1, -(-both.traces // LISTED))
    traces = sampled_traces(scope, one_of) if both.traces else []
    durations = sorted(trace.duration_ns for trace in traces)
    width = max(1, max((outcome.most_spans for outcome in metrics.outcomes), default=0) // BUCKETS)
    buckets = spans_per_trace(scope, width) if both.traces else {}
    return {
        "project_id": str(project.pk),
        "trace_count": both.traces,
        "span_count": _span_count(both),
        "token_metrics": _token_metrics(metrics),
        "duration_metrics": {**_durations(metrics.outcomes), "trace_durations": durations},
        "success_datetime": [naive_iso(trace.start_ns) for trace in traces if trace.status == "ok"],
        "fail_datetime": [naive_iso(trace.start_ns) for trace in traces if trace.status == "error"],
        "indeterminate_datetime": [],
        "spans_per_trace": {str(start): count for start, count in buckets.items()},
        "trace_durations": durations,
        "trace_cost_dates": {day.isoformat(): float(cost) for day, cost in cost_by_day(scope).items()},
        "listed_one_of": one_of,
        "start_time": iso(min((outcome.first_start_ns for outcome in metrics.outcomes), default=0)),
        "end_time": iso(max((outcome.last_start_ns for outcome in metrics.outcomes), default=0)),
        "freeplan_truncated": False,
    }


def _span_count(sums: TraceSums) -> dict[str, int]:
    unset = sums.span_count - sums.ok_count - sums.error_count
    return {
        "total": sums.span_count,
        "success": sums.ok_count,
        "fail": sums.error_count,
        "unknown": unset,
        "indeterminate": unset,
    }


def _token_metrics(metrics: ProjectMetrics) -> dict[str, Any]:
    both = metrics.both
    by_outcome = {"all": both, "success": metrics.ok.sums, "fail": metrics.error.sums}
    known = both.cost.known or Decimal(0)
    return {
        "total_cost": fixed_dollars(known, 5),
        "average_cost_per_session": fixed_dollars(known / both.traces if both.traces else Decimal(0), 5),
        "unknown_cost_calls": both.cost.unknown_calls,
        "prompt_tokens": both.input_tokens,
        "completion_tokens": both.output_tokens,
        "cache_read_input_tokens": both.cached_input_tokens,
        "reasoning_tokens": both.reasoning_tokens,
        "total_tokens": {name: sums.total_tokens for name, sums in by_outcome.items()},
        "avg_tokens": {
            name: round(sums.total_tokens / sums.traces, 2) if sums.traces else 0.0 for name, sums in by_outcome.items()
        },
    }


def _durations(outcomes: list[Outcome]) -> dict[str, int]:
    traces = sum(outcome.sums.traces for outcome in outcomes)
    total = sum(outcome.total_duration_ns for outcome in outcomes)
    return {
        "min_duration_ns": min((outcome.shortest_ns for outcome in outcomes), default=0),
        "max_duration_ns": max((outcome.longest_ns for outcome in outcomes), default=0),
        "avg_duration_ns": total // traces if traces else 0,
        "total_duration_ns": total,
    }


class ProjectMetricsView(ContractView):
    @extend_schema(
        operation_id="v4_project_metrics",
        summary="Sums of a project",
        description=__doc__,
        tags=[TAG],
        parameters=[PROJECT_ID, RangeParameters],
        responses={200: ProjectMetricsSerializer, **errors(404)},
    )
    def get(self, request: Request, project_id: str) -> Response:
        return project_answer(request, project_id)


class ProjectMetricsQueryView(ContractView):
    @extend_schema(
        operation_id="v4_project_metrics_query",
        summary="Sums of a project, the project in the query",
        tags=[TAG],
        parameters=[ProjectParameters, RangeParameters],
        responses={200: ProjectMetricsSerializer, **errors(404)},
    )
    def get(self, request: Request) -> Response:
        return project_answer(request, None)
