"""Pages that show one trace to whoever has a link to it, signed in or not. They write nothing and lead nowhere else."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from agentops_portal.clickhouse.gate import ClickHouseError, QueryError, Scope
from traces.models import ShareLink
from traces.store.queries.span_detail import span_detail as query_span
from traces.store.queries.trace_detail import trace_scope

from .span_page import as_json, span_response
from .store_errors import RETRY_SECONDS
from .trace_page import trace_context

View = Callable[..., HttpResponse]


def _public(view: View) -> View:
    """For a page that anybody may be sent: no cache and no search engine keeps it."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except QueryError:
            raise
        except ClickHouseError:  # its text is for the portal's own people
            response = render(request, "traces/share_unavailable.html", status=503)
            response["Retry-After"] = str(RETRY_SECONDS)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return wrapped


@require_GET
@never_cache
@_public
def shared_trace(request: HttpRequest, token: str) -> HttpResponse:
    """Context as in views.trace_detail, and `link`."""
    link, scope = _opened(token)
    context = {
        "link": link,
        "trace_address": reverse("shared-trace", kwargs={"token": token}),
        **trace_context(scope, link.trace_id, request.GET.get("span", "")),
    }
    return render(request, "traces/share.html", context)


@require_GET
@never_cache
@_public
def shared_span(request: HttpRequest, token: str, span_id: str) -> HttpResponse:
    """A page of its own, a fragment for the trace page's script, or with `?format=json` the span as it is stored."""
    link, scope = _opened(token)
    span = query_span(scope, link.trace_id, span_id)
    if span is None:
        raise Http404(_("There is no such span in this trace."))
    if request.GET.get("format") == "json":
        return HttpResponse(as_json(span), content_type="application/json")
    context = {"link": link, "trace_address": reverse("shared-trace", kwargs={"token": token})}
    response = span_response(request, "traces/share_span.html", scope, span, context)
    response["Vary"] = "X-Fragment"
    return response


def _opened(token: str) -> tuple[ShareLink, Scope]:
    """The link, and the time range of its trace. Raises Http404, whatever the reason that the link shows nothing."""
    link = ShareLink.objects.with_token(token, timezone.now())
    scope = trace_scope(link.project_id, link.trace_id) if link else None
    if link is None or scope is None:
        raise Http404(_("This link has expired, was withdrawn, or never was one."))
    return link, scope
