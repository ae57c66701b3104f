"""POST /v4/logs/upload/, GET /v4/logs/{trace_id}, POST /v4/objects/upload/, GET /v4/objects/{object_id}."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compat.contract import ContractError, ContractView, contract_project
from compat.contract_schema import errors
from compat.monitoring.parameters import rows_for
from projects.access import has_scope, own_project_id
from projects.api.actor import actor_of
from projects.credentials import Credential
from projects.models import KeyScope, Project
from traces.api.downloads import streamed
from traces.ingest.uploads import (
    MAX_BYTES,
    MAX_LOG_BYTES,
    LogIsFull,
    QuotaReached,
    Upload,
    UploadKind,
    UploadQuerySet,
    add_object,
    add_to_log,
    asked_trace_ids,
    check_quota,
    text_of,
    unwrapped,
    uploaded_trace_id,
)

from .parameters import TAG, ProjectParameters

TOO_LARGE = f"File size exceeds the maximum limit of {MAX_BYTES} bytes"
BAD_TRACE_ID = "Trace ID contains invalid characters"
TRACE_ID_HEADER = OpenApiParameter(
    "Trace-Id", str, "header", required=True, description="The trace's id as a decimal number, as the SDK writes it."
)
TEXT = {"application/json": OpenApiTypes.OBJECT, "text/plain": OpenApiTypes.STR}


class UploadedSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="Where it can be read by whoever may read the project.")
    size = serializers.IntegerField(help_text="Bytes that were received.")


class TraceLogSerializer(serializers.Serializer[Any]):
    freeplan_truncated = serializers.BooleanField(help_text="Always false: there are no plans here.")
    trace_id = serializers.CharField()
    content = serializers.CharField(help_text="The text of all uploads, in the order in which they came.")


class MayUpload(BasePermission):
    """A key or token with the scope ingest. Nobody: 401; a person, or a key without the scope: 403."""

    message = "Uploads need an API key or project token with the permission to send data."

    def has_permission(self, request: Request, view: APIView) -> bool:
        actor = actor_of(request)
        return isinstance(actor, Credential) and has_scope(actor, KeyScope.INGEST)


def uploaded_bytes(request: Request) -> tuple[int, bytes]:
    """How many bytes came, of which no more are read than are allowed, and their content. Raises ContractError 413."""
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length[:20]) > MAX_BYTES:
        raise ContractError(413, TOO_LARGE)
    body: bytes = request._request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise ContractError(413, TOO_LARGE)
    return len(body), unwrapped(body)


@contextmanager
def within_quota() -> Iterator[None]:
    """429 with Retry-After instead of QuotaReached."""
    try:
        yield
    except QuotaReached as error:
        raise ContractError(429, str(error), error.wait) from None


def project_of_key(request: Request) -> Project:
    """Of a request that MayUpload let through."""
    return contract_project(request, str(own_project_id(actor_of(request))))


def uploaded(size: int, name: str, **where: Any) -> Response:
    return Response({"url": f"{settings.PORTAL_URL.rstrip('/')}{reverse(name, kwargs=where)}", "size": size})


class LogUploadView(ContractView):
    permission_classes = (MayUpload,)

    @extend_schema(
        operation_id="v4_logs_upload",
        summary="Add to the log of a trace",
        description='The body is the text, or JSON: `{"body": "<text>"}`. What was uploaded before stays, and the same '
        f"text is not added twice. At most {MAX_BYTES} bytes, {MAX_LOG_BYTES} for all uploads of a trace; and what a "
        "project may upload in a day, then 429.",
        tags=[TAG],
        parameters=[TRACE_ID_HEADER],
        request=TEXT,
        responses={200: UploadedSerializer, **errors(400, 404, 413)},
    )
    def post(self, request: Request) -> Response:
        named = request.headers.get("Trace-Id", "")
        if not named:
            raise ContractError(400, "No trace ID provided")
        try:
            trace_id = uploaded_trace_id(named)
        except ValueError:
            raise ContractError(400, BAD_TRACE_ID) from None
        with within_quota():
            project = project_of_key(request)
            check_quota(project)  # before the body is read
            received, content = uploaded_bytes(request)
            try:
                add_to_log(project=project, trace_id=trace_id, content=content)
            except LogIsFull:
                raise ContractError(413, f"The log of this trace has reached {MAX_LOG_BYTES} bytes") from None
        return uploaded(received, "v4-log", trace_id=trace_id)


class TraceLogView(ContractView):
    @extend_schema(
        operation_id="v4_logs_retrieve",
        summary="The log of a trace",
        tags=[TAG],
        parameters=[
            OpenApiParameter("trace_id", str, "path", description="The trace's id, hexadecimal or decimal."),
            ProjectParameters,
        ],
        responses={200: TraceLogSerializer, **errors(404)},
    )
    def get(self, request: Request, trace_id: str) -> StreamingHttpResponse:
        uploads = rows_for(request, Upload.objects.all(), ProjectParameters.of_query(request)["project_id"])
        missing = ContractError(404, f"No logs found for trace ID: {trace_id}")
        try:
            asked = asked_trace_ids(trace_id)
        except ValueError:
            raise missing from None
        ids = list(uploads.log_of(asked).values_list("id", flat=True))
        if not ids:
            raise missing
        return streamed(request, _log_json(trace_id, uploads, ids), content_type="application/json")


def _log_json(trace_id: str, uploads: UploadQuerySet, ids: list[UUID]) -> Iterator[bytes]:
    """The answer, of which one upload at a time is in memory."""
    yield orjson.dumps({"freeplan_truncated": False, "trace_id": trace_id})[:-1] + b',"content":"'
    for text in text_of(uploads.get(pk=upload) for upload in ids):
        yield orjson.dumps(text)[1:-1]
    yield b'"}'


class ObjectUploadView(ContractView):
    permission_classes = (MayUpload,)

    @extend_schema(
        operation_id="v4_objects_upload",
        summary="Store an object",
        description=f'The body is the object, or JSON with a text: `{{"body": "<text>"}}`. At most {MAX_BYTES} bytes; '
        "and what a project may upload in a day, then 429.",
        tags=[TAG],
        request={**TEXT, "application/octet-stream": OpenApiTypes.BINARY},
        responses={200: UploadedSerializer, **errors(404, 413)},
    )
    def post(self, request: Request) -> Response:
        with within_quota():
            project = project_of_key(request)
            check_quota(project)
            received, content = uploaded_bytes(request)
            upload = add_object(project=project, content=content)
        return uploaded(received, "v4-object", object_id=str(upload.pk))


class ObjectView(ContractView):
    @extend_schema(
        operation_id="v4_objects_retrieve",
        summary="An object, as it was uploaded",
        tags=[TAG],
        parameters=[OpenApiParameter("object_id", str, "path"), ProjectParameters],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **errors(404)},
    )
    def get(self, request: Request, object_id: str) -> HttpResponse:
        uploads = rows_for(request, Upload.objects.all(), ProjectParameters.of_query(request)["project_id"])
        try:
            pk = UUID(object_id)
        except ValueError:
            raise ContractError(404, "Object not found") from None
        upload = uploads.filter(kind=UploadKind.OBJECT, pk=pk).first()
        if upload is None:
            raise ContractError(404, "Object not found")
        # Whatever it is, no browser is to run it on this address.
        answer = HttpResponse(upload.content, content_type="application/octet-stream")
        answer["Content-Disposition"] = f'attachment; filename="{upload.pk}"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer
