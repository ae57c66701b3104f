"""GET /api/v1/projects/{id}/sessions, /users, /agents: who was there, and what they did, used and cost."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import KeyCursor, page, page_of
from agentops_portal.api.parameters import CursorField
from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import iso_utc
from projects.access import visible_project
from projects.api.access import MayRead
from projects.api.actor import actor_of
from traces.store.queries import people

from .ranges import PRESET, RangePageParameters, pinned, scope_of
from .serializers import CostSerializer, NanosecondsField, TokensSerializer

ORDER = "The last seen first. Figures cover the traces of the range."


class PeopleParameters(RangePageParameters):
    q = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Part of the id or name, whatever the case."
    )
    cursor = CursorField(KeyCursor.parser(int, str))


class PersonSerializer(serializers.Serializer[Any]):
    traces = serializers.IntegerField()
    error_traces = serializers.IntegerField(help_text="Traces with status error.")
    span_count = serializers.IntegerField()
    error_count = serializers.IntegerField(help_text="Spans that failed.")
    llm_calls = serializers.IntegerField()
    cache_hits = serializers.IntegerField()
    tokens = TokensSerializer(source="*")
    cost = CostSerializer()
    blocked_runs = serializers.IntegerField(help_text="Guardrail runs that blocked.")
    first_seen = NanosecondsField(source="first_ns", help_text="Start of the first trace.")
    last_seen = NanosecondsField(source="last_ns", help_text="End of the last trace.")


class SessionSerializer(PersonSerializer):
    session_id = serializers.CharField(source="id")
    user_ids = serializers.ListField(
        child=serializers.CharField(), source="others", help_text="The users of its traces, at most 20."
    )


class UserSerializer(PersonSerializer):
    user_id = serializers.CharField(source="id")
    sessions = serializers.IntegerField(source="other_count")


class AgentTokensSerializer(serializers.Serializer[Any]):
    input = serializers.IntegerField(source="input_tokens")
    output = serializers.IntegerField(source="output_tokens")
    total = serializers.IntegerField(source="total_tokens")


class AgentFiguresSerializer(serializers.Serializer[Any]):
    traces = serializers.IntegerField(help_text="In which a span names the agent; they may hold other agents too.")
    error_traces = serializers.IntegerField(help_text="Traces with status error.")
    span_count = serializers.IntegerField(help_text="Of these traces.")
    error_count = serializers.IntegerField(help_text="Spans of these traces that failed.")
    llm_calls = serializers.IntegerField(
        help_text="Calls that name the agent; where none does, those of the traces in which it is the only agent."
    )
    tokens = AgentTokensSerializer(source="*", help_text="Of these calls.")
    cost = CostSerializer(help_text="Of these calls.")


class AgentSerializer(AgentFiguresSerializer):
    """No LLM call counts for two agents."""

    name = serializers.CharField()
    first_seen = NanosecondsField(source="first_ns", help_text="Start of the first trace.")
    last_seen = NanosecondsField(source="last_ns", help_text="End of the last trace.")

    def to_representation(self, instance: people.Agent) -> dict[str, Any]:
        figures = AgentFiguresSerializer(instance.figures).data
        seen = {"first_seen": iso_utc(instance.first_ns), "last_seen": iso_utc(instance.last_ns)}
        return {"name": instance.name, **figures, **seen}


Query = Callable[[Scope, str, people.PersonKey | None, int], Sequence[Any]]


def _answer(
    request: Request, project_id: UUID, query: Query, serializer: type[serializers.BaseSerializer[Any]]
) -> Response:
    project = visible_project(actor_of(request), project_id)
    wanted = PeopleParameters.of(request)
    after = wanted["cursor"].values if "cursor" in wanted else None
    return page(
        request,
        query(scope_of(project, wanted), wanted.get("q", "").strip(), after, wanted["limit"] + 1),
        wanted["limit"],
        cursor_of=lambda row: KeyCursor(row.key),
        serializer=serializer,
        pinned=pinned(wanted),
        replaced=PRESET,
    )


def _described(name: str, serializer: type[serializers.Serializer[Any]]) -> Any:
    return extend_schema(
        operation_id=f"{name.lower()}_list",
        summary=f"{name} of a project",
        description=ORDER,
        tags=["People and agents"],
        parameters=[PeopleParameters],
        responses=page_of(serializer),
    )


@method_decorator(never_cache, name="dispatch")
class SessionsView(APIView):
    permission_classes = (MayRead,)

    @_described("Sessions", SessionSerializer)
    def get(self, request: Request, project_id: UUID) -> Response:
        return _answer(request, project_id, people.sessions, SessionSerializer)


@method_decorator(never_cache, name="dispatch")
class UsersView(APIView):
    permission_classes = (MayRead,)

    @_described("Users", UserSerializer)
    def get(self, request: Request, project_id: UUID) -> Response:
        return _answer(request, project_id, people.users, UserSerializer)


@method_decorator(never_cache, name="dispatch")
class AgentsView(APIView):
    permission_classes = (MayRead,)

    @_described("Agents", AgentSerializer)
    def get(self, request: Request, project_id: UUID) -> Response:
        return _answer(request, project_id, people.agents, AgentSerializer)
