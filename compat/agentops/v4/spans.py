"""Spans as AgentOps' dashboard and public API show them."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from agentops_portal.units import datetime_of
from traces.reading.nesting import nested
from traces.store.guard import shown_or
from traces.store.queries.span_detail import SpanDetail

from .metrics import SpanMetricsSerializer, has_metrics, metrics_of_span

# What a span says it is → what the dashboard draws. Other kinds are "other"; a span that says nothing is looked at.
_DRAWN = {"llm": "request", "embedding": "request", "agent": "agent", "tool": "tool"}
_SIGNS = {"gen_ai": "request", "agent": "agent", "tool": "tool"}
OF_SPAN_TYPE = ("request", "agent", "tool", "other")


@extend_schema_field({"type": "object", "additionalProperties": True})
class NestedField(serializers.JSONField):
    """Attributes as nested objects and lists; the values are texts."""


class FlatField(serializers.DictField):
    child = serializers.CharField()


class SpanHeadSerializer(serializers.Serializer[Any]):
    span_id = serializers.CharField()
    parent_span_id = serializers.CharField(allow_null=True, allow_blank=True)
    span_name = serializers.CharField(allow_blank=True)
    span_kind = serializers.CharField(help_text="Internal, Server, Client, Producer, Consumer or Unspecified.")
    start_time = serializers.CharField(help_text="ISO 8601, UTC.")
    end_time = serializers.CharField(help_text="ISO 8601, UTC.")
    duration = serializers.IntegerField(help_text="Nanoseconds.")
    status_code = serializers.ChoiceField(choices=["OK", "ERROR", "UNSET"])
    status_message = serializers.CharField(allow_null=True, allow_blank=True)


class SpanItemSerializer(SpanHeadSerializer):
    freeplan_truncated = serializers.BooleanField(help_text="Always false: there are no plans here.")
    span_type = serializers.ChoiceField(choices=OF_SPAN_TYPE, allow_null=True)
    service_name = serializers.CharField(allow_blank=True)
    attributes = NestedField(help_text="Always empty.")
    resource_attributes = NestedField()
    span_attributes = NestedField()
    event_timestamps = serializers.ListField(child=serializers.CharField(), help_text="UTC without an offset.")
    event_names = serializers.ListField(child=serializers.CharField(allow_blank=True))
    event_attributes = serializers.ListField(child=FlatField())
    link_trace_ids = serializers.ListField(child=serializers.CharField(allow_blank=True))
    link_span_ids = serializers.ListField(child=serializers.CharField(allow_blank=True))
    link_trace_states = serializers.ListField(child=serializers.CharField(allow_blank=True))
    link_attributes = serializers.ListField(child=FlatField())
    metrics = SpanMetricsSerializer(allow_null=True)


def iso(nanoseconds: int) -> str:
    """2026-11-23T09:30:00.123456+00:00, without a fraction when it is zero."""
    return datetime_of(nanoseconds).isoformat()


def naive_iso(nanoseconds: int) -> str:
    """The same without the offset, where AgentOps writes none."""
    moment: datetime = datetime_of(nanoseconds)
    return moment.replace(tzinfo=None).isoformat()


def span_head(span: SpanDetail) -> dict[str, Any]:
    """What all descriptions of a span have in common; `parent_span_id` is "" for a root."""
    return {
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "span_name": span.name,
        "span_kind": span.kind,
        "start_time": iso(span.start_ns),
        "end_time": iso(span.end_ns),
        "duration": span.end_ns - span.start_ns,
        "status_code": span.status.upper(),
        "status_message": span.status_message,
    }


def nested_or_flat(attributes: dict[str, str], span: SpanDetail) -> dict[str, Any]:
    """Attributes of a span nested; under their dotted keys when that fails."""
    return shown_or(
        lambda reason: dict(attributes),
        lambda: nested(attributes),
        where="nesting",
        trace_id=span.trace_id,
        span_id=span.span_id,
    )


def span_item(span: SpanDetail) -> dict[str, Any]:
    """SpanItem of the trace's detail."""
    attributes = nested_or_flat(span.attributes, span)
    return {
        "freeplan_truncated": False,
        **span_head(span),
        "span_type": span_type(span, attributes),
        "service_name": span.service,
        "attributes": {},
        "resource_attributes": nested_or_flat(span.resource, span),
        "span_attributes": attributes,
        "event_timestamps": [naive_iso(event.time_ns) for event in span.events],
        "event_names": [event.name for event in span.events],
        "event_attributes": [event.attributes for event in span.events],
        "link_trace_ids": [link.trace_id for link in span.links],
        "link_span_ids": [link.span_id for link in span.links],
        "link_trace_states": [link.trace_state for link in span.links],
        "link_attributes": [link.attributes for link in span.links],
        "metrics": metrics_of_span(span) if has_metrics(span) else None,
    }


def span_type(span: SpanDetail, attributes: dict[str, Any]) -> str | None:
    """request, agent, tool or other: by the kind that the span states or shows (traces/store/dialects), else by the
    first of the words gen_ai, agent and tool among the names of its nested attributes; None for a span without
    attributes.
    """
    if span.type != "other":
        return _DRAWN.get(span.type, "other")
    return (_sign(attributes) or "other") if attributes else None


def _sign(value: Any) -> str | None:
    items = value.items() if isinstance(value, dict) else (("", each) for each in value)
    for name, inner in items:
        found = _SIGNS.get(name) or (_sign(inner) if isinstance(inner, dict | list) else None)
        if found:
            return found
    return None
