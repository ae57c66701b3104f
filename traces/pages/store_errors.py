"""Pages for the time when ClickHouse does not answer: a clear word and 503, never an empty list."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from agentops_portal.clickhouse.gate import ClickHouseError, ClickHouseUnavailable, QueryError

View = Callable[..., HttpResponse]

RETRY_SECONDS = 5


def wants_fragment(request: HttpRequest) -> bool:
    """Whether the page's script asks for a part to put into the page (static/js/trace.js)."""
    return request.headers.get("X-Fragment") == "1"


def shows_store_errors(view: View) -> View:
    """Answer 503 with the reason when a query of `view` gets no answer; a wrong query (QueryError) stays an error."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except QueryError:
            raise
        except ClickHouseError as error:
            return _unavailable(request, error, kwargs)

    return wrapped


def _unavailable(request: HttpRequest, error: ClickHouseError, kwargs: dict[str, Any]) -> HttpResponse:
    is_away = isinstance(error, ClickHouseUnavailable)
    context = {
        "problem": str(error),
        "is_away": is_away,
        "query_id": error.query_id,
        "project": getattr(request, "open_project", None),
    }
    if "application/json" in request.headers.get("Accept", ""):
        # The address of the store is for staff, who see it on the page.
        words = _("Traces cannot be read right now") if is_away else str(error)
        response: HttpResponse = JsonResponse({"error": words}, status=503)
    else:
        name = "traces/_unavailable.html" if wants_fragment(request) else "traces/unavailable.html"
        response = render(request, name, context, status=503)
    if is_away:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response
