"""GET /public/v1/traces…: what the SDK's validation and AgentOps' MCP server read, and a list, which they miss."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from compat.agentops.v4.metrics import TraceMetricsSerializer, metrics_of_trace
from compat.agentops.v4.parameters import TRACE_ID, TraceListParameters, located_trace
from compat.agentops.v4.spans import NestedField, SpanHeadSerializer, nested_or_flat, span_head
from compat.agentops.v4.traces import TraceListSerializer, list_answer
from compat.contract import ContractError, PublicView
from compat.contract_schema import errors
from traces.store.figures import TraceFigures
from traces.store.queries.span_detail import SpanDetail
from traces.store.queries.trace_detail import trace_figures
from traces.store.queries.trace_spans import MAX_SPANS, trace_spans

TAG = "AgentOps public"
NO_TRACE = "Trace not found"


class PublicSpanSummarySerializer(SpanHeadSerializer):
    span_attributes = NestedField(help_text="What AgentOps leaves out: the SDK's validation looks for it.")


class PublicTraceSerializer(serializers.Serializer[Any]):
    trace_id = serializers.CharField()
    project_id = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    spans = PublicSpanSummarySerializer(many=True, help_text=f"The earliest first; at most {MAX_SPANS:,}.")
    hidden_spans = serializers.IntegerField(help_text="Spans beyond that number, which are not in this answer.")


def public_head(span: SpanDetail) -> dict[str, Any]:
    """What summaries and details of a span share. A root has no parent: null."""
    return {**span_head(span), "parent_span_id": span.parent_span_id or None}


def stored_trace(request: Request, trace_id: str) -> tuple[str, str, TraceFigures, list[SpanDetail]]:
    """Project, id, figures and spans of a trace of the key's project. Raises ContractError 404."""
    stored, scope = located_trace(request, trace_id, NO_TRACE)
    figures = trace_figures(scope, stored)
    if figures is None:
        raise ContractError(404, NO_TRACE)
    return str(scope.project_id), stored, figures, trace_spans(scope, stored)


def _summary(span: SpanDetail) -> dict[str, Any]:
    return {**public_head(span), "span_attributes": nested_or_flat(span.attributes, span)}


class PublicTracesView(PublicView):
    @extend_schema(
        operation_id="public_traces_list",
        summary="Traces of the key's project, and a search in them",
        tags=[TAG],
        parameters=[TraceListParameters],
        responses={200: TraceListSerializer, **errors(400, 404)},
    )
    def get(self, request: Request) -> Response:
        return list_answer(request, "")


class PublicTraceView(PublicView):
    @extend_schema(
        operation_id="public_traces_retrieve",
        summary="A trace and its spans",
        tags=[TAG],
        parameters=[TRACE_ID],
        responses={200: PublicTraceSerializer, **errors(400, 404)},
    )
    def get(self, request: Request, trace_id: str) -> Response:
        project_id, stored, figures, spans = stored_trace(request, trace_id)
        return Response(
            {
                "trace_id": stored,
                "project_id": project_id,
                "tags": list(figures.tags),
                "spans": list(map(_summary, spans)),
                "hidden_spans": max(figures.span_count - len(spans), 0),
            }
        )


class PublicTraceMetricsView(PublicView):
    @extend_schema(
        operation_id="public_traces_metrics",
        summary="Sums of a trace",
        tags=[TAG],
        parameters=[TRACE_ID],
        responses={200: TraceMetricsSerializer, **errors(400, 404)},
    )
    def get(self, request: Request, trace_id: str) -> Response:
        _project_id, _stored, figures, spans = stored_trace(request, trace_id)
        return Response(metrics_of_trace(figures, spans))
