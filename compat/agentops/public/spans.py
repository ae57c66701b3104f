"""GET /public/v1/spans/{span_id} and its metrics."""

import re

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from compat.agentops.v4.metrics import SpanMetricsSerializer, metrics_of_span
from compat.agentops.v4.parameters import project_of
from compat.agentops.v4.spans import NestedField, SpanHeadSerializer, nested_or_flat
from compat.contract import ContractError, PublicView
from compat.contract_schema import errors
from traces.store.queries.span_detail import SpanDetail
from traces.store.queries.trace_spans import span_by_id

from .traces import TAG, public_head

NO_SPAN = "Span not found"
SPAN_ID = OpenApiParameter("span_id", str, "path", description="16 hexadecimal digits.")


class PublicSpanSerializer(SpanHeadSerializer):
    service_name = serializers.CharField(allow_blank=True)
    attributes = NestedField(help_text="Always empty.")
    resource_attributes = NestedField()
    span_attributes = NestedField()


def stored_span(request: Request, span_id: str) -> SpanDetail:
    """A span of the key's project. Raises ContractError 404."""
    project = project_of(request, "")
    span = span_by_id(project.pk, span_id.lower()) if re.fullmatch(r"[0-9A-Fa-f]{16}", span_id) else None
    if span is None:
        raise ContractError(404, NO_SPAN)
    return span


class PublicSpanView(PublicView):
    @extend_schema(
        operation_id="public_spans_retrieve",
        summary="A span with its attributes",
        tags=[TAG],
        parameters=[SPAN_ID],
        responses={200: PublicSpanSerializer, **errors(400, 404)},
    )
    def get(self, request: Request, span_id: str) -> Response:
        span = stored_span(request, span_id)
        return Response(
            {
                **public_head(span),
                "service_name": span.service,
                "attributes": {},
                "resource_attributes": nested_or_flat(span.resource, span),
                "span_attributes": nested_or_flat(span.attributes, span),
            }
        )


class PublicSpanMetricsView(PublicView):
    @extend_schema(
        operation_id="public_spans_metrics",
        summary="Tokens and cost of a span",
        tags=[TAG],
        parameters=[SPAN_ID],
        responses={200: SpanMetricsSerializer, **errors(400, 404)},
    )
    def get(self, request: Request, span_id: str) -> Response:
        return Response(metrics_of_span(stored_span(request, span_id)))
