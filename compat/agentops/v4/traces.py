"""GET /v4/traces/list/{project_id}, /v4/traces/detail/{trace_id} and their older addresses."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from compat.contract import ContractError, ContractView
from compat.contract_schema import errors
from traces.store.figures import TraceFigures
from traces.store.queries.filters import TraceFilter
from traces.store.queries.trace_detail import trace_figures
from traces.store.queries.trace_list import Cursor, trace_page
from traces.store.queries.trace_metrics import filtered_sums
from traces.store.queries.trace_spans import MAX_SPANS, trace_spans
from traces.store.queries.trace_table import trace_table

from .metrics import TraceMetricsSerializer, known_number, metrics_of_list, metrics_of_trace
from .parameters import (
    NO_TRACE,
    ORDERS,
    PROJECT_ID,
    TAG,
    TRACE_ID,
    ProjectParameters,
    TraceListParameters,
    located_trace,
    project_of,
    scope_of_range,
)
from .spans import SpanItemSerializer, iso, span_item


class TraceListItemSerializer(serializers.Serializer[Any]):
    freeplan_truncated = serializers.BooleanField(help_text="Always false: there are no plans here.")
    trace_id = serializers.CharField()
    root_service_name = serializers.CharField(allow_blank=True)
    root_span_name = serializers.CharField(allow_blank=True)
    start_time = serializers.CharField(help_text="ISO 8601, UTC: the earliest start of a span.")
    end_time = serializers.CharField(help_text="ISO 8601, UTC: the latest end of a span.")
    duration = serializers.IntegerField(help_text="Nanoseconds between the two.")
    status = serializers.ChoiceField(choices=["ok", "error"])
    span_count = serializers.IntegerField()
    error_count = serializers.IntegerField(help_text="Spans with status ERROR, whatever the status of the trace.")
    tags = serializers.ListField(child=serializers.CharField(), allow_null=True)
    total_cost = serializers.FloatField(
        allow_null=True, help_text="US dollars, as far as known; null when nothing is known of calls that cost."
    )
    unknown_cost_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows.")


class TraceListSerializer(serializers.Serializer[Any]):
    traces = TraceListItemSerializer(many=True)
    metrics = TraceMetricsSerializer(help_text="Of all traces that fit, not of this page.")
    total = serializers.IntegerField(help_text="Traces that fit.")
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True, help_text="Newest first: where the next page begins.")
    freeplan_truncated = serializers.BooleanField(help_text="Always false: there are no plans here.")


class V4TraceDetailSerializer(serializers.Serializer[Any]):
    freeplan_truncated = serializers.BooleanField(help_text="Always false: there are no plans here.")
    project_id = serializers.CharField()
    trace_id = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    metrics = TraceMetricsSerializer()
    spans = SpanItemSerializer(many=True, help_text=f"The earliest first; at most {MAX_SPANS:,}.")
    hidden_spans = serializers.IntegerField(help_text="Spans beyond that number.")


def list_answer(request: Request, project_id: str | None) -> Response:
    """A page of traces with the sums of all that fit. What fits is one rule for items, `total` and `metrics`."""
    project = project_of(request, project_id)
    asked = TraceListParameters.of_query(request)
    scope, wanted = scope_of_range(project, asked), TraceFilter(text=asked["query"])
    traces, following = _page(scope, wanted, asked)
    sums = filtered_sums(scope, wanted)
    return Response(
        {
            "traces": [list_item(trace) for trace in traces],
            "metrics": metrics_of_list(sums),
            "total": sums.traces,
            "limit": asked["limit"],
            "offset": asked["offset"],
            "next_cursor": following and str(following),
            "freeplan_truncated": False,
        }
    )


def _page(scope: Any, wanted: TraceFilter, asked: dict[str, Any]) -> tuple[list[TraceFigures], Cursor | None]:
    order, descending = ORDERS[asked["order_by"]], asked["sort_order"] == "DESC"
    limit, offset = asked["limit"], asked["offset"]
    if order == "start" and descending and not offset:
        page = trace_page(scope, wanted, asked.get("cursor"), limit)
        return page.traces, page.next_cursor
    rows = trace_table(scope, wanted, order=order, descending=descending, limit=limit, offset=offset)
    return rows, None


def list_item(trace: TraceFigures) -> dict[str, Any]:
    return {
        "freeplan_truncated": False,
        "trace_id": trace.trace_id,
        "root_service_name": trace.service,
        "root_span_name": trace.name,
        "start_time": iso(trace.start_ns),
        "end_time": iso(trace.start_ns + trace.duration_ns),
        "duration": trace.duration_ns,
        "status": trace.status,
        "span_count": trace.span_count,
        "error_count": trace.error_count,
        "tags": list(trace.tags),
        "total_cost": known_number(trace.cost.known, trace.cost.unknown_calls),
        "unknown_cost_calls": trace.cost.unknown_calls,
    }


class TraceListView(ContractView):
    @extend_schema(
        operation_id="v4_traces_list",
        summary="Traces of a project",
        description="Traces that overlap the range. Figures of a trace cover all of its spans.",
        tags=[TAG],
        parameters=[PROJECT_ID, TraceListParameters],
        responses={200: TraceListSerializer, **errors(404)},
    )
    def get(self, request: Request, project_id: str) -> Response:
        return list_answer(request, project_id)


class TraceQueryView(ContractView):
    @extend_schema(
        operation_id="v4_traces_query",
        summary="Traces of a project, the project in the query",
        tags=[TAG],
        parameters=[ProjectParameters, TraceListParameters],
        responses={200: TraceListSerializer, **errors(404)},
    )
    def get(self, request: Request) -> Response:
        return list_answer(request, None)


def detail_answer(request: Request, trace_id: str) -> Response:
    stored, scope = located_trace(request, trace_id)
    figures = trace_figures(scope, stored)
    if figures is None:
        raise ContractError(404, NO_TRACE)
    spans = trace_spans(scope, stored)
    return Response(
        {
            "freeplan_truncated": False,
            "project_id": str(scope.project_id),
            "trace_id": stored,
            "tags": list(figures.tags),
            "metrics": metrics_of_trace(figures, spans),
            "spans": [span_item(span) for span in spans],
            "hidden_spans": max(figures.span_count - len(spans), 0),
        }
    )


class TraceDetailView(ContractView):
    @extend_schema(
        operation_id="v4_traces_detail",
        summary="A trace with everything that was sent of its spans",
        tags=[TAG],
        parameters=[TRACE_ID, ProjectParameters],
        responses={200: V4TraceDetailSerializer, **errors(404)},
    )
    def get(self, request: Request, trace_id: str) -> Response:
        return detail_answer(request, trace_id)


class TraceOlderAddressView(ContractView):
    @extend_schema(
        operation_id="v4_traces_retrieve",
        summary="A trace with everything that was sent of its spans, at its older address",
        tags=[TAG],
        parameters=[TRACE_ID, ProjectParameters],
        responses={200: V4TraceDetailSerializer, **errors(404)},
    )
    def get(self, request: Request, trace_id: str) -> Response:
        return detail_answer(request, trace_id)
