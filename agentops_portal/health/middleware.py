"""One log line, one id and one count for each request."""

import re
import time
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from .metrics import observe

HEADER = "X-Request-ID"
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET_VIEWS = frozenset({"health", "ready", "metrics"})  # asked every few seconds: logged at level debug

logger = structlog.get_logger("portal.request")


class RequestMiddleware(MiddlewareMixin):
    """Takes the id that a proxy gave the request, or makes one; every log line written meanwhile carries it.

    The path is logged without its query: that may hold tokens.
    """

    def process_request(self, request: HttpRequest) -> None:
        given = request.headers.get(HEADER, "")
        request_id = given if SAFE_ID.fullmatch(given) else uuid4().hex
        request.META["portal.request_id"] = request_id
        request.META["portal.started"] = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        seconds = time.perf_counter() - request.META["portal.started"]
        view = (request.resolver_match and request.resolver_match.view_name) or "unmatched"
        observe(view, request.method or "", response.status_code, seconds)
        write = logger.debug if view in QUIET_VIEWS else logger.info
        write(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
        response.headers[HEADER] = request.META["portal.request_id"]
        return response
