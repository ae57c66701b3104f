"""GET /public/v1/project, its metrics, and what this portal does not do: run agents."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from compat.agentops.v4.parameters import RangeParameters, project_of
from compat.agentops.v4.project_metrics import ProjectMetricsSerializer, project_answer
from compat.contract import ContractError, PublicView
from compat.contract_schema import errors

from .traces import TAG

NO_AGENTS = "This portal observes agents and does not run them: /public/v1/agent/run is not offered."


class PublicProjectSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    environment = serializers.CharField()


class PublicProjectView(PublicView):
    @extend_schema(
        operation_id="public_project_retrieve",
        summary="The key's project",
        tags=[TAG],
        responses={200: PublicProjectSerializer, **errors(400, 404)},
    )
    def get(self, request: Request) -> Response:
        project = project_of(request, "")
        return Response({"id": str(project.pk), "name": project.name, "environment": project.environment})


class PublicProjectMetricsView(PublicView):
    @extend_schema(
        operation_id="public_project_metrics",
        summary="Sums of the key's project",
        tags=[TAG],
        parameters=[RangeParameters],
        responses={200: ProjectMetricsSerializer, **errors(400, 404)},
    )
    def get(self, request: Request) -> Response:
        return project_answer(request, "")


class AgentRunView(PublicView):
    @extend_schema(
        operation_id="public_agent_run",
        summary="Not offered",
        description=NO_AGENTS,
        tags=[TAG],
        request=None,
        responses=errors(400),
    )
    def post(self, request: Request) -> Response:
        raise ContractError(400, NO_AGENTS)
