"""…/share: links that show one trace to whoever has them (traces/reading/sharing.py)."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentops_portal.api.serializers import UtcDateTimeField
from compat.contract import ContractError, ContractParameters, ContractView, contract_project
from compat.contract_schema import errors
from projects.api.actor import actor_of, author_of
from projects.credentials import Credential
from projects.models import Project
from traces.converters import stored_trace_id
from traces.models import ShareLink
from traces.reading.sharing import MAX_DAYS, may_share, revoke_share_link, share_trace

from .parameters import TAG, ProjectParameters, projects_of, rows_for, trace_among, trace_not_found

MAX_LISTED = 500


class ShareParameters(ContractParameters):
    trace_id = serializers.CharField(max_length=100)
    expires_in_days = serializers.IntegerField(default=7, min_value=1, max_value=MAX_DAYS)
    project_id = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Only needed when several of your projects have it."
    )


class ShareListParameters(ProjectParameters):
    trace_id = serializers.CharField(required=False, max_length=100, help_text="Only links to this trace.")


class NewShareLinkSerializer(serializers.Serializer[Any]):
    link_id = serializers.UUIDField()
    trace_id = serializers.CharField()
    url = serializers.URLField(help_text="Shown once: the portal keeps only a hash of it.")
    expires_at = UtcDateTimeField()


class ShareLinkSerializer(serializers.Serializer[Any]):
    link_id = serializers.UUIDField(source="pk")
    trace_id = serializers.CharField()
    project_id = serializers.UUIDField()
    created_by = serializers.CharField(
        source="created_by.email", default=None, allow_null=True, help_text="Null for links made with a key."
    )
    created_at = UtcDateTimeField()
    expires_at = UtcDateTimeField()
    revoked_at = UtcDateTimeField(allow_null=True)
    active = serializers.BooleanField(source="works", help_text="Whether the link shows its trace now.")


class ShareLinkListSerializer(serializers.Serializer[Any]):
    links = ShareLinkSerializer(many=True, help_text=f"The newest first; at most {MAX_LISTED}.")


class RevokedLinkSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["revoked"])
    link_id = serializers.UUIDField()


class ShareView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="Share a trace",
        description="A link that shows this one trace, read-only and without an account, until it expires. For "
        "developers, admins and owners of the organization, and keys that read; it ends with the right of whoever made "
        "it: when the person leaves, is switched off or becomes a business user, when the key is revoked or expires.",
        request=ShareParameters,
        responses={200: NewShareLinkSerializer, **errors(404)},
    )
    def post(self, request: Request) -> Response:
        asked = ShareParameters.of_body(request)
        project, trace_id = _located(request, asked["project_id"], asked["trace_id"])
        actor, _by = author_of(request)
        if actor is not None and not may_share(actor, project):
            raise ContractError(403, "Only developers, admins and owners of the organization may share traces.")
        shared = share_trace(
            project=project, trace_id=trace_id, days=asked["expires_in_days"], actor=actor, key_id=_key_id(request)
        )
        body = {
            "link_id": shared.link.pk,
            "trace_id": trace_id,
            "url": settings.PORTAL_URL + reverse("shared-trace", kwargs={"token": shared.token}),
            "expires_at": shared.link.expires_at,
        }
        return Response(NewShareLinkSerializer(body).data)

    @extend_schema(
        tags=[TAG],
        summary="The links to traces",
        parameters=[ShareListParameters],
        responses={200: ShareLinkListSerializer, **errors(404)},
    )
    def get(self, request: Request) -> Response:
        asked = ShareListParameters.of_query(request)
        links = rows_for(request, ShareLink.objects.all(), asked["project_id"])
        if "trace_id" in asked:
            try:
                links = links.filter(trace_id=stored_trace_id(asked["trace_id"]))
            except ValueError:
                links = links.none()
        rows = links.with_state(timezone.now()).select_related("created_by")[:MAX_LISTED]
        return Response(ShareLinkListSerializer({"links": rows}).data)


class ShareLinkView(ContractView):
    @extend_schema(
        tags=[TAG],
        summary="Revoke a link",
        description="Whoever made it may, and owners and admins of the organization.",
        responses={200: RevokedLinkSerializer, **errors(404)},
    )
    def delete(self, request: Request, link_id: str) -> Response:
        link = _visible_link(request, link_id)
        if not _may_revoke(request, link):
            raise ContractError(403, "Only who made this link, and owners and admins, may revoke it.")
        actor, _by = author_of(request)
        revoke_share_link(link=link, actor=actor, key_id=_key_id(request))
        return Response({"status": "revoked", "link_id": str(link.pk)})


def _located(request: Request, project_id: str, text: str) -> tuple[Project, str]:
    """The project among those the asker sees that has the trace, and the trace's id as it is stored."""
    trace_id, scope = trace_among(projects_of(request, project_id), text, trace_not_found(text))
    return contract_project(request, str(scope.project_id)), trace_id


def _visible_link(request: Request, link_id: str) -> ShareLink:
    try:
        links = ShareLink.objects.visible_to(actor_of(request)).filter(pk=UUID(link_id))
        return links.select_related("project__organization").get()
    except (ValueError, ShareLink.DoesNotExist):
        raise ContractError(404, f"Share link not found: {link_id}") from None


def _may_revoke(request: Request, link: ShareLink) -> bool:
    return ShareLink.objects.revocable_by(actor_of(request)).filter(pk=link.pk).exists()


def _key_id(request: Request) -> UUID | None:
    actor = actor_of(request)
    return actor.key_id if isinstance(actor, Credential) else None
