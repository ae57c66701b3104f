"""Endpoints of /agents."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as InvalidModel
from django.db.models import Count, Q, Sum
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.units import milliseconds
from compat.contract import ContractError, ContractValidationError, ContractView, fault
from compat.contract_schema import errors
from compat.monitoring.parameters import named_project, rows_for
from projects.access import administered, has_scope
from projects.api.access import MayRead
from projects.api.actor import actor_of, author_of
from projects.credentials import Credential
from projects.models import KeyScope, Project
from projects.services import record
from traces.converters import stored_trace_id
from traces.ingest.agent_runs import NotMonitored, end_run, start_run
from traces.ingest.agents import AgentStatus, activate, registered_agent
from traces.ingest.otlp.errors import OtlpError
from traces.models import Agent, AgentRun

from .shapes import (
    DEFAULT_PROJECT,
    AgentChanges,
    AgentListParameters,
    AgentRunEndedSerializer,
    AgentRunStartedSerializer,
    NewAgent,
    RegisteredAgentListSerializer,
    RegisteredAgentSerializer,
    RegistrySummarySerializer,
    RunEnd,
    RunStart,
    SummaryParameters,
)

TAG = "Agent registry"


class MayUseRegistry(BasePermission):
    """Reading: as everywhere. Registering and runs: a key with the scope ingest, for runs become spans. Changing what
    is there: a key with both scopes, for the answer is the row. People: by their role.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        actor = actor_of(request)
        if request.method in SAFE_METHODS or not isinstance(actor, Credential):
            return MayRead().has_permission(request, view)
        if request.method == "POST":
            self.message = "This key may not send: make one with the permission to send traces."
            return has_scope(actor, KeyScope.INGEST)
        self.message = "This key may not change agents: make one with the permissions to send traces and to read data."
        return has_scope(actor, KeyScope.INGEST, KeyScope.READ)


class RegistryView(ContractView):
    permission_classes = (MayUseRegistry,)


class AgentsView(RegistryView):
    @extend_schema(
        tags=[TAG],
        summary="Registered agents",
        parameters=[AgentListParameters],
        responses={200: RegisteredAgentListSerializer, **errors(404)},
    )
    def get(self, request: Request) -> Response:
        asked = AgentListParameters.of_query(request)
        agents = rows_for(request, Agent.objects.all(), _named(asked["project_id"]))
        for name in ("type", "status"):
            if name in asked:
                agents = agents.filter(**{name: asked[name]})
        page = agents[asked["offset"] : asked["offset"] + asked["limit"]]
        return Response(RegisteredAgentListSerializer({"agents": page, "total": agents.count()}).data)


class RegisterView(RegistryView):
    @extend_schema(
        tags=[TAG],
        summary="Register an agent",
        description="The agent of that name in the project, which is made if it is not there. One that was inactive is "
        "active again. A key that only sends learns its id and state, not what others wrote about it, and leaves an "
        "inactive one as it is.",
        request=NewAgent,
        responses={200: RegisteredAgentSerializer, **errors(404)},
    )
    def post(self, request: Request) -> Response:
        asked = NewAgent.of_body(request)
        project = _changeable_project(request, _named(asked.pop("project_id")))
        given = {name: value for name, value in asked.items() if value is not None}
        agent, is_new = registered_agent(project, given.pop("name"), given)
        if is_new:
            actor, by = author_of(request)
            record("agent.registered", actor=actor, project=project, target=agent.name, agent_id=str(agent.pk), **by)
        elif not has_scope(actor_of(request), KeyScope.READ):
            return Response(RegisteredAgentSerializer(_without_content(agent, given)).data)
        elif agent.status != AgentStatus.ACTIVE:
            activate(agent)
        return Response(RegisteredAgentSerializer(agent).data)


class AgentView(RegistryView):
    @extend_schema(tags=[TAG], summary="One agent", responses={200: RegisteredAgentSerializer, **errors(404)})
    def get(self, request: Request, agent_id: str) -> Response:
        return Response(RegisteredAgentSerializer(_agent(request, agent_id)).data)

    @extend_schema(
        tags=[TAG],
        summary="Change an agent",
        request=AgentChanges,
        responses={200: RegisteredAgentSerializer, **errors(404)},
    )
    def patch(self, request: Request, agent_id: str) -> Response:
        agent = _changeable_agent(request, agent_id)
        for name, value in AgentChanges.of_body(request).items():
            setattr(agent, name, ({} if name == "config" else "") if value is None else value)
        return _saved(request, agent, "agent.updated")

    @extend_schema(
        tags=[TAG],
        summary="Make an agent inactive",
        description="Its row and its traces stay; registering it again makes it active.",
        responses={200: RegisteredAgentSerializer, **errors(404)},
    )
    def delete(self, request: Request, agent_id: str) -> Response:
        agent = _changeable_agent(request, agent_id)
        agent.status = AgentStatus.INACTIVE
        return _saved(request, agent, "agent.deactivated")


class RunStartView(RegistryView):
    @extend_schema(
        tags=[TAG],
        summary="An agent begins to work",
        description="The run is kept until its end is sent, to whichever process, for 30 days.",
        request=RunStart,
        responses={200: AgentRunStartedSerializer, **errors(400, 404)},
    )
    def post(self, request: Request, agent_id: str) -> Response:
        asked = RunStart.of_body(request)
        agent = _changeable_agent(request, agent_id)
        try:
            run = start_run(agent, asked.get("inputs"), asked.get("tags") or [])
        except NotMonitored as error:
            raise ContractError(400, str(error)) from None
        body = {"trace_id": run.trace_id, "agent_id": agent.pk, "agent_name": agent.name}
        return Response(AgentRunStartedSerializer(body).data)


