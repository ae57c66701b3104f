"""/api/v1/projects/{id}/keys: the keys of a project. A secret is answered once, when its key is made or rotated."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.decorators import method_decorator
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import KeyCursor, PageParameters, newest_first, page_of
from agentops_portal.api.parameters import CursorField, MomentField, Parameters
from agentops_portal.api.serializers import NameField, PortalModelSerializer
from projects.access import administered_project, person, visible_project
from projects.api.access import MayReadPeopleChange
from projects.api.actor import actor_of
from projects.api.idempotency import PARAMETER, idempotent
from projects.models import ApiKey, KeyScope, KeyStatus, Project
from projects.querysets import ApiKeyQuerySet
from projects.services import IssuedKey, create_api_key, revoke_api_key, rotate_api_key

from .access import check_administrator, faults_of

TAG = ["API keys"]
ADMINISTRATORS = "For owners and admins of the organization."
ONCE = "The secret is in this answer and nowhere else."
MAX_OVERLAP = 7 * 24 * 3600  # seconds


class KeyListParameters(PageParameters):
    status = serializers.ChoiceField(KeyStatus.choices, required=False, allow_blank=True)
    cursor = CursorField(KeyCursor.parser(str, str))


class ApiKeySerializer(PortalModelSerializer):
    scopes = serializers.ListField(child=serializers.ChoiceField(KeyScope.choices))
    status = serializers.ChoiceField(KeyStatus.choices, source="*")

    class Meta:
        model = ApiKey
        fields = ("id", "name", "prefix", "scopes", "status", "created_at", "expires_at", "revoked_at", "last_used_at")

    def to_representation(self, instance: ApiKey) -> dict[str, Any]:
        return {**super().to_representation(instance), "status": instance.status().value}


class IssuedKeySerializer(ApiKeySerializer):
    secret = serializers.UUIDField(
        allow_null=True, help_text="Null in the answer to a repeated request: it was shown once."
    )

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "secret")  # type: ignore[assignment]


class NewKey(Parameters):
    name = NameField(max_length=100, help_text="Where the key is used.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(KeyScope.choices), default=list(KeyScope.values), allow_empty=False, max_length=10
    )
    expires_at = MomentField(required=False, allow_null=True, help_text="By default never.")


class Rotation(Parameters):
    overlap_seconds = serializers.IntegerField(
        default=0, min_value=0, max_value=MAX_OVERLAP, help_text="How long the old key goes on, to switch clients over."
    )


def _key_of(project: Project, key_id: UUID) -> ApiKey:
    key = project.keys.select_related("project__organization").filter(pk=key_id).first()
    if key is None:
        raise NotFound("This project has no such key.")
    return key


def _of_status(keys: ApiKeyQuerySet, status: str) -> ApiKeyQuerySet:
    if status == KeyStatus.REVOKED:
        return keys.exclude(revoked_at=None)
    if status == KeyStatus.EXPIRED:
        return keys.filter(revoked_at=None, expires_at__lte=now())
    return keys.usable(now()) if status == KeyStatus.ACTIVE else keys


def _issued(issued: IssuedKey) -> Response:
    body: dict[str, Any] = {**ApiKeySerializer(issued.key).data, "secret": issued.secret}
    return Response(body, status=201)


@method_decorator(never_cache, name="dispatch")
class KeysView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="keys_list",
        summary="The keys of a project",
        description="The newest first, ended ones included, without their secrets.",
        tags=TAG,
        parameters=[KeyListParameters],
        responses=page_of(ApiKeySerializer),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = KeyListParameters.of(request)
        keys = _of_status(ApiKey.objects.visible_to(actor_of(request)).of_project(project.pk), wanted.get("status", ""))
        return newest_first(request, keys, wanted, time="created_at", serializer=ApiKeySerializer)

    @extend_schema(
        operation_id="keys_create",
        summary="A new key",
        description=f"{ADMINISTRATORS} {ONCE}",
        tags=TAG,
        parameters=[PARAMETER],
        request=NewKey,
        responses={201: IssuedKeySerializer},
    )
    @idempotent(check_administrator)
    def post(self, request: Request, project_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        wanted = NewKey.of_body(request)
        try:
            return _issued(create_api_key(project=project, actor=person(actor_of(request)), **wanted))
        except ValidationError as error:
            raise faults_of(error) from None


@method_decorator(never_cache, name="dispatch")
class KeyView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(operation_id="keys_retrieve", summary="One key", tags=TAG, responses=ApiKeySerializer)
    def get(self, request: Request, project_id: UUID, key_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        Parameters.of(request)
        return Response(ApiKeySerializer(_key_of(project, key_id)).data)


@method_decorator(never_cache, name="dispatch")
class KeyRotationView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="keys_rotate",
        summary="A new key in place of an old one",
        description=f"With the old one's name and scopes. {ADMINISTRATORS} {ONCE}",
        tags=TAG,
        parameters=[PARAMETER],
        request=Rotation,
        responses={201: IssuedKeySerializer},
    )
    @idempotent(check_administrator)
    def post(self, request: Request, project_id: UUID, key_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        key = _key_of(project, key_id)
        overlap = timedelta(seconds=Rotation.of_body(request)["overlap_seconds"])
        try:
            return _issued(rotate_api_key(key=key, actor=person(actor_of(request)), overlap=overlap))
        except ValidationError as error:
            raise faults_of(error) from None


@method_decorator(never_cache, name="dispatch")
class KeyRevocationView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="keys_revoke",
        summary="End a key",
        description=f"It stops within 30 seconds. Ending it again changes nothing. {ADMINISTRATORS}",
        tags=TAG,
        parameters=[PARAMETER],
        request=None,
        responses=ApiKeySerializer,
    )
    @idempotent(check_administrator)
    def post(self, request: Request, project_id: UUID, key_id: UUID) -> Response:
        project = administered_project(actor_of(request), project_id)
        key = _key_of(project, key_id)
        revoke_api_key(key=key, actor=person(actor_of(request)))
        return Response(ApiKeySerializer(key).data)
