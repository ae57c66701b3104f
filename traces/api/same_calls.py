"""/api/v1/projects/{id}/same-calls: services that seem to report the same calls, and what is decided about them."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.exceptions import ValidationError as BadRequest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.parameters import Parameters
from agentops_portal.api.serializers import PortalModelSerializer
from projects.access import administered_project, person, visible_project
from projects.api.access import IsPerson, MayRead
from projects.api.actor import actor_of
from traces.store.calls.leaving_out import decide
from traces.store.calls.records import Decision, SameCalls

TAG = ["Usage"]


class SameCallsSerializer(PortalModelSerializer):
    class Meta:
        model = SameCalls
        fields = (
            *("id", "service", "other", "calls", "other_calls", "same", "found_at"),
            *("decision", "left_out", "decided_at", "applied_at"),
        )


class SameCallsAnswer(serializers.Serializer[dict[str, object]]):
    results = SameCallsSerializer(many=True)


class NewDecision(Parameters):
    decision = serializers.ChoiceField(
        Decision.choices, help_text="left_out: the calls of `service` count no more; different: they are not the same."
    )
    service = serializers.CharField(required=False, help_text="Which of the two is left out.")


@method_decorator(never_cache, name="dispatch")
class SameCallsListView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="same_calls_list",
        summary="Services that seem to report the same calls",
        description="Two services of which nearly all calls of one coincide with calls of the other, in time, model "
        "and tokens, though nothing ties them together. Looked for once an hour, in the calls of the last 24 hours.",
        tags=TAG,
        responses=SameCallsAnswer,
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        Parameters.of(request)
        found = SameCalls.objects.visible_to(actor_of(request)).of_project(project.pk)
        return Response({"results": SameCallsSerializer(found, many=True).data})


@method_decorator(never_cache, name="dispatch")
class SameCallsView(APIView):
    permission_classes = (IsPerson,)

    @extend_schema(
        operation_id="same_calls_partial_update",
        summary="Leave a service out, or say that two services are different",
        description="For owners and admins of the organization. `open` takes a decision back. What is stored is "
        "counted again in the background: `applied_at` says since when.",
        tags=TAG,
        request=NewDecision,
        responses=SameCallsSerializer,
    )
    def patch(self, request: Request, project_id: UUID, pair_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        wanted = NewDecision.of_body(request)
        pairs = SameCalls.objects.administered_by(actor_of(request)).of_project(project.pk)
        pair = pairs.filter(pk=pair_id).first()
        if pair is None:
            raise NotFound("There is no such pair of services in this project.")
        try:
            pair = decide(
                pair=pair,
                decision=Decision(wanted["decision"]),
                service=wanted.get("service", ""),
                actor=person(actor_of(request)),
            )
        except ValidationError as error:
            raise BadRequest(error.message_dict) from error
        return Response(SameCallsSerializer(pair).data)
