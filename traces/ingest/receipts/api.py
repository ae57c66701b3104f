"""GET /api/v1/projects/{id}/ingest-receipts: what each key sent in each hour."""

from typing import Any
from uuid import UUID

from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import PageParameters, page, page_of
from agentops_portal.api.parameters import CursorField, MomentField
from agentops_portal.api.serializers import PortalModelSerializer
from projects.access import visible_project
from projects.api.access import MayRead
from projects.api.actor import actor_of
from projects.models import ApiKey

from .models import IngestReceipt, ReceiptCursor


class ReceiptParameters(PageParameters):
    since = MomentField(required=False, help_text="Hours that begin at this time or later.")
    until = MomentField(required=False, help_text="Hours that begin before this time.")
    key = serializers.UUIDField(required=False, help_text="The id of one of the project's keys.")
    cursor = CursorField(ReceiptCursor.parse)

    def validate_key(self, key_id: UUID) -> UUID:
        if not self.context["project"].keys.filter(pk=key_id).exists():
            raise serializers.ValidationError(_("This project has no such key."))
        return key_id

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "since" in attrs and "until" in attrs and attrs["since"] >= attrs["until"]:
            raise serializers.ValidationError({"until": [_("The end must come after the start.")]})
        return attrs


class KeySerializer(PortalModelSerializer):
    class Meta:
        model = ApiKey
        fields = ("id", "name", "prefix")


class ReceiptSerializer(PortalModelSerializer):
    key = KeySerializer()

    class Meta:
        model = IngestReceipt
        fields = (
            "key",
            "hour",
            "requests",
            "duplicate_requests",
            "accepted_spans",
            "repeated_spans",
            "rejected_spans",
            "refused",
            "not_stored",
            "bytes",
            "last_error",
            "last_error_at",
            "first_seen_at",
            "last_seen_at",
            "last_accepted_at",
            "clock_skew_ms",
        )


@method_decorator(never_cache, name="dispatch")
class IngestReceiptsView(APIView):
    """The receipts of a project's keys, the newest hour first."""

    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="ingest_receipts_list",
        summary="Receipts of a project's keys",
        tags=["Ingest"],
        parameters=[ReceiptParameters],
        responses=page_of(ReceiptSerializer),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = ReceiptParameters.of(request, project=project)
        receipts = IngestReceipt.objects.visible_to(actor_of(request)).of_project(project.pk)
        receipts = receipts.between(wanted.get("since"), wanted.get("until"))
        if "key" in wanted:
            receipts = receipts.filter(key=wanted["key"])
        if "cursor" in wanted:
            receipts = receipts.after(wanted["cursor"])
        rows = receipts[: wanted["limit"] + 1]
        return page(request, list(rows), wanted["limit"], cursor_of=ReceiptCursor.of, serializer=ReceiptSerializer)
