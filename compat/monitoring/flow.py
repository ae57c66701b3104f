"""GET …/analytics/agent-flow: who called whom, as a graph that can be drawn as it is."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import milliseconds
from compat.contract import ContractMomentField, ContractView, contract_project
from compat.contract_schema import errors
from traces.reading.agent_flow import AgentFlow, Stage, agent_flow, places
from traces.store.queries.flow_spans import MAX_SPANS, MAX_TRACES, flow_spans, newest_flow_spans

from .parameters import TAG, RangeParameters, located_trace

COLORS = {
    "client": "#3b82f6",
    "service": "#0ea5e9",
    "workflow": "#6366f1",
    "task": "#94a3b8",
    "agent": "#8b5cf6",
    "tool": "#f59e0b",
    "retriever": "#14b8a6",
    "llm": "#10b981",
    "guardrail": "#ef4444",
}
LAYER_WIDTH = 280  # pixels
ROW_HEIGHT = 140


class FlowParameters(RangeParameters):
    trace_id = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        help_text="The flow of one trace; without it, of the range.",
    )
    start_time = ContractMomentField(required=False, help_text="Needed without trace_id.")
    end_time = ContractMomentField(required=False, help_text="Needed without trace_id.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        missing = [name for name in ("start_time", "end_time") if name not in attrs]
        if missing and not attrs["trace_id"]:
            text = "Field required, unless there is a trace_id"
            raise serializers.ValidationError({name: serializers.ErrorDetail(text, "required") for name in missing})
        return super().validate(attrs)


class StageDataSerializer(serializers.Serializer[Any]):
    stage_name = serializers.CharField()
    kind = serializers.CharField(help_text="client, service, workflow, task, agent, tool, retriever, llm or guardrail.")
    call_count = serializers.IntegerField()
    avg_latency_ms = serializers.FloatField()
    total_tokens = serializers.IntegerField()
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    total_cost = serializers.FloatField(help_text="US dollars, as far as they are known.")
    unknown_cost_calls = serializers.IntegerField(help_text="LLM calls whose cost nobody knows.")
    error_count = serializers.IntegerField()
    guardrail_applied = serializers.IntegerField(help_text="Guardrail runs that the stage started, or was.")
    color = serializers.CharField()
    is_guardrail = serializers.BooleanField()


class PositionSerializer(serializers.Serializer[Any]):
    x = serializers.FloatField()
    y = serializers.FloatField()


class FlowNodeSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField(help_text="stage; what kind of one is in its data.")
    position = PositionSerializer(help_text="Pixels: calls lead from left to right.")
    data = StageDataSerializer()  # type: ignore[assignment]


class CallsSerializer(serializers.Serializer[Any]):
    label = serializers.CharField(help_text="12 calls")  # type: ignore[assignment]
    calls = serializers.IntegerField()
    blocked = serializers.BooleanField(help_text="Whether a guardrail on this way blocked.")
    blocked_calls = serializers.IntegerField()


class FlowEdgeSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    target = serializers.CharField()
    animated = serializers.BooleanField()
    data = CallsSerializer()  # type: ignore[assignment]


class AgentFlowSerializer(serializers.Serializer[Any]):
    nodes = FlowNodeSerializer(many=True)
    edges = FlowEdgeSerializer(many=True)
    trace_count = serializers.IntegerField(help_text="Traces that the flow is made of.")
    is_partial = serializers.BooleanField(help_text="Whether the range has traces, or the trace spans, beyond those.")


class AgentFlowView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="Who called whom",
        description="Stages and the calls between them, from the parents of spans. Of one trace, or of the newest"
        f" traces of a range in which a model, agent, tool or guardrail did something: at most {MAX_TRACES} of them and"
        f" {MAX_SPANS:,} spans; `is_partial` tells when the range, or the trace, has more.",
        parameters=[FlowParameters],
        responses={200: AgentFlowSerializer, **errors(404)},
    )
    def get(self, request: Request) -> Response:
        asked = FlowParameters.of_query(request)
        project = contract_project(request, asked["project_id"])
        if asked["trace_id"]:
            stored, scope = located_trace(request, asked["trace_id"])
            traces = flow_spans(scope, [stored], MAX_SPANS + 1)
            is_partial = sum(map(len, traces)) > MAX_SPANS
        else:
            traces, is_partial = newest_flow_spans(Scope(project.pk, asked["start_time"], asked["end_time"]))
        drawn = graph(agent_flow(traces))
        return Response({**drawn, "trace_count": len(traces), "is_partial": is_partial})


def graph(flow: AgentFlow) -> dict[str, list[dict[str, Any]]]:
    """Nodes and edges as React Flow takes them, the layers from left to right."""
    placed = sorted(places(flow).items(), key=lambda item: (item[1].layer, item[1].row))
    ids = {stage: f"stage-{number}" for number, (stage, _) in enumerate(placed)}
    nodes = [
        {
            "id": ids[stage],
            "label": stage.name,
            "type": "stage",
            "position": {"x": float(place.layer * LAYER_WIDTH), "y": float(place.row * ROW_HEIGHT)},
            "data": _stage_data(flow, stage),
        }
        for stage, place in placed
    ]
    pairs = sorted(flow.calls.items(), key=lambda item: (placed_at(ids, item[0][0]), placed_at(ids, item[0][1])))
    edges = [
        {
            "id": f"e{number}",
            "source": ids[source],
            "target": ids[target],
            "animated": not calls.blocked,
            "data": {
                "label": f"{calls.calls} calls",
                "calls": calls.calls,
                "blocked": calls.blocked > 0,
                "blocked_calls": calls.blocked,
            },
        }
        for number, ((source, target), calls) in enumerate(pairs)
    ]
    return {"nodes": nodes, "edges": edges}


def placed_at(ids: dict[Stage, str], stage: Stage) -> int:
    return int(ids[stage].removeprefix("stage-"))


def _stage_data(flow: AgentFlow, stage: Stage) -> dict[str, Any]:
    figures = flow.stages[stage]
    return {
        "stage_name": stage.name,
        "kind": stage.kind,
        "call_count": figures.calls,
        "avg_latency_ms": milliseconds(figures.average_ns),
        "total_tokens": figures.total_tokens,
        "prompt_tokens": figures.input_tokens,
        "completion_tokens": figures.output_tokens,
        "total_cost": float(figures.cost),
        "unknown_cost_calls": figures.unknown_cost_calls,
        "error_count": figures.errors,
        "guardrail_applied": flow.guardrail_runs(stage),
        "color": COLORS[stage.kind],
        "is_guardrail": stage.kind == "guardrail",
    }
