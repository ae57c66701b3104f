"""GET …/analytics/guardrails: what guardrails looked at and what they stopped."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.units import milliseconds
from compat.contract import ContractView
from compat.contract_schema import errors
from traces.reading.rows import percent
from traces.store.queries.guardrail_phases import PhaseRuns, runs_by_phase
from traces.store.queries.guardrails import guarded_traces
from traces.store.queries.trace_metrics import trace_sums

from .parameters import TAG, RangeParameters, scope_of_range


class GuardrailPhaseSerializer(serializers.Serializer[Any]):
    checks = serializers.IntegerField(help_text="Runs, each counted once however often it was sent.")
    blocks = serializers.IntegerField()
    block_rate = serializers.FloatField(help_text="Percent of the checks.")


class GuardrailTokensSerializer(serializers.Serializer[Any]):
    prompt = serializers.IntegerField()
    completion = serializers.IntegerField()
    total = serializers.IntegerField()


class GuardrailFiguresSerializer(serializers.Serializer[Any]):
    total_requests = serializers.IntegerField(help_text="Traces of the range that called a model or ran a guardrail.")
    guardrail_applied = serializers.IntegerField(help_text="Those in which a guardrail ran.")
    blocked_requests = serializers.IntegerField(help_text="Those in which a guardrail blocked. An error is no block.")
    block_rate = serializers.FloatField(help_text="Percent: blocked_requests of guardrail_applied.")
    coverage = serializers.FloatField(help_text="Percent of the traces with an LLM call in which a guardrail ran.")
    input_guardrail = GuardrailPhaseSerializer(help_text="Runs before or beside the model: pre_call, during_call.")
    output_guardrail = GuardrailPhaseSerializer(help_text="Runs on what a model answered: post_call.")
    other_guardrail = GuardrailPhaseSerializer(help_text="Runs whose mode says neither.")
    token_usage = GuardrailTokensSerializer(help_text="Of all LLM calls of the range.")
    avg_latency_ms = serializers.FloatField(help_text="Of guardrail runs.")


class GuardrailsView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="Guardrails of a project in a range",
        description="A guardrail whose modes are of both phases counts as input with its first run in a trace, as"
        " output with those that follow.",
        parameters=[RangeParameters],
        responses={200: GuardrailFiguresSerializer, **errors(404)},
    )
    def get(self, request: Request) -> Response:
        scope = scope_of_range(request, RangeParameters.of_query(request))
        traces = guarded_traces(scope)
        phases = runs_by_phase(scope)
        sums, _ = trace_sums(scope)
        runs = sum(phase.runs for phase in phases.values())
        duration_ns = sum(phase.duration_ns for phase in phases.values())
        return Response(
            {
                "total_requests": traces.with_calls + traces.with_runs - traces.with_calls_and_runs,
                "guardrail_applied": traces.with_runs,
                "blocked_requests": traces.with_blocks,
                "block_rate": percent(traces.with_blocks, traces.with_runs),
                "coverage": percent(traces.with_calls_and_runs, traces.with_calls),
                **{f"{name}_guardrail": _phase(phase) for name, phase in phases.items()},
                "token_usage": {
                    "prompt": sums.input_tokens,
                    "completion": sums.output_tokens,
                    "total": sums.total_tokens,
                },
                "avg_latency_ms": milliseconds(duration_ns / runs) if runs else 0.0,
            }
        )


def _phase(phase: PhaseRuns) -> dict[str, Any]:
    return {"checks": phase.runs, "blocks": phase.blocked, "block_rate": percent(phase.blocked, phase.runs)}