class RunEndView(RegistryView):
    @extend_schema(
        tags=[TAG],
        summary="An agent has finished",
        description="Stores the run as a span, the root of its trace, with inputs and outputs whole. Ending a run "
        "again changes nothing. Cost and tokens stand at the span and count in stats/summary; the project's totals "
        "have those of the LLM calls, so that nothing counts twice.",
        request=RunEnd,
        responses={200: AgentRunEndedSerializer, **errors(404)},
    )
    def post(self, request: Request, agent_id: str) -> Response:
        asked = RunEnd.of_body(request)
        agent = _changeable_agent(request, agent_id)
        run = _run(agent, asked["trace_id"])
        actor = actor_of(request)
        credential = actor if isinstance(actor, Credential) else None
        try:
            ended = end_run(
                run,
                credential,
                outputs=asked.get("outputs"),
                error=asked.get("error") or "",
                cost=Decimal(str(round(asked["cost"], 10))),
                tokens=asked["tokens"],
            )
        except OtlpError as error:
            raise _refusal(error) from error
        duration_ms = None if ended.end_ns is None else milliseconds(ended.end_ns - ended.start_ns)
        return Response({"success": True, "trace_id": ended.trace_id, "duration_ms": duration_ms})


class SummaryView(RegistryView):
    @extend_schema(
        tags=[TAG],
        summary="Agents and their runs in numbers",
        parameters=[SummaryParameters],
        responses={200: RegistrySummarySerializer, **errors(404)},
    )
    def get(self, request: Request) -> Response:
        asked = SummaryParameters.of_query(request)
        agents = rows_for(request, Agent.objects.all(), _named(asked["project_id"]))
        counts = agents.aggregate(
            total_agents=Count("pk"),
            active_agents=Count("pk", filter=Q(status=AgentStatus.ACTIVE)),
            inactive_agents=Count("pk", filter=Q(status=AgentStatus.INACTIVE)),
            monitored_agents=Count("pk", filter=Q(monitoring_enabled=True)),
        )
        by_type = agents.order_by("type").values_list("type").annotate(count=Count("pk"))
        runs = AgentRun.objects.of_agents(agents).aggregate(
            running_traces=Count("pk", filter=Q(stored_at=None)),
            ended_traces=Count("pk", filter=~Q(stored_at=None)),
            failed_traces=Count("pk", filter=Q(failed=True)),
            total_cost=Sum("cost", default=Decimal(0)),
            total_tokens=Sum("tokens", default=0),
        )
        return Response(RegistrySummarySerializer({**counts, "by_type": dict(by_type), **runs}).data)


def _named(project_id: str) -> str:
    return "" if project_id == DEFAULT_PROJECT else project_id


def _without_content(agent: Agent, given: dict[str, Any]) -> Agent:
    """What a key that only sends is told of an agent that was there: which it is, and what the key itself said."""
    agent.external_id, agent.description = given.get("external_id", ""), given.get("description", "")
    agent.config = given.get("config", {})
    return agent


def _agent(request: Request, agent_id: str) -> Agent:
    """An agent of a project that the asker sees. Raises ContractError 404."""
    agent = Agent.objects.visible_to(actor_of(request)).with_id(agent_id)
    if agent is None:
        raise ContractError(404, f"Agent not found: {agent_id}")
    return agent


def _changeable_agent(request: Request, agent_id: str) -> Agent:
    agent = _agent(request, agent_id)
    _check_role(request, agent.project)
    return agent


def _changeable_project(request: Request, project_id: str) -> Project:
    project = named_project(request, project_id)
    if project is None:
        message = "Name the project: only a key says which one it is."
        raise ContractValidationError([fault(["body", "project_id"], message, sent=DEFAULT_PROJECT)])
    _check_role(request, project)
    return project


def _check_role(request: Request, project: Project) -> None:
    """A key's scope was checked already. Raises NotAllowed for people who may only read."""
    actor = actor_of(request)
    if not isinstance(actor, Credential):
        administered(actor, project)


def _saved(request: Request, agent: Agent, action: str) -> Response:
    agent.updated_at = timezone.now()
    try:
        agent.full_clean()
    except InvalidModel as error:
        texts = error.message_dict.items()
        raise ContractValidationError(
            [fault(["body", "name" if name == "__all__" else name], " ".join(text)) for name, text in texts]
        ) from None
    agent.save()
    actor, by = author_of(request)
    record(action, actor=actor, project=agent.project, target=agent.name, agent_id=str(agent.pk), **by)
    return Response(RegisteredAgentSerializer(agent).data)


def _run(agent: Agent, text: str) -> AgentRun:
    try:
        return agent.runs.select_related("agent").get(trace_id=stored_trace_id(text))
    except (ValueError, AgentRun.DoesNotExist):
        raise ContractError(404, f"Trace not found: {text}") from None


def _refusal(error: OtlpError) -> ContractError:
    status = error.http_status if error.http_status in (413, 429) else 503
    return ContractError(status, str(error), error.retry_after or 5)
