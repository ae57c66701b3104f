"""POST …/export: the traces of a project as a file."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import LAST_MICROSECOND
from compat.contract import ContractError, ContractMomentField, ContractParameters, ContractView, contract_project
from compat.contract_schema import errors
from projects.api.actor import author_of
from projects.middleware import preferred_language, preferred_zone
from projects.models import Project
from projects.services import record
from traces.api.downloads import download, export_name
from traces.api.export_schema import ExportFileSerializer
from traces.reading.export import CONTENT_TYPES, export_traces
from traces.reading.export_pdf import report_pdf
from traces.reading.pdf import PdfUnavailable
from traces.store.queries.filters import TraceFilter

FORMATS = ("csv", "json", "pdf")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class LastMomentField(ContractMomentField):
    """The end of a range. A date alone is the end of that day, UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        moment = super().to_internal_value(data)
        if isinstance(data, str) and _DATE.fullmatch(data.strip()):
            return min(moment + timedelta(days=1), LAST_MICROSECOND)
        return moment


class DateRangeSerializer(serializers.Serializer[Any]):
    start = ContractMomentField(help_text="Traces that end at this time or later.")
    end = LastMomentField(help_text="Traces that start before this time; a date alone includes its day.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["start"] >= attrs["end"]:
            raise serializers.ValidationError({"end": ["The end must come after the start."]})
        return attrs


class ExportParameters(ContractParameters):
    project_id = serializers.CharField()
    format = serializers.ChoiceField(FORMATS)
    date_range = DateRangeSerializer()
    include_spans = serializers.BooleanField(
        default=False, help_text="Also every span of the traces. A PDF is a summary and has none."
    )
    include_attributes = serializers.BooleanField(
        default=False, help_text="Also what the spans carry: attributes, resource attributes, events."
    )


class ExportView(ContractView):
    """A file is written while it is read. When reading fails in the middle, the file says so at its end and the
    connection breaks off.
    """

    @extend_schema(
        tags=["Monitoring"],
        request=ExportParameters,
        responses={
            (200, "application/json"): ExportFileSerializer,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/pdf"): OpenApiTypes.BINARY,
            **errors(404, 501),
        },
    )
    def post(self, request: Request) -> HttpResponse | StreamingHttpResponse:
        """Export traces as CSV, JSON or PDF."""
        wanted = ExportParameters.of_body(request)
        project = contract_project(request, wanted["project_id"])
        scope = Scope(project.pk, wanted["date_range"]["start"], wanted["date_range"]["end"])
        name = export_name(project, scope, wanted["format"])
        if wanted["format"] == "pdf":
            answer: HttpResponse | StreamingHttpResponse = _pdf(request._request, project, scope, name)
        else:
            answer = _file(request, scope, name, wanted)
        actor, by = author_of(request)
        record("traces.exported", actor=actor, project=project, target=name, **by)
        return answer


def _file(request: Request, scope: Scope, name: str, wanted: dict[str, Any]) -> StreamingHttpResponse:
    pieces = export_traces(
        scope,
        TraceFilter(),
        wanted["format"],
        spans=wanted["include_spans"],
        attributes=wanted["include_attributes"],
        bom=True,  # people open it in Excel
    )
    return download(request, pieces, filename=name, content_type=CONTENT_TYPES[wanted["format"]])


def _pdf(request: HttpRequest, project: Project, scope: Scope, name: str) -> HttpResponse:
    """In the reader's language and time: it is for people, where all else of the API is for machines."""
    language = preferred_language(request) or translation.get_language_from_request(request)
    try:
        with translation.override(language), timezone.override(preferred_zone(request) or UTC):
            content = report_pdf(project, scope, TraceFilter())
    except PdfUnavailable as error:
        raise ContractError(501, str(error)) from error
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response
