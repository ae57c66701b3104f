"""GET /api/v1/projects/{id}/usage…: LLM calls, tokens, cost and latency; in total, by what, and over time."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.clickhouse.together import Questions
from projects.access import visible_project
from projects.api.access import MayRead
from projects.api.actor import actor_of
from traces.store.queries.metric_usage import metric_usage
from traces.store.queries.requests import Requests, requests_over_time, requests_total
from traces.store.queries.usage import MOST, Usage, most_called, usage_by, usage_of_others, usage_over_time, usage_total

from .ranges import RangeParameters, pinned, scope_of
from .serializers import CostSerializer, LatencySerializer, MoneyField, TokensSerializer

STEPS = {"quarter": timedelta(minutes=15), "hour": timedelta(hours=1), "day": timedelta(days=1)}
DIMENSIONS = ("model", "provider", "service", "agent")
MAX_STEPS = 5_000
QUARTERS = "Calls are counted in quarters of an hour: every quarter that the range touches is in it as a whole."


class UsageSerializer(serializers.Serializer[Any]):
    """Sums over LLM calls; a call belongs to the quarter of an hour in which it starts."""

    calls = serializers.IntegerField()
    failed_calls = serializers.IntegerField()
    cache_hits = serializers.IntegerField()
    tokens = TokensSerializer(source="*")
    cost = CostSerializer()
    latency = LatencySerializer(allow_null=True, help_text="Of calls that did not fail; null when there is none.")


class RequestsSerializer(serializers.Serializer[Any]):
    """Traces that overlap the range, as the list counts them; over time each in the step in which it starts."""

    requests = serializers.IntegerField(help_text="Traces.")
    failed_requests = serializers.IntegerField(help_text="Traces with status error.")
    request_latency = LatencySerializer(allow_null=True, help_text="From first start to last end; null without any.")


class RangeSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class UsageTotalSerializer(UsageSerializer, RequestsSerializer, RangeSerializer):
    pass


class NamedUsageSerializer(UsageSerializer):
    name = serializers.CharField(help_text="Blank: the calls that name none.")


class UsageBySerializer(RangeSerializer):
    by = serializers.ChoiceField(DIMENSIONS)
    results = NamedUsageSerializer(many=True, help_text=f"At most {MOST:,}, the most called.")
    truncated = serializers.BooleanField(help_text="Whether there are more than these.")
    others = UsageSerializer(allow_null=True, help_text="What all others came to together; null when there are none.")


class UsageOfStepSerializer(UsageSerializer, RequestsSerializer):
    start = serializers.DateTimeField(help_text="Start of the step, with the offset of the time zone.")


class UsageOverTimeSerializer(RangeSerializer):
    step = serializers.ChoiceField(list(STEPS))
    timezone = serializers.CharField()
    results = UsageOfStepSerializer(many=True, help_text="Every step that the range touches, empty ones included.")


class MetricTokensSerializer(serializers.Serializer[Any]):
    input = serializers.IntegerField(source="input_tokens")
    output = serializers.IntegerField(source="output_tokens")
    cached_input = serializers.IntegerField(source="cached_input_tokens")
    total = serializers.IntegerField(source="total_tokens")


class MetricUsageSerializer(serializers.Serializer[Any]):
    service = serializers.CharField()
    model = serializers.CharField(help_text="Blank: the metric names none.")
    tokens = MetricTokensSerializer(source="*")
    cost = MoneyField(allow_null=True, help_text="US dollars that clients reported; null when none was.")


class UsageToldByMetricsSerializer(RangeSerializer):
    results = MetricUsageSerializer(many=True, help_text=f"By service and model, at most {MOST:,}.")


class UsageByParameters(RangeParameters):
    by = serializers.ChoiceField(DIMENSIONS, help_text="What to add up by.")


class UsageOverTimeParameters(RangeParameters):
    step = serializers.ChoiceField(list(STEPS), default="day")
    timezone = serializers.CharField(
        default="UTC", max_length=64, help_text="Where days and hours begin, such as Asia/Seoul."
    )

    def validate_timezone(self, name: str) -> str:
        if name not in available_timezones():
            raise serializers.ValidationError("There is no such time zone. Write a name such as UTC or Asia/Seoul.")
        return name

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if (attrs["end"] - attrs["start"]) / STEPS[attrs["step"]] > MAX_STEPS:
            raise serializers.ValidationError(
                {"step": [f"The range has more than {MAX_STEPS} such steps: choose longer ones or a shorter range."]}
            )
        return attrs


@method_decorator(never_cache, name="dispatch")
class UsageView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="usage_retrieve",
        summary="Usage in total",
        description=QUARTERS,
        tags=["Usage"],
        parameters=[RangeParameters],
        responses=UsageTotalSerializer,
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = RangeParameters.of(request)
        scope = scope_of(project, wanted)
        with Questions() as ask:
            usage, requests = ask(lambda: usage_total(scope)), ask(lambda: requests_total(scope))
        return Response({**pinned(wanted), **_shown(usage.result(), requests.result())})


@method_decorator(never_cache, name="dispatch")
class UsageByView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="usage_by",
        summary="Usage by model, provider, service or agent",
        description=f"The most called first, at most {MOST:,}, and the others together. {QUARTERS}",
        tags=["Usage"],
        parameters=[UsageByParameters],
        responses=UsageBySerializer,
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = UsageByParameters.of(request)
        scope, by = scope_of(project, wanted), wanted["by"]
        found = list(usage_by(scope, by, MOST + 1).items())
        rows = [{"name": name, **UsageSerializer(usage).data} for name, usage in found[:MOST]]
        is_cut = len(found) > MOST
        others = usage_of_others(scope, by, most_called(by, MOST)) if is_cut else None
        rest = {"truncated": is_cut, "others": others and UsageSerializer(others).data}
        return Response({**pinned(wanted), "by": by, "results": rows, **rest})


@method_decorator(never_cache, name="dispatch")
class UsageOverTimeView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="usage_over_time",
        summary="Usage over time",
        description=QUARTERS,
        tags=["Usage"],
        parameters=[UsageOverTimeParameters],
        responses=UsageOverTimeSerializer,
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = UsageOverTimeParameters.of(request)
        scope, step, zone = scope_of(project, wanted), wanted["step"], ZoneInfo(wanted["timezone"])
        with Questions() as ask:
            usages = ask(lambda: usage_over_time(scope, step, zone))
            requests = ask(lambda: requests_over_time(scope, step, zone))
        rows = [
            {"start": start.isoformat(), **_shown(usage, requests.result()[start])}
            for start, usage in usages.result().items()
        ]
        return Response({**pinned(wanted), "step": wanted["step"], "timezone": wanted["timezone"], "results": rows})


@method_decorator(never_cache, name="dispatch")
class UsageToldByMetricsView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="usage_by_metrics",
        summary="Usage told by metrics, without traces",
        description="Tokens and cost that token and cost metrics tell of services that sent no call by a trace or log "
        "in the range or the day before it. It is in no other figure. The most tokens first.",
        tags=["Usage"],
        parameters=[RangeParameters],
        responses=UsageToldByMetricsSerializer,
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = RangeParameters.of(request)
        found = metric_usage(scope_of(project, wanted))
        return Response({**pinned(wanted), "results": MetricUsageSerializer(found, many=True).data})


def _shown(usage: Usage, requests: Requests) -> dict[str, Any]:
    return {**UsageSerializer(usage).data, **RequestsSerializer(requests).data}
