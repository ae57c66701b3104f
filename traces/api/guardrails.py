"""GET /api/v1/projects/{id}/guardrails/…: what guardrails looked at, and what came of it."""

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
from projects.access import visible_project
from projects.api.access import MayRead
from projects.api.actor import actor_of
from traces.converters import stored_trace_id
from traces.store.dialects.base import GUARDRAIL_OUTCOMES
from traces.store.queries.guardrail_pages import RunFilter, key_of, run_page
from traces.store.queries.guardrails import guarded_traces, guardrail_use

from .filters import exact_name
from .ranges import PRESET, RangePageParameters, RangeParameters, pinned, scope_of
from .serializers import NanosecondsField

BY = ("guardrail", "mode", "service")


class RunParameters(RangePageParameters):
    guardrail = exact_name("The guardrail's name.")
    mode = exact_name("When it ran, such as pre_call.")
    outcome = serializers.ChoiceField(GUARDRAIL_OUTCOMES, required=False, allow_blank=True)
    service = exact_name("The service that sent the run.")
    trace_id = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=300,
        help_text="The runs of one trace: 32 hexadecimal digits, or a UUID.",
    )
    cursor = CursorField(KeyCursor.parser(int, str, str, str, int))

    def validate_trace_id(self, text: str) -> str:
        try:
            return stored_trace_id(text) if text else ""
        except ValueError:
            raise serializers.ValidationError("A trace id has 32 hexadecimal digits.") from None


class RunSerializer(serializers.Serializer[Any]):
    """A guardrail that looked at a request or an answer, once however often it was sent."""

    id = serializers.CharField(source="key", help_text="Of the run, as reviews name it.")
    trace_id = serializers.CharField()
    span_id = serializers.CharField()
    guardrail = serializers.CharField()
    mode = serializers.CharField()
    outcome = serializers.ChoiceField(
        GUARDRAIL_OUTCOMES, help_text="failed: the guardrail itself did not answer. unknown: nobody told."
    )
    service = serializers.CharField()
    start = NanosecondsField(source="start_ns")
    duration_ns = serializers.IntegerField()
    models = serializers.ListField(child=serializers.CharField(), help_text="Of the trace.")
    session_id = serializers.CharField(help_text="Of the trace.")
    user_id = serializers.CharField(help_text="Of the trace.")


class GuardrailUseSerializer(serializers.Serializer[Any]):
    guardrail = serializers.CharField()
    mode = serializers.CharField()
    runs = serializers.IntegerField()
    allowed = serializers.IntegerField()
    masked = serializers.IntegerField()
    flagged = serializers.IntegerField()
    blocked = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Runs in which the guardrail itself did not answer; no blocks.")
    unknown = serializers.IntegerField(help_text="Runs of which nobody told what came of them.")
    block_rate = serializers.FloatField(help_text="blocked ÷ runs, 0 to 1.")
    p50_ns = serializers.FloatField()
    p95_ns = serializers.FloatField()


class GuardedTracesSerializer(serializers.Serializer[Any]):
    with_calls = serializers.IntegerField(help_text="Traces with an LLM call.")
    with_calls_and_runs = serializers.IntegerField(help_text="Of these, those with a guardrail run.")
    with_runs = serializers.IntegerField()
    with_blocks = serializers.IntegerField()
    coverage = serializers.FloatField(allow_null=True, help_text="with_calls_and_runs ÷ with_calls.")
    block_rate = serializers.FloatField(allow_null=True, help_text="with_blocks ÷ with_runs.")


class GuardrailSummarySerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    traces = GuardedTracesSerializer()
    guardrails = GuardrailUseSerializer(many=True, help_text="The most blocks first.")


@method_decorator(never_cache, name="dispatch")
class GuardrailRunsView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="guardrail_runs_list",
        summary="Guardrail runs that fit a filter",
        description="The newest first.",
        tags=["Guardrails"],
        parameters=[RunParameters],
        responses=page_of(RunSerializer),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = RunParameters.of(request)
        runs = run_page(
            scope_of(project, wanted),
            RunFilter(**{name: wanted.get(name, "") for name in (*BY, "outcome", "trace_id")}),
            wanted["cursor"].values if "cursor" in wanted else None,
            wanted["limit"] + 1,
        )
        return page(
            request,
            runs,
            wanted["limit"],
            cursor_of=lambda run: KeyCursor(key_of(run)),
            serializer=RunSerializer,
            pinned=pinned(wanted),
            replaced=PRESET,
        )


@method_decorator(never_cache, name="dispatch")
class GuardrailSummaryView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="guardrails_summary",
        summary="What each guardrail did, and how many traces it covers",
        tags=["Guardrails"],
        parameters=[RangeParameters],
        responses=GuardrailSummarySerializer,
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = RangeParameters.of(request)
        scope = scope_of(project, wanted)
        answer = {"traces": guarded_traces(scope), "guardrails": guardrail_use(scope)}
        parts = {
            "traces": GuardedTracesSerializer(answer["traces"]).data,
            "guardrails": GuardrailUseSerializer(answer["guardrails"], many=True).data,
        }
        return Response({**pinned(wanted), **parts})
