"""What the endpoints of the monitoring API take, and which project and traces a request may see."""

from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from agentops_portal.clickhouse.gate import Scope
from compat.contract import ContractError, ContractMomentField, ContractParameters, contract_project
from projects.access import own_project_id
from projects.api.actor import actor_of
from projects.models import Project
from projects.querysets import ProjectRowsQuerySet
from traces.converters import stored_trace_id
from traces.store.queries.agents import AgentFilter
from traces.store.queries.filters import TraceFilter
from traces.store.queries.trace_detail import trace_scope_among

Rows = TypeVar("Rows", bound=ProjectRowsQuerySet[Any])

TAG = "Monitoring"
SECONDS_OF = {"hour": 3_600, "day": 86_400, "week": 7 * 86_400}
MAX_BUCKETS = {"hour": 10_000, "day": 10_000, "week": 2_000}  # a year of hours, 27 years of days, 38 of weeks


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@extend_schema_field({"type": "string", "default": "UTC", "examples": ["Asia/Seoul"]})
class ZoneField(serializers.Field[ZoneInfo, Any, str, Any]):
    """The name of a time zone, as a ZoneInfo."""

    default_error_messages = {"unknown": "Input should be a time zone of the IANA database, such as Asia/Seoul."}

    def __init__(self) -> None:
        super().__init__(
            default=ZoneInfo("UTC"),
            help_text="Time zone (IANA name, such as Asia/Seoul) in which buckets of time are cut and named.",
        )

    def to_internal_value(self, data: Any) -> ZoneInfo:
        if data not in _zones():
            self.fail("unknown")
        return ZoneInfo(data)

    def to_representation(self, value: ZoneInfo) -> str:
        return value.key


class RangeParameters(ContractParameters):
    """A project and a range of time: `scope_of_range` makes a Scope of it."""

    project_id = serializers.CharField(help_text="The project's id.")
    start_time = ContractMomentField(help_text="ISO 8601, UTC without an offset; or Unix seconds.")
    end_time = ContractMomentField(help_text="The same. The range ends just before it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs.get("start_time"), attrs.get("end_time")
        if start is not None and end is not None and end <= start:
            raise serializers.ValidationError({"end_time": ["Input should come after start_time."]})
        return attrs


def check_buckets(start: datetime, end: datetime, interval: str, named: str = "interval") -> None:
    """Raises ValidationError for the parameter `named` when the range has more buckets than MAX_BUCKETS."""
    count = int((end - start).total_seconds() // SECONDS_OF[interval])
    if count > MAX_BUCKETS[interval]:
        text = f"The range has {count} {interval}s; at most {MAX_BUCKETS[interval]} are answered."
        raise serializers.ValidationError({named: [text]})


def of_type() -> serializers.ChoiceField:
    return serializers.ChoiceField(
        choices=["agent", "llm", "all"],
        default="all",
        help_text="agent: traces in which a named agent took part; llm: traces with LLM calls; all: health probes too.",
    )


def filter_of_type(trace_type: str, **wanted: Any) -> TraceFilter:
    """What `trace_type` asks for, with other fields of a filter."""
    kind = AgentFilter if trace_type == "agent" else TraceFilter
    return kind(llm_only=trace_type == "llm", **wanted)


class TypedRangeParameters(RangeParameters):
    trace_type = of_type()


class TrendParameters(TypedRangeParameters):
    interval = serializers.ChoiceField(choices=["hour", "day", "week"], default="day")
    timezone = ZoneField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        super().validate(attrs)
        check_buckets(attrs["start_time"], attrs["end_time"], attrs["interval"])
        return attrs


class ProjectParameters(ContractParameters):
    """For addresses that name an object: which project's, if the asker sees several."""

    project_id = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        help_text="The project's id. Without it: the project of the key, or all projects that the user sees.",
    )


def scope_of_range(request: Request, asked: dict[str, Any]) -> Scope:
    """Of RangeParameters. Raises NotThere for a project that the asker does not see."""
    project = contract_project(request, asked["project_id"])
    return Scope(project.pk, asked["start_time"], asked["end_time"])


def projects_of(request: Request, project_id: str) -> list[UUID]:
    """The ids of the projects to look in. Raises NotThere when `project_id` names none that the asker sees."""
    if project := named_project(request, project_id):
        return [project.pk]
    return list(Project.objects.visible_to(actor_of(request)).values_list("pk", flat=True).distinct())


def named_project(request: Request, project_id: str) -> Project | None:
    """The project that `project_id` names, else the key's own; None for people who name none, and so mean all of
    theirs. Raises NotThere.
    """
    wanted = project_id or own_project_id(actor_of(request))
    return contract_project(request, str(wanted)) if wanted else None


def rows_for(request: Request, rows: Rows, project_id: str) -> Rows:
    """Those of the rows that the asker sees, of the project that is named, or meant. Raises NotThere."""
    visible = rows.visible_to(actor_of(request))
    project = named_project(request, project_id)
    return visible.of_project(project.pk) if project else visible


def located_trace(request: Request, trace_id: str) -> tuple[str, Scope]:
    """The id of a trace as it is stored, and its project and time. Raises ContractError 404."""
    project_ids = projects_of(request, ProjectParameters.of_query(request)["project_id"])
    return trace_among(project_ids, trace_id, trace_not_found(trace_id))


def trace_among(project_ids: list[UUID], trace_id: str, missing: ContractError) -> tuple[str, Scope]:
    """The id of a trace as it is stored, and its project and time. Raises `missing`: none of the projects has it, or
    it is no id.
    """
    try:
        stored = stored_trace_id(trace_id)
    except ValueError:
        raise missing from None
    scope = trace_scope_among(project_ids, stored)
    if scope is None:
        raise missing
    return stored, scope


def trace_not_found(trace_id: str) -> ContractError:
    return ContractError(404, f"Trace not found: {trace_id}")
