"""What the v4 endpoints take, and which project and trace a request may see."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import EPOCH, LAST_MICROSECOND
from compat.contract import (
    ContractError,
    ContractMomentField,
    ContractParameters,
    ContractValidationError,
    fault,
)
from compat.monitoring.parameters import named_project, projects_of, trace_among
from projects.models import Project
from traces.store.queries.trace_list import Cursor
from traces.store.queries.trace_table import Order

TAG = "AgentOps v4"
NO_TRACE = "Trace not found."
PROJECT_ID = OpenApiParameter("project_id", str, "path", description="The project's id.")
TRACE_ID = OpenApiParameter("trace_id", str, "path", description="32 hexadecimal digits, or a UUID.")

# Columns of the answer, as clients name them.
ORDERS: dict[str, Order] = {
    "trace_id": "trace_id",
    "service_name": "service",
    "root_service_name": "service",
    "span_name": "name",
    "root_span_name": "name",
    "start_time": "start",
    "end_time": "end",
    "duration": "duration",
    "span_count": "span_count",
    "error_count": "error_count",
    "total_cost": "cost",
}


class ProjectParameters(ContractParameters):
    project_id = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="The project's id; a key's own project without it."
    )


class RangeParameters(ContractParameters):
    """Traces that overlap the range, both ends included."""

    start_time = ContractMomentField(required=False, help_text="ISO 8601, UTC without an offset; or Unix seconds.")
    end_time = ContractMomentField(required=False, help_text="The same.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs.get("start_time"), attrs.get("end_time")
        if start is not None and end is not None and end < start:
            raise serializers.ValidationError({"end_time": ["Input should not come before start_time."]})
        return attrs


@extend_schema_field(str)
class CursorParameter(serializers.Field[Cursor, str, str, Any]):
    """`next_cursor` of the page before."""

    def to_internal_value(self, data: str) -> Cursor:
        try:
            return Cursor.parse(data)
        except ValueError:
            raise serializers.ValidationError("Input should be next_cursor of another page.") from None

    def to_representation(self, value: Cursor) -> str:
        return str(value)


@extend_schema_field({"type": "string", "enum": ["ASC", "DESC"], "default": "DESC"})
class DirectionField(serializers.ChoiceField):
    """ASC or DESC in any case."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data.upper() if isinstance(data, str) else data)


class TraceListParameters(RangeParameters):
    query = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=1000,
        help_text="Part of the trace id, of a span's name or of a tag, whatever the case.",
    )
    limit = serializers.IntegerField(default=20, min_value=1, max_value=100)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=10**9)
    order_by = serializers.ChoiceField(choices=list(ORDERS), default="start_time")
    sort_order = DirectionField(choices=["ASC", "DESC"], default="DESC")
    cursor = CursorParameter(
        required=False, help_text="Go on from `next_cursor`: newest first, and no trace twice when others arrive."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        is_newest_first = attrs["order_by"] == "start_time" and attrs["sort_order"] == "DESC" and not attrs["offset"]
        if "cursor" in attrs and not is_newest_first:
            raise serializers.ValidationError({"cursor": ["A cursor goes with start_time, DESC and no offset."]})
        return attrs


def project_of(request: Request, project_id: str | None) -> Project:
    """The project of an address: in its path (`project_id`), else in its query, else the key's own.

    Raises NotThere and ContractValidationError 422.
    """
    if project_id is None:
        project_id = ProjectParameters.of_query(request)["project_id"]
    project = named_project(request, project_id)
    if project is None:
        raise ContractValidationError([fault(["query", "project_id"], "Field required", kind="missing")])
    return project


def scope_of_range(project: Project, asked: dict[str, Any]) -> Scope:
    """Of RangeParameters; an end that is not given is open."""
    end = asked["end_time"] + timedelta(microseconds=1) if "end_time" in asked else LAST_MICROSECOND
    return Scope(project.pk, asked.get("start_time", EPOCH), end)


def located_trace(request: Request, trace_id: str, message: str = NO_TRACE) -> tuple[str, Scope]:
    """The id of a trace as it is stored, and its project and time. Raises ContractError 404."""
    project_ids = projects_of(request, ProjectParameters.of_query(request)["project_id"])
    return trace_among(project_ids, trace_id, ContractError(404, message))
