"""GET /api/v1/projects/{id}/retention: how long data is kept, and what was removed."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.parameters import Parameters
from agentops_portal.api.serializers import PortalModelSerializer
from projects.access import visible_project
from projects.api.access import MayRead
from projects.api.actor import actor_of
from traces.lifecycle.retention.records import RetentionRun, status_of
from traces.store.queries.retention import oldest_span

from .serializers import NanosecondsField


class LastRunSerializer(PortalModelSerializer):
    failed = serializers.SerializerMethodField(help_text="It could not remove everything; the next run goes on.")
    removed = serializers.SerializerMethodField(help_text="Rows of this project by table.")

    class Meta:
        model = RetentionRun
        fields = ("started_at", "finished_at", "failed", "removed")

    def get_failed(self, run: RetentionRun) -> bool:
        return bool(run.error)

    def get_removed(self, run: RetentionRun) -> dict[str, int]:
        return dict(self.context["removed"])


class RetentionSerializer(serializers.Serializer[Any]):
    retention_days = serializers.IntegerField(source="days", help_text="Changed by a PATCH of the project.")
    kept_since = serializers.DateField(help_text="The first day (UTC) that the next run keeps, if it came now.")
    oldest_span = NanosecondsField(source="oldest_ns", allow_null=True, help_text="Start of the oldest span.")
    last_run = LastRunSerializer(source="last", allow_null=True)
    next_run = serializers.DateTimeField(
        source="next_at", allow_null=True, help_text="Null: an administrator switched it off."
    )


@method_decorator(never_cache, name="dispatch")
class RetentionView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="retention_retrieve",
        summary="How long data is kept",
        description="A project that keeps N days keeps the running day and the N days before it, days of UTC.",
        tags=["Data"],
        responses=RetentionSerializer,
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        Parameters.of(request)
        status = status_of(project, timezone.now())
        shown = {
            "days": status.days,
            "kept_since": status.kept_since,
            "oldest_ns": oldest_span(project.pk),
            "last": status.last,
            "next_at": status.next_at,
        }
        return Response(RetentionSerializer(shown, context={"removed": status.removed}).data)
