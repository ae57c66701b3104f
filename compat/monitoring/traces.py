"""GET …/traces, …/traces/{trace_id}: the list, and one trace with all that was sent of its spans."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.units import LAST_NS, NS_OF_MS, milliseconds
from compat.contract import ContractView
from compat.contract_schema import errors
from traces.reading.rows import known_dollars, list_row, state, store_time
from traces.store.queries.filters import TraceFilter
from traces.store.queries.span_detail import SpanDetail
from traces.store.queries.trace_detail import trace_figures
from traces.store.queries.trace_metrics import trace_count
from traces.store.queries.trace_spans import MAX_SPANS, trace_spans
from traces.store.queries.trace_table import trace_table

from .parameters import (
    TAG,
    ProjectParameters,
    TypedRangeParameters,
    filter_of_type,
    located_trace,
    scope_of_range,
    trace_not_found,
)


def _bound(help_text: str) -> serializers.DecimalField:
    return serializers.DecimalField(
        required=False, max_digits=24, decimal_places=12, min_value=Decimal(0), help_text=help_text
    )


class TraceListParameters(TypedRangeParameters):
    search = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=200,
        help_text="Part of the trace id or of a span's name. The figures of a trace found cover all of its spans.",
    )
    page = serializers.IntegerField(default=1, min_value=1, max_value=1_000_000)
    size = serializers.IntegerField(default=20, min_value=1, max_value=100)
    status = serializers.ChoiceField(choices=["success", "error"], required=False, allow_blank=True, default="")
    model = serializers.CharField(required=False, allow_blank=True, default="", max_length=300, trim_whitespace=False)
    tag = serializers.CharField(required=False, allow_blank=True, default="", max_length=300, trim_whitespace=False)
    min_duration = _bound("Milliseconds.")
    max_duration = _bound("Milliseconds.")
    min_cost = _bound("US dollars that are known.")
    max_cost = _bound("US dollars that are known.")

    def wanted(self, asked: dict[str, Any]) -> TraceFilter:
        return filter_of_type(
            asked["trace_type"],
            text=asked["search"].strip(),
            status={"success": "ok", "error": "error", "": ""}[asked["status"]],
            model=asked["model"],
            tag=asked["tag"],
            min_duration_ns=_nanoseconds(asked.get("min_duration")),
            max_duration_ns=_nanoseconds(asked.get("max_duration")),
            min_cost=asked.get("min_cost"),
            max_cost=asked.get("max_cost"),
        )


def _nanoseconds(milliseconds: Decimal | None) -> int | None:
    return None if milliseconds is None else min(int(milliseconds * NS_OF_MS), LAST_NS)


class MonitoringTraceRowSerializer(serializers.Serializer[Any]):
    trace_id = serializers.CharField()
    service_name = serializers.CharField(help_text="Of the root.")
    span_name = serializers.CharField(help_text="Of the root.")
    start_time = serializers.CharField(help_text="UTC, nanoseconds: 2026-11-23 09:30:00.123456789.")
    started_at = serializers.CharField(help_text="The same with its offset: 2026-11-23T09:30:00.123456789Z.")
    duration = serializers.FloatField(help_text="Milliseconds, from the first start to the last end.")
    status = serializers.ChoiceField(choices=["success", "error"])
    span_count = serializers.IntegerField()
    error_count = serializers.IntegerField(help_text="Spans with status Error, whatever the status of the trace.")
    llm_call_count = serializers.IntegerField()
    total_cost = serializers.FloatField(help_text="US dollars, as far as they are known.")
    unknown_cost_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows.")
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    models = serializers.ListField(child=serializers.CharField())
    agents = serializers.ListField(child=serializers.CharField())
    tags = serializers.ListField(child=serializers.CharField())


class MonitoringTracePageSerializer(serializers.Serializer[Any]):
    traces = MonitoringTraceRowSerializer(many=True)
    total = serializers.IntegerField(help_text="Traces on all pages.")
    page = serializers.IntegerField()
    size = serializers.IntegerField()


class MonitoringSpanSerializer(serializers.Serializer[Any]):
    trace_id = serializers.CharField()
    span_id = serializers.CharField()
    parent_span_id = serializers.CharField(help_text="Empty for a root.", allow_blank=True)
    span_name = serializers.CharField()
    span_kind = serializers.CharField()
    span_type = serializers.CharField(help_text="llm, embedding, tool, agent, guardrail, retriever, http, other …")
    service_name = serializers.CharField()
    timestamp = serializers.CharField(help_text="Start, UTC, nanoseconds: 2026-11-23 09:30:00.123456789.")
    duration = serializers.FloatField(help_text="Milliseconds.")
    status_code = serializers.CharField(help_text="Ok, Error or Unset.")
    status_message = serializers.CharField(allow_blank=True)
    span_attributes = serializers.DictField(child=serializers.CharField())
    resource_attributes = serializers.DictField(child=serializers.CharField())
    project_id = serializers.CharField()


class MonitoringTraceSerializer(serializers.Serializer[Any]):
    trace_id = serializers.CharField()
    project_id = serializers.CharField()
    status = serializers.ChoiceField(choices=["success", "error"])
    spans = MonitoringSpanSerializer(many=True, help_text=f"The earliest first; at most {MAX_SPANS:,}.")
    total_spans = serializers.IntegerField(help_text="Of the trace, also those that are too many to be answered.")
    total_cost = serializers.FloatField(help_text="US dollars, as far as they are known.")
    unknown_cost_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows.")
    tags = serializers.ListField(child=serializers.CharField())


class TracesView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="The traces of a project",
        description="Traces that overlap the range, the newest first.",
        parameters=[TraceListParameters],
        responses={200: MonitoringTracePageSerializer, **errors(404)},
    )
    def get(self, request: Request) -> Response:
        asked = TraceListParameters.of_query(request)
        scope = scope_of_range(request, asked)
        wanted, page, size = TraceListParameters().wanted(asked), asked["page"], asked["size"]
        total = trace_count(scope, wanted)
        offset = (page - 1) * size
        traces = []
        if offset < total:
            traces = trace_table(scope, wanted, order="start", descending=True, limit=size, offset=offset)
        return Response({"traces": [list_row(trace) for trace in traces], "total": total, "page": page, "size": size})


class TraceView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="One trace with its spans",
        parameters=[ProjectParameters],
        responses={200: MonitoringTraceSerializer, **errors(404)},
    )
    def get(self, request: Request, trace_id: str) -> Response:
        stored, scope = located_trace(request, trace_id)
        figures = trace_figures(scope, stored)
        if figures is None:
            raise trace_not_found(trace_id)
        project_id = str(scope.project_id)
        return Response(
            {
                "trace_id": stored,
                "project_id": project_id,
                "status": state(figures.status),
                "spans": [span_row(span, project_id) for span in trace_spans(scope, stored)],
                "total_spans": figures.span_count,
                "total_cost": known_dollars(figures.cost),
                "unknown_cost_calls": figures.cost.unknown_calls,
                "tags": list(figures.tags),
            }
        )


def span_row(span: SpanDetail, project_id: str) -> dict[str, Any]:
    """A span with its attributes as they were sent, flat."""
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "span_name": span.name,
        "span_kind": span.kind,
        "span_type": span.type,
        "service_name": span.service,
        "timestamp": store_time(span.start_ns),
        "duration": milliseconds(span.duration_ns),
        "status_code": span.status,
        "status_message": span.status_message,
        "span_attributes": span.attributes,
        "resource_attributes": span.resource,
        "project_id": project_id,
    }
