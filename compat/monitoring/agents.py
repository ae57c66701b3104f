"""GET …/agents/usage, …/agents/registry, …/agents/{agent_id}/detail: what agents did and used."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.clickhouse.gate import ProjectsScope, Scope
from agentops_portal.units import milliseconds
from compat.contract import ContractView
from compat.contract_schema import errors
from projects.api.actor import actor_of
from traces.ingest.agents import Agent
from traces.reading.rows import known_dollars, state, store_time
from traces.store.figures import Cost
from traces.store.queries.agents import AgentFigures, agent_figures, other_agents, projects_of_agent
from traces.store.queries.filters import TraceFilter
from traces.store.queries.trace_list import trace_page
from traces.store.queries.trace_metrics import Durations, TraceSums, trace_trend
from traces.store.queries.usage import MOST

from .analytics import bucket
from .parameters import TAG, RangeParameters, ZoneField, check_buckets, projects_of, rows_for, scope_of_range

NEWEST = 50  # traces of an agent's page


class AgentUsageSerializer(serializers.Serializer[Any]):
    agent_id = serializers.CharField(
        help_text="Of its registration, else its name: what stands in the address of its detail."
    )
    agent_name = serializers.CharField()
    others = serializers.IntegerField(
        required=False,
        help_text=f"In the last row, where more than {MOST:,} agents took part: of how many others it is the sum.",
    )
    total_tokens = serializers.IntegerField(
        help_text="Of LLM calls that name the agent; where only the agent's own span names it, of all calls of the"
        " traces in which it is the only agent."
    )
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    total_cost = serializers.FloatField(help_text="Of the same calls; US dollars, as far as they are known.")
    unknown_cost_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows.")
    event_count = serializers.IntegerField(help_text="Traces in which the agent took part.")
    avg_latency = serializers.FloatField(help_text="Milliseconds, of these traces.")
    error_count = serializers.IntegerField(help_text="Spans with status Error in these traces.")
    success_rate = serializers.FloatField(help_text="Percent of these traces that did not end in an error, 0 to 100.")


class AgentDetailParameters(RangeParameters):
    project_id = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        help_text="The project's id. Without it: the project of the key, or the first of the projects that the user"
        " sees in which the agent took part in a trace of the range.",
    )
    timezone = ZoneField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        super().validate(attrs)
        check_buckets(attrs["start_time"], attrs["end_time"], "hour", named="end_time")
        return attrs


class AgentMetricsSerializer(serializers.Serializer[Any]):
    trace_count = serializers.IntegerField()
    span_count = serializers.IntegerField(help_text="Of these traces.")
    total_tokens = serializers.IntegerField()
    total_cost = serializers.FloatField(help_text="US dollars, as far as they are known.")
    unknown_cost_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows.")
    avg_latency_ms = serializers.FloatField(help_text="Of traces.")
    p50_latency_ms = serializers.FloatField()
    p95_latency_ms = serializers.FloatField()
    error_count = serializers.IntegerField(help_text="Spans with status Error in these traces.")
    success_rate = serializers.FloatField(help_text="Percent of the traces that did not end in an error, 0 to 100.")


class AgentTraceSerializer(serializers.Serializer[Any]):
    trace_id = serializers.CharField()
    span_name = serializers.CharField(help_text="Of the root.")
    duration_ms = serializers.FloatField()
    status = serializers.ChoiceField(choices=["success", "error"])
    timestamp = serializers.CharField(help_text="Start, UTC, nanoseconds: 2026-11-23 09:30:00.123456789.")
    agent_name = serializers.CharField()


class AgentHourSerializer(serializers.Serializer[Any]):
    hour = serializers.CharField(help_text="2026-11-23 09:00:00, in the time zone asked for.")
    start = serializers.DateTimeField(help_text="The same with the zone's offset.")
    call_count = serializers.IntegerField(help_text="Traces.")
    error_count = serializers.IntegerField(help_text="Spans with status Error in them.")


class AgentDetailSerializer(serializers.Serializer[Any]):
    agent_id = serializers.CharField()
    agent_name = serializers.CharField()
    metrics = AgentMetricsSerializer()
    traces = AgentTraceSerializer(many=True, help_text=f"The newest {NEWEST}.")
    trend = AgentHourSerializer(many=True, help_text="By hours, those without traces included.")


class AgentsUsageView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="What each agent did and used",
        description=f"Every agent that took part in a trace of the range, the busiest first; beyond {MOST:,} they are "
        "one row together.",
        parameters=[RangeParameters],
        responses={200: AgentUsageSerializer(many=True), **errors(404)},
    )
    def get(self, request: Request) -> Response:
        scope = scope_of_range(request, RangeParameters.of_query(request))
        ids = registered(request, scope.project_id)
        found = agent_figures(scope)
        rows = [usage_row(agent, ids.get(agent.name)) for agent in found]
        return Response(rows + (others_rows(scope) if len(found) == MOST else []))


def registered(request: Request, project_id: UUID) -> dict[str, str]:
    """Name → id of the agents that are registered with a project."""
    agents = Agent.objects.visible_to(actor_of(request)).of_project(project_id)
    return {name: str(pk) for name, pk in agents.values_list("name", "pk")}


def others_rows(scope: Scope) -> list[dict[str, Any]]:
    """One row for all agents beyond MOST, if there are any: its `others` says how many."""
    count, figures = other_agents(scope)
    return [{**usage_row(figures, None), "agent_name": f"({count:,} others)", "others": count}] if count else []


def usage_row(agent: AgentFigures, agent_id: str | None) -> dict[str, Any]:
    return {
        "agent_id": agent_id or agent.name,
        "agent_name": agent.name,
        "total_tokens": agent.total_tokens,
        "prompt_tokens": agent.input_tokens,
        "completion_tokens": agent.output_tokens,
        "total_cost": known_dollars(agent.cost),
        "unknown_cost_calls": agent.cost.unknown_calls,
        "event_count": agent.traces,
        "avg_latency": round(milliseconds(agent.durations.average), 2),
        "error_count": agent.error_count,
        "success_rate": round(agent.success_rate or 0.0, 1),
    }


class AgentsRegistryView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="The agents of a project",
        description="Registered agents, whether they did something in the range or not, and every other agent that"
        " took part in a trace of the range; in the order of their names.",
        parameters=[RangeParameters],
        responses={200: AgentUsageSerializer(many=True), **errors(404)},
    )
    def get(self, request: Request) -> Response:
        scope = scope_of_range(request, RangeParameters.of_query(request))
        ids = registered(request, scope.project_id)
        found = {agent.name: agent for agent in agent_figures(scope)}
        is_cut = len(found) == MOST  # then a registered agent that is not found may be one of the others
        idle_ones = [] if is_cut else sorted(ids.keys() - found.keys())[:MOST]
        names = sorted([*found, *idle_ones])
        rows = [usage_row(found.get(name) or idle(name), ids.get(name)) for name in names]
        return Response(rows + (others_rows(scope) if is_cut else []))


def idle(name: str) -> AgentFigures:
    """Of an agent that did nothing."""
    return AgentFigures(name, 0, 0, 0, 0, Durations(), 0, 0, 0, 0, Cost(None, 0))


class AgentDetailView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="One agent in a range",
        description="An agent that did nothing in the range has zeros.",
        parameters=[AgentDetailParameters],
        responses={200: AgentDetailSerializer, **errors(404)},
    )
    def get(self, request: Request, agent_id: str) -> Response:
        asked = AgentDetailParameters.of_query(request)
        project_ids = projects_of(request, asked["project_id"])
        known = rows_for(request, Agent.objects.all(), asked["project_id"]).with_id(agent_id)
        if known:
            project_ids = [known.project_id]
        name = known.name if known else agent_id
        scope = _scope_of_agent(ProjectsScope(tuple(project_ids), asked["start_time"], asked["end_time"]), name)
        return Response({"agent_id": agent_id, **agent_detail(name, scope, asked["timezone"])})


def _scope_of_agent(scope: ProjectsScope, name: str) -> Scope | None:
    """The first of the projects in which the agent took part, else simply the first; None when there is none."""
    if not scope.project_ids:
        return None
    found = projects_of_agent(scope, name) if len(scope.project_ids) > 1 else set()
    chosen = next((each for each in scope.project_ids if each in found), scope.project_ids[0])
    return Scope(chosen, scope.start, scope.end)


def agent_detail(name: str, scope: Scope | None, zone: ZoneInfo) -> dict[str, Any]:
    """What an agent did in a project; zeros without one."""
    agent = next(iter(agent_figures(scope, name)), idle(name)) if scope else idle(name)
    traces = trace_page(scope, TraceFilter(agent=name), None, size=NEWEST).traces if scope and agent.traces else []
    trend = trace_trend(scope, "hour", zone, TraceFilter(agent=name)) if scope else {}
    return {
        "agent_name": name,
        "metrics": {
            "trace_count": agent.traces,
            "span_count": agent.span_count,
            "total_tokens": agent.total_tokens,
            "total_cost": known_dollars(agent.cost),
            "unknown_cost_calls": agent.cost.unknown_calls,
            "avg_latency_ms": milliseconds(agent.durations.average),
            "p50_latency_ms": milliseconds(agent.durations.p50),
            "p95_latency_ms": milliseconds(agent.durations.p95),
            "error_count": agent.error_count,
            "success_rate": round(agent.success_rate or 0.0, 1),
        },
        "traces": [
            {
                "trace_id": trace.trace_id,
                "span_name": trace.name,
                "duration_ms": milliseconds(trace.duration_ns),
                "status": state(trace.status),
                "timestamp": store_time(trace.start_ns),
                "agent_name": name,
            }
            for trace in traces
        ],
        "trend": [_hour(start, sums) for start, sums in trend.items()],
    }


def _hour(start: datetime, sums: TraceSums) -> dict[str, Any]:
    named = bucket(start, "hour")
    return {
        "hour": named["timestamp"],
        "start": named["start"],
        "call_count": sums.traces,
        "error_count": sums.error_count,
    }
