"""GET …/replay/{trace_id}, …/timeline/{trace_id}: a trace as a film, and as a tree with its critical path."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.helpers import lazy_serializer
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.units import milliseconds
from compat.contract import ContractView
from compat.contract_schema import errors
from traces.reading.critical_path import critical_path
from traces.reading.replay import replay
from traces.reading.rows import epoch_ms, naive_time
from traces.reading.tree import Node, span_tree
from traces.store.queries.span_detail import SpanDetail
from traces.store.queries.trace_detail import trace_figures
from traces.store.queries.trace_spans import MAX_SPANS, trace_spans

from .parameters import TAG, ProjectParameters, located_trace, trace_not_found

# JSON readers follow nested objects only so far: what lies deeper stands beside its ancestor of this depth.
MAX_NESTED = 200
HIDDEN = f"Spans beyond the earliest {MAX_SPANS:,}, which are not in this answer; the durations are of those in it."


class ReplayEventSerializer(serializers.Serializer[Any]):
    timestamp = serializers.CharField(help_text="Start of the span, UTC: 2026-11-23T09:30:00.123456.")
    relative_time = serializers.FloatField(help_text="Milliseconds since the start of the trace.")
    type = serializers.ChoiceField(choices=["llm_call", "tool_use", "decision", "error", "span_start"])
    span_id = serializers.CharField()
    span_name = serializers.CharField()
    data = serializers.DictField(  # type: ignore[assignment]
        help_text="llm_call: model, prompt, response, prompt_tokens, completion_tokens, total_tokens, cost, cost_known,"
        " latency, status, error_message. tool_use: tool_name, input, output, duration, status, error_message."
        " decision: decision_type, reasoning, selected_option, alternatives, guardrail, mode, duration, status."
        " error: error_type, error_message, stack_trace, span_id."
        " span_start: span_id, span_name, status, duration, and `unshown` with the reason when a span cannot be"
        " described. Times are milliseconds."
    )


class ReplaySerializer(serializers.Serializer[Any]):
    trace_id = serializers.CharField()
    events = ReplayEventSerializer(many=True, help_text="One for each span, in the order of their starts.")
    timeline = serializers.ListField(child=serializers.FloatField(), help_text="The relative times of the events.")
    total_duration = serializers.FloatField(help_text="Milliseconds, from the first start to the last end.")
    start_time = serializers.FloatField(help_text="Milliseconds since 1970.")
    hidden_spans = serializers.IntegerField(help_text=HIDDEN)


class TimelineSpanSerializer(serializers.Serializer[Any]):
    span_id = serializers.CharField()
    parent_span_id = serializers.CharField(allow_blank=True)
    span_name = serializers.CharField()
    span_type = serializers.CharField()
    service_name = serializers.CharField()
    start_time = serializers.FloatField(help_text="Milliseconds since 1970.")
    end_time = serializers.FloatField(help_text="Milliseconds since 1970.")
    duration = serializers.FloatField(help_text="Milliseconds.")
    status = serializers.CharField(help_text="Ok, Error or Unset.")
    children = serializers.SerializerMethodField()
    attributes = serializers.DictField(child=serializers.CharField())
    depth = serializers.IntegerField(help_text="0 for roots, and for spans whose parent is not in the trace.")
    is_critical_path = serializers.BooleanField()
    critical_time = serializers.FloatField(
        help_text="Milliseconds on the critical path in which no child on it was running."
    )

    @extend_schema_field(lazy_serializer("compat.monitoring.playback.TimelineSpanSerializer")(many=True))
    def get_children(self, node: Any) -> Any:
        return node["children"]


class TimelineSerializer(serializers.Serializer[Any]):
    trace_id = serializers.CharField()
    spans = TimelineSpanSerializer(
        many=True, help_text="Roots, and spans whose parent never arrived, with what they called below them."
    )
    total_duration = serializers.FloatField(help_text="Milliseconds, from the first start to the last end.")
    critical_path = serializers.ListField(
        child=serializers.CharField(),
        help_text="The ids of the spans that the duration is made of: walked back from the end, the path goes into "
        "the child that was running at each moment. Parents come before their children.",
    )
    start_time = serializers.FloatField(help_text="Milliseconds since 1970.")
    end_time = serializers.FloatField(help_text="Milliseconds since 1970.")
    hidden_spans = serializers.IntegerField(help_text=HIDDEN)


class _SpansView(ContractView):
    def spans_of(self, request: Request, trace_id: str) -> tuple[str, list[SpanDetail], int]:
        """The id as it is stored, the spans, and how many more there are."""
        stored, scope = located_trace(request, trace_id)
        spans = trace_spans(scope, stored)
        if not spans:
            raise trace_not_found(trace_id)
        figures = trace_figures(scope, stored) if len(spans) == MAX_SPANS else None
        return stored, spans, max(figures.span_count - len(spans), 0) if figures else 0


class ReplayView(_SpansView):
    @extend_schema(
        tags=[TAG],
        summary="Replay a trace",
        description=f"At most {MAX_SPANS:,} spans, the earliest.",
        parameters=[ProjectParameters],
        responses={200: ReplaySerializer, **errors(404)},
    )
    def get(self, request: Request, trace_id: str) -> Response:
        stored, spans, hidden = self.spans_of(request, trace_id)
        start_ns, end_ns = _extent(spans)
        events = replay(spans, start_ns)
        return Response(
            {
                "trace_id": stored,
                "events": [
                    {
                        "timestamp": naive_time(event.span.start_ns),
                        "relative_time": event.relative_ms,
                        "type": event.type,
                        "span_id": event.span.span_id,
                        "span_name": event.span.name,
                        "data": event.data,
                    }
                    for event in events
                ],
                "timeline": [event.relative_ms for event in events],
                "total_duration": milliseconds(end_ns - start_ns),
                "start_time": epoch_ms(start_ns),
                "hidden_spans": hidden,
            }
        )


class TimelineView(_SpansView):
    @extend_schema(
        tags=[TAG],
        summary="The spans of a trace as a tree, with its critical path",
        description=f"At most {MAX_SPANS:,} spans, the earliest. Every span stands in the tree once, whatever its"
        f" parent. Spans deeper than {MAX_NESTED} stand beside their ancestor of that depth; `depth` is their own.",
        parameters=[ProjectParameters],
        responses={200: TimelineSerializer, **errors(404)},
    )
    def get(self, request: Request, trace_id: str) -> Response:
        stored, spans, hidden = self.spans_of(request, trace_id)
        start_ns, end_ns = _extent(spans)
        nodes = span_tree(spans)
        path = critical_path(nodes)
        return Response(
            {
                "trace_id": stored,
                "spans": timeline_tree(nodes, path),
                "total_duration": milliseconds(end_ns - start_ns),
                "critical_path": list(dict.fromkeys(nodes[position].span.span_id for position in path)),
                "start_time": epoch_ms(start_ns),
                "end_time": epoch_ms(end_ns),
                "hidden_spans": hidden,
            }
        )


def _extent(spans: Sequence[SpanDetail]) -> tuple[int, int]:
    start_ns = min(span.start_ns for span in spans)
    return start_ns, max(start_ns, *(span.end_ns for span in spans))


def timeline_tree(nodes: Sequence[Node[SpanDetail]], path: dict[int, int]) -> list[dict[str, Any]]:
    """The nodes nested; `path`: as critical_path() gives it."""
    tops: list[dict[str, Any]] = []
    above: list[dict[str, Any]] = []
    for position, node in enumerate(nodes):
        level = min(node.depth, MAX_NESTED)
        del above[level:]
        row = _timeline_span(node, path.get(position))
        (above[-1]["children"] if above else tops).append(row)
        above.append(row)
    return tops


def _timeline_span(node: Node[SpanDetail], own_ns: int | None) -> dict[str, Any]:
    span = node.span
    return {
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "span_name": span.name,
        "span_type": span.type,
        "service_name": span.service,
        "start_time": epoch_ms(span.start_ns),
        "end_time": epoch_ms(span.end_ns),
        "duration": milliseconds(span.duration_ns),
        "status": span.status,
        "children": [],
        "attributes": span.attributes,
        "depth": node.depth,
        "is_critical_path": own_ns is not None,
        "critical_time": milliseconds(own_ns or 0),
    }
