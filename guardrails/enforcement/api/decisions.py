"""GET /api/v1/projects/{id}/guardrails/decisions: what was decided. No text is kept."""

from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import NewestFirstParameters, newest_first, page_of
from agentops_portal.api.serializers import PortalModelSerializer
from projects.access import visible_project
from projects.api.access import MayRead
from projects.api.actor import actor_of

from ..models import Action, Decision
from .check import FoundSerializer
from .rules import TAG


class DecisionParameters(NewestFirstParameters):
    action = serializers.ChoiceField(Action.choices, required=False, help_text="What was done.")
    trace_id = serializers.CharField(required=False, max_length=100, help_text="Of one trace.")


class DecisionSerializer(PortalModelSerializer):
    rules = FoundSerializer(many=True)
    entities = serializers.DictField(child=serializers.IntegerField(), help_text="Kind → how many were found.")

    class Meta:
        model = Decision
        fields = (
            *("id", "at", "source", "phase", "action", "shadow_action", "reason", "rules", "entities"),
            *("model", "user", "key", "trace_id", "call_id", "latency_us"),
        )


@method_decorator(never_cache, name="dispatch")
class DecisionsView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="guardrail_decisions_list",
        summary="What the guardrail decided",
        description="The newest first.",
        tags=TAG,
        parameters=[DecisionParameters],
        responses=page_of(DecisionSerializer),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = DecisionParameters.of(request)
        rows = Decision.objects.visible_to(actor_of(request)).of_project(project.pk)
        named = {name: wanted[name] for name in ("action", "trace_id") if name in wanted}
        return newest_first(request, rows.filter(**named), wanted, time="at", serializer=DecisionSerializer)
