"""Deleting what clients sent: /api/v1/projects/{id}/erasures, and DELETE of a trace (traces.py)."""

from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import KeyCursor, PageParameters, page, page_of
from agentops_portal.api.parameters import CursorField, Parameters
from agentops_portal.api.serializers import PortalModelSerializer
from projects.access import administered_project, person
from projects.api.access import IsPerson
from projects.api.actor import actor_of
from projects.api.idempotency import PARAMETER, idempotent
from projects.api.v1.access import check_administrator
from traces.lifecycle.erasure.records import Erasure, ErasureKind
from traces.lifecycle.erasure.services import request_erasure
from traces.lifecycle.erasure.start import start

TAG = ["Data"]
FOR_ADMINISTRATORS = "For owners and admins of the organization."


class ErasureSerializer(PortalModelSerializer):
    removed = serializers.DictField(child=serializers.IntegerField(), help_text="Rows that there were, by table.")
    left = serializers.DictField(
        child=serializers.IntegerField(), help_text="Rows of the same traces that a recount found afterwards, by table."
    )
    failed = serializers.SerializerMethodField(help_text="The last attempt failed; it is tried again.")

    class Meta:
        model = Erasure
        fields = ("id", "kind", "value", "requested_at", "finished_at", "traces", "removed", "left", "failed")

    def get_failed(self, erasure: Erasure) -> bool:
        return bool(erasure.error)


class NewErasure(Parameters):
    kind = serializers.ChoiceField(ErasureKind.choices, help_text="Whose data: of a trace, a user or a session.")
    value = serializers.CharField(max_length=1000, trim_whitespace=False, help_text="Its id.")


class ErasureListParameters(PageParameters):
    cursor = CursorField(KeyCursor.parser(int, str))


@method_decorator(never_cache, name="dispatch")
class ErasuresView(APIView):
    permission_classes = (IsPerson,)

    @extend_schema(
        operation_id="erasures_list",
        summary="What was deleted on request",
        description=f"The newest first. {FOR_ADMINISTRATORS}",
        tags=TAG,
        parameters=[ErasureListParameters],
        responses=page_of(ErasureSerializer),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        wanted = ErasureListParameters.of(request)
        erasures = Erasure.objects.visible_to(actor_of(request)).of_project(project.pk)
        if "cursor" in wanted:
            erasures = erasures.after(*wanted["cursor"].values)
        return page(
            request,
            list(erasures[: wanted["limit"] + 1]),
            wanted["limit"],
            cursor_of=lambda erasure: KeyCursor(erasure.key),
            serializer=ErasureSerializer,
        )

    @extend_schema(
        operation_id="erasures_create",
        summary="Delete the data of a user, a session or a trace",
        description="Every trace that names the user or session, whole, from every table; logs, share links and usage "
        f"included. It runs in the background: ask for the receipt until `finished_at` is set. {FOR_ADMINISTRATORS}",
        tags=TAG,
        parameters=[PARAMETER],
        request=NewErasure,
        responses={202: ErasureSerializer},
    )
    @idempotent(check_administrator)
    def post(self, request: Request, project_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        wanted = NewErasure.of_body(request)
        erasure = request_erasure(
            project=project, kind=ErasureKind(wanted["kind"]), value=wanted["value"], actor=person(actor_of(request))
        )
        start(erasure)
        return Response(ErasureSerializer(erasure).data, status=202)


@method_decorator(never_cache, name="dispatch")
class ErasureView(APIView):
    permission_classes = (IsPerson,)

    @extend_schema(
        operation_id="erasures_retrieve",
        summary="The receipt of a deletion",
        description=FOR_ADMINISTRATORS,
        tags=TAG,
        responses=ErasureSerializer,
    )
    def get(self, request: Request, project_id: UUID, erasure_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        Parameters.of(request)
        erasure = Erasure.objects.visible_to(actor_of(request)).of_project(project.pk).filter(pk=erasure_id).first()
        if erasure is None:
            raise NotFound("There is no such deletion in this project.")
        return Response(ErasureSerializer(erasure).data)
