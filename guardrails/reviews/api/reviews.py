"""/api/v1/projects/{id}/guardrails/reviews: what people say of single guardrail runs."""

from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.negotiation import LenientNegotiation
from agentops_portal.api.paging import newest_first, page_of
from agentops_portal.api.parameters import Parameters
from projects.access import developed, person, visible_project
from projects.api.access import MayRead, MayReadPeopleChange
from projects.api.actor import actor_of, author_of
from projects.api.idempotency import PARAMETER, idempotent
from projects.services import record
from traces.api.downloads import download
from traces.api.ranges import RangeParameters, pinned, scope_of

from .. import services
from ..access import existing_run, may_read_texts, own_review, removable_review, visible_review
from ..models import Review, kept_name
from ..precision import precisions
from ..test_set import false_positives
from .fields import (
    NewReview,
    PrecisionListSerializer,
    PrecisionSerializer,
    ReviewChanges,
    ReviewListParameters,
    ReviewSerializer,
)

TAG = ["Guardrails"]
DEVELOPERS = "For owners, admins and developers of the organization."


def check_developer(request: Request, project_id: UUID, **_: object) -> None:
    """Raises NotThere and NotAllowed."""
    developed(actor_of(request), visible_project(actor_of(request), project_id))


@method_decorator(never_cache, name="dispatch")
class ReviewsView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="guardrail_reviews_list",
        summary="What people say of single guardrail runs",
        description="The newest first. What a run was is kept with its review, also when its spans are kept no more.",
        tags=TAG,
        parameters=[ReviewListParameters],
        responses=page_of(ReviewSerializer),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = ReviewListParameters.of(request)
        rows = Review.objects.visible_to(actor_of(request)).of_project(project.pk)
        rows = rows.of_runs_between(wanted["start"], wanted["end"])
        rows = rows.in_conflict() if wanted.get("conflict") else rows
        exact = {"guardrail": "guardrail", "verdict": "verdict", "outcome": "outcome", "run": "run_key"}
        rows = rows.filter(**{field: kept_name(wanted[name]) for name, field in exact.items() if wanted.get(name)})
        rows = rows.with_conflict().select_related("reviewer")
        return newest_first(request, rows, wanted, time="created_at", serializer=ReviewSerializer)

    @extend_schema(
        operation_id="guardrail_reviews_create",
        summary="Say whether a guardrail run was right",
        description=f"One of a person: a second changes the first, and is answered 200. {DEVELOPERS}",
        tags=TAG,
        parameters=[PARAMETER],
        request=NewReview,
        responses={200: ReviewSerializer, 201: ReviewSerializer},
    )
    @idempotent(check_developer)
    def post(self, request: Request, project_id: UUID) -> Response:
        project = developed(actor_of(request), visible_project(actor_of(request), project_id))
        wanted = NewReview.of_body(request)
        run = existing_run(project, wanted.pop("run"))
        review, is_new = services.give_review(project=project, run=run, reviewer=person(actor_of(request)), **wanted)
        return _answer(request, project_id, review, 201 if is_new else 200)


@method_decorator(never_cache, name="dispatch")
class ReviewView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="guardrail_reviews_retrieve", summary="One review", tags=TAG, responses=ReviewSerializer
    )
    def get(self, request: Request, project_id: UUID, review_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        Parameters.of(request)
        return Response(ReviewSerializer(visible_review(actor_of(request), project, review_id)).data)

    @extend_schema(
        operation_id="guardrail_reviews_update",
        summary="Change one's own review",
        description="What is left out stays. For who gave it.",
        tags=TAG,
        parameters=[PARAMETER],
        request=ReviewChanges,
        responses=ReviewSerializer,
    )
    @idempotent(check_developer)
    def patch(self, request: Request, project_id: UUID, review_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        review = own_review(actor_of(request), project, review_id)
        services.change_review(review=review, actor=person(actor_of(request)), **ReviewChanges.of_body(request))
        return _answer(request, project_id, review)

    @extend_schema(
        operation_id="guardrail_reviews_delete",
        summary="Remove a review",
        description="For who gave it, and for owners and admins of the organization.",
        tags=TAG,
        parameters=[PARAMETER],
        responses={204: None},
    )
    @idempotent(check_developer)
    def delete(self, request: Request, project_id: UUID, review_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        review = removable_review(actor_of(request), project, review_id)
        services.delete_review(review=review, actor=person(actor_of(request)))
        return Response(status=204)


@method_decorator(never_cache, name="dispatch")
class PrecisionView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="guardrail_precision",
        summary="How often each guardrail is right when it steps in",
        description="As far as its runs of the range were reviewed. Of fewer than 20 judged runs no share is told.",
        tags=TAG,
        parameters=[RangeParameters],
        responses=PrecisionListSerializer,
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = RangeParameters.of(request)
        found = precisions(scope_of(project, wanted))
        return Response({**pinned(wanted), "guardrails": PrecisionSerializer(found, many=True).data})


@method_decorator(never_cache, name="dispatch")
class FalsePositivesView(APIView):
    permission_classes = (MayRead,)
    content_negotiation_class = LenientNegotiation  # it has one format

    @extend_schema(
        operation_id="guardrail_reviews_export",
        summary="Reviewed false positives as a test set",
        description="JSON Lines, the oldest run first: text, guardrail, what it did and what was expected. Runs that"
        " somebody calls right are left out. `text` is null with `text_status` redacted for roles that may not read"
        " prompts, gone when the spans are kept no more, not_sent when the client did not send it. A file that ends"
        ' early says so in its last line: `"incomplete": true`.',
        tags=TAG,
        parameters=[RangeParameters],
        responses={(200, "application/x-ndjson"): OpenApiTypes.STR},
    )
    def get(self, request: Request, project_id: UUID) -> StreamingHttpResponse:
        project = visible_project(actor_of(request), project_id)
        scope = scope_of(project, RangeParameters.of(request))
        with_text = may_read_texts(actor_of(request), project)
        answer = download(
            request,
            false_positives(scope, with_text),
            filename=f"false-positives-{scope.start:%Y%m%d}-{scope.end:%Y%m%d}.jsonl",
            content_type="application/x-ndjson",
        )
        actor, by = author_of(request)
        details = {"start": scope.start.isoformat(), "end": scope.end.isoformat(), "with_text": with_text, **by}
        record("guardrail_reviews.exported", actor=actor, project=project, target=project.name, **details)
        return answer


def _answer(request: Request, project_id: UUID, review: Review, status: int = 200) -> Response:
    project = visible_project(actor_of(request), project_id)
    whole = visible_review(actor_of(request), project, review.pk)
    return Response(ReviewSerializer(whole).data, status=status)
