"""GET /api/v1/projects/{id}/traces/export: the traces that fit a filter as a file, written while it is read."""

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from agentops_portal.api.negotiation import LenientNegotiation
from projects.access import visible_project
from projects.api.access import MayRead
from projects.api.actor import actor_of
from traces.reading.export import CONTENT_TYPES, export_traces

from .downloads import download, export_name
from .export_schema import ExportFileSerializer
from .filters import TraceFilterParameters, trace_filter
from .ranges import scope_of


class ExportParameters(TraceFilterParameters):
    format = serializers.ChoiceField(list(CONTENT_TYPES), default="csv")
    spans = serializers.BooleanField(required=False, help_text="true: the spans of each trace too.")
    attributes = serializers.BooleanField(
        required=False, help_text="true: everything that was sent of the spans, prompts and answers included."
    )

    bom = serializers.BooleanField(
        required=False,
        help_text="true: a CSV begins with a byte order mark (U+FEFF), without which Excel on Windows shows no Korean.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["attributes"] and not attrs["spans"]:
            raise serializers.ValidationError({"attributes": ["Attributes belong to spans: ask for spans=true too."]})
        return super().validate(attrs)


@method_decorator(never_cache, name="dispatch")
class TracesExportView(APIView):
    permission_classes = (MayRead,)
    content_negotiation_class = LenientNegotiation  # `format` says it

    @extend_schema(
        operation_id="traces_export",
        summary="Traces as a file",
        description="The newest first, however many. A file that ends early says so in its last line: `#incomplete` in"
        ' CSV, `"incomplete": true` in JSON Lines, `"complete": false` in JSON.',
        tags=["Export"],
        parameters=[ExportParameters],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/x-ndjson"): OpenApiTypes.STR,
            (200, "application/json"): ExportFileSerializer,
        },
    )
    def get(self, request: Request, project_id: UUID) -> StreamingHttpResponse:
        project = visible_project(actor_of(request), project_id)
        wanted = ExportParameters.of(request)
        scope = scope_of(project, wanted)
        pieces = export_traces(
            scope,
            trace_filter(wanted),
            wanted["format"],
            spans=wanted["spans"],
            attributes=wanted["attributes"],
            bom=wanted["bom"],
        )
        return download(
            request,
            pieces,
            filename=export_name(project, scope, wanted["format"]),
            content_type=CONTENT_TYPES[wanted["format"]],
        )
