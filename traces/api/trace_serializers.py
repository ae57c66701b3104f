"""A trace and its spans as /api/v1 answers them."""

from typing import Any

from rest_framework import serializers

from .selection import SelectedSerializer
from .serializers import (
    CostSerializer,
    NanosecondsField,
    OneCostSerializer,
    SpanTokensSerializer,
    TokensSerializer,
)


class AttributesField(serializers.DictField):
    child = serializers.CharField(allow_blank=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"help_text": "Values are text; lists and maps are JSON.", **kwargs})


class GuardrailCountsSerializer(serializers.Serializer[Any]):
    outcome = serializers.CharField(
        source="guardrail", help_text="The gravest outcome of the trace's runs; blank when no guardrail ran."
    )
    runs = serializers.IntegerField(source="guardrail_runs")
    blocked = serializers.IntegerField(source="blocked_runs")
    masked = serializers.IntegerField(source="masked_runs")
    flagged = serializers.IntegerField(source="flagged_runs")
    failed = serializers.IntegerField(source="failed_runs", help_text="Runs in which the guardrail itself failed.")
    unknown = serializers.IntegerField(source="unknown_runs", help_text="Runs of which nobody told what came of them.")


class TraceSerializer(SelectedSerializer):
    """The figures of a trace. They cover all of its spans."""

    trace_id = serializers.CharField()
    name = serializers.CharField(help_text="Of the root span.")
    service = serializers.CharField(help_text="Of the root span.")
    status = serializers.ChoiceField(["ok", "error"])
    start = NanosecondsField(source="start_ns")
    end = NanosecondsField(source="end_ns")
    duration_ns = serializers.IntegerField()
    span_count = serializers.IntegerField()
    error_count = serializers.IntegerField(help_text="Spans that failed; a trace that is ok may have some.")
    llm_calls = serializers.IntegerField()
    cache_hits = serializers.IntegerField(help_text="LLM calls that a cache answered.")
    tokens = TokensSerializer(source="*")
    cost = CostSerializer()
    models = serializers.ListField(child=serializers.CharField())
    agents = serializers.ListField(child=serializers.CharField())
    tags = serializers.ListField(child=serializers.CharField())
    session_id = serializers.CharField(help_text="Blank when no span names one.")
    user_id = serializers.CharField(help_text="Blank when no span names one.")
    guardrail = GuardrailCountsSerializer(source="*")


TRACE_FIELDS = tuple(TraceSerializer().fields)


class EventSerializer(serializers.Serializer[Any]):
    time = NanosecondsField(source="time_ns")
    name = serializers.CharField()
    attributes = AttributesField()


class LinkSerializer(serializers.Serializer[Any]):
    trace_id = serializers.CharField()
    span_id = serializers.CharField()
    trace_state = serializers.CharField()
    attributes = AttributesField()


class SpanGuardrailSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="guardrail_name")
    mode = serializers.CharField(source="guardrail_mode")
    outcome = serializers.CharField(source="guardrail_outcome")


class SpanSerializer(serializers.Serializer[Any]):
    """A span without what was said in it."""

    span_id = serializers.CharField()
    parent_span_id = serializers.CharField(help_text="Blank for a root.")
    name = serializers.CharField()
    kind = serializers.CharField(help_text="OpenTelemetry's: Internal, Server, Client, Producer, Consumer.")
    type = serializers.CharField(help_text="llm, embedding, agent, tool, guardrail, http …, other.")
    service = serializers.CharField()
    status = serializers.ChoiceField(["Unset", "Ok", "Error"])
    status_message = serializers.CharField()
    start = NanosecondsField(source="start_ns")
    end = NanosecondsField(source="end_ns")
    duration_ns = serializers.IntegerField()
    is_llm_call = serializers.BooleanField()
    model = serializers.CharField()
    requested_model = serializers.CharField()
    provider = serializers.CharField()
    tokens = SpanTokensSerializer(source="*")
    cost = OneCostSerializer()
    agent = serializers.CharField(source="agent_name")
    tool = serializers.CharField(source="tool_name")
    guardrail = SpanGuardrailSerializer(source="*")
    session_id = serializers.CharField()
    user_id = serializers.CharField()
    http_status = serializers.IntegerField(help_text="0 when there is none.")
    same_call_as = serializers.CharField(
        help_text="The span that tells the same LLM call and is counted; this one then adds nothing. Blank for others."
    )
    same_call_trace = serializers.CharField(help_text="The trace of that span, where it is another one.")
    same_call_why = serializers.ChoiceField(
        ["", "nested", "response", "failure", "twin", "stream", "left_out"],
        help_text="By which rule: one lies within the other, both name the same answer, both failed at once, another "
        "instrumentation tells as many tokens at the same time, it tells the end of a streamed answer, its service is "
        "left out.",
    )
    same_call_service = serializers.CharField(
        help_text="The service that reports the same calls, where the span's own is left out; it then adds nothing."
    )


class WholeSpanSerializer(SpanSerializer):
    """A span with everything that was sent of it: prompts and answers are among the attributes."""

    trace_id = serializers.CharField()
    trace_state = serializers.CharField()
    scope_name = serializers.CharField()
    scope_version = serializers.CharField()
    attributes = AttributesField()
    resource = AttributesField()
    events = EventSerializer(many=True)
    links = LinkSerializer(many=True)


class SomeSpanSerializer(WholeSpanSerializer):
    """A span; what was sent of it (attributes, resource, events, links …) only with `include=attributes`."""

    trace_id = serializers.CharField(required=False)
    trace_state = serializers.CharField(required=False)
    scope_name = serializers.CharField(required=False)
    scope_version = serializers.CharField(required=False)
    attributes = AttributesField(required=False)
    resource = AttributesField(required=False)
    events = EventSerializer(many=True, required=False)
    links = LinkSerializer(many=True, required=False)


class TraceDetailSerializer(TraceSerializer):
    """One trace; with `include=spans` its spans, with `include=attributes` what was said in them too."""

    cost = OneCostSerializer()
    root_span_id = serializers.CharField()
    has_root = serializers.BooleanField(help_text="false while the span without a parent has not arrived.")
    spans = SomeSpanSerializer(many=True, required=False, help_text="The earliest first, parents before children.")
    hidden_spans = serializers.IntegerField(required=False, help_text="Spans above the limit of one answer.")
