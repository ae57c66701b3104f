"""GET /api/v1/projects/{id}/traces…: the traces of a project, one trace, its spans, one span."""

import re
from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agentops_portal.api.paging import KeyCursor, PageParameters, page, page_of
from agentops_portal.api.parameters import CursorField, Parameters
from agentops_portal.clickhouse.gate import Scope
from projects.access import administered_project, person, visible_project
from projects.api.access import MayRead, MayReadPeopleChange
from projects.api.actor import actor_of
from projects.api.idempotency import PARAMETER, idempotent
from projects.api.v1.access import check_administrator
from projects.models import Project
from traces.converters import stored_trace_id
from traces.lifecycle.erasure.services import erase_trace
from traces.store.queries.span_detail import span_detail
from traces.store.queries.span_pages import key_of, span_page
from traces.store.queries.trace_detail import trace_figures, trace_scope
from traces.store.queries.trace_list import Cursor, trace_page
from traces.store.queries.trace_spans import MAX_SPANS

from .erasures import FOR_ADMINISTRATORS, ErasureSerializer
from .filters import TraceFilterParameters, trace_filter
from .ranges import PRESET, RangePageParameters, pinned, scope_of
from .selection import WordsField
from .trace_serializers import (
    TRACE_FIELDS,
    SomeSpanSerializer,
    SpanSerializer,
    TraceDetailSerializer,
    TraceSerializer,
    WholeSpanSerializer,
)

NO_TRACE = "There is no such trace in this project."
NO_SPAN = "There is no such span in this trace."
INCLUDE = ("spans", "attributes")
TRACE_ID = OpenApiParameter("trace_id", str, "path", description="32 hexadecimal digits, or a UUID.")
SPAN_ID = OpenApiParameter("span_id", str, "path", description="16 hexadecimal digits.")


class TraceListParameters(TraceFilterParameters, RangePageParameters):
    fields = WordsField(  # type: ignore[assignment]
        TRACE_FIELDS, help_text="Only these of a trace, separated by commas."
    )
    cursor = CursorField(Cursor.parse)


class TraceParameters(Parameters):
    include = WordsField(
        INCLUDE, help_text="`spans`: the spans too; `attributes`: and everything that was sent of them."
    )


class SpanListParameters(PageParameters):
    include = WordsField(INCLUDE[1:], help_text="`attributes`: everything that was sent of the spans.")
    cursor = CursorField(KeyCursor.parser(int, int, str))


def stored_trace(project: Project, trace_id: str) -> tuple[Scope, str]:
    """The range and the id of a trace as it is stored. Raises NotFound."""
    try:
        stored = stored_trace_id(trace_id)
    except ValueError:
        raise NotFound(NO_TRACE) from None
    scope = trace_scope(project.pk, stored)
    if scope is None:
        raise NotFound(NO_TRACE)
    return scope, stored


@method_decorator(never_cache, name="dispatch")
class TracesView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="traces_list",
        summary="Traces that fit a filter",
        description="The newest first. A trace belongs to every range that it overlaps.",
        tags=["Traces"],
        parameters=[TraceListParameters],
        responses=page_of(TraceSerializer),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = TraceListParameters.of(request)
        found = trace_page(scope_of(project, wanted), trace_filter(wanted), wanted.get("cursor"), wanted["limit"] + 1)
        return page(
            request,
            found.traces,
            wanted["limit"],
            cursor_of=lambda trace: Cursor(trace.start_ns, trace.trace_id),
            serializer=TraceSerializer,
            pinned=pinned(wanted),
            replaced=PRESET,
            context={"fields": wanted["fields"]},
        )


@method_decorator(never_cache, name="dispatch")
class TraceView(APIView):
    permission_classes = (MayReadPeopleChange,)

    @extend_schema(
        operation_id="traces_retrieve",
        summary="One trace",
        description=f"With `include` up to {MAX_SPANS} spans; a trace with more has them on pages of their own.",
        tags=["Traces"],
        parameters=[TRACE_ID, TraceParameters],
        responses=TraceDetailSerializer,
    )
    def get(self, request: Request, project_id: UUID, trace_id: str) -> Response:
        project = visible_project(actor_of(request), project_id)
        include = TraceParameters.of(request)["include"]
        scope, stored = stored_trace(project, trace_id)
        figures = trace_figures(scope, stored)
        if figures is None:
            raise NotFound("The spans of this trace are gone.")
        answer = dict(TraceDetailSerializer(figures).data)
        if include:
            spans = span_page(scope, stored, None, MAX_SPANS, attributes="attributes" in include)
            answer["spans"] = _span_serializer(include)(spans, many=True).data
            answer["hidden_spans"] = max(figures.span_count - len(spans), 0)
        return Response(answer)

    @extend_schema(
        operation_id="traces_delete",
        summary="Delete a trace",
        description="At once and for good, from every table, with its log and share links; says what is left. "
        f"{FOR_ADMINISTRATORS}",
        tags=["Traces"],
        parameters=[TRACE_ID, PARAMETER],
        request=None,
        responses={200: ErasureSerializer},
    )
    @idempotent(check_administrator)
    def delete(self, request: Request, project_id: UUID, trace_id: str) -> Response:
        project = administered_project(actor_of(request), project_id)
        _scope, stored = stored_trace(project, trace_id)
        erasure = erase_trace(project=project, trace_id=stored, actor=person(actor_of(request)))
        return Response(ErasureSerializer(erasure).data)


@method_decorator(never_cache, name="dispatch")
class TraceSpansView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="traces_spans_list",
        summary="The spans of a trace",
        description="The earliest first; of two that start together the longer one.",
        tags=["Traces"],
        parameters=[TRACE_ID, SpanListParameters],
        responses=page_of(SomeSpanSerializer),
    )
    def get(self, request: Request, project_id: UUID, trace_id: str) -> Response:
        project = visible_project(actor_of(request), project_id)
        wanted = SpanListParameters.of(request)
        scope, stored = stored_trace(project, trace_id)
        after = wanted["cursor"].values if "cursor" in wanted else None
        whole = "attributes" in wanted["include"]
        spans = span_page(scope, stored, after, wanted["limit"] + 1, attributes=whole)
        return page(
            request,
            spans,
            wanted["limit"],
            cursor_of=lambda span: KeyCursor(key_of(span)),
            serializer=_span_serializer(wanted["include"]),
        )


@method_decorator(never_cache, name="dispatch")
class SpanView(APIView):
    permission_classes = (MayRead,)

    @extend_schema(
        operation_id="traces_spans_retrieve",
        summary="One span, with everything that was sent of it",
        tags=["Traces"],
        parameters=[TRACE_ID, SPAN_ID],
        responses=WholeSpanSerializer,
    )
    def get(self, request: Request, project_id: UUID, trace_id: str, span_id: str) -> Response:
        project = visible_project(actor_of(request), project_id)
        Parameters.of(request)
        scope, stored = stored_trace(project, trace_id)
        span = span_detail(scope, stored, span_id.lower()) if re.fullmatch(r"[0-9A-Fa-f]{16}", span_id) else None
        if span is None:
            raise NotFound(NO_SPAN)
        return Response(WholeSpanSerializer(span).data)


def _span_serializer(include: tuple[str, ...]) -> type[SpanSerializer]:
    return WholeSpanSerializer if "attributes" in include else SpanSerializer
