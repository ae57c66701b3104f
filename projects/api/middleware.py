"""What every answer of the API needs, whichever view gives it."""

import re
from collections.abc import Callable
from datetime import UTC
from typing import Any

from corsheaders.middleware import (
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    CorsMiddleware,
)
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import is_valid_path
from django.utils import timezone, translation
from django.utils.deprecation import MiddlewareMixin

from agentops_portal.api.paths import is_api, is_for_sessions_only

from .throttles import usage_of


class ApiMiddleware(MiddlewareMixin):
    """Below the API's addresses: an address counts with and without the slash at its end (a redirect would lose the
    body of an upload), texts are English and times UTC whoever asks, and what is left of the rate limit is told.
    """

    def process_request(self, request: HttpRequest) -> None:
        path = request.path_info
        if not is_api(path) or is_valid_path(path):
            return
        other = path[:-1] if path.endswith("/") else f"{path}/"
        if is_valid_path(other):
            request.path = request.path[: len(request.path) - len(path)] + other
            request.path_info = other

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> None:
        if is_api(request.path_info):
            translation.activate("en")
            timezone.activate(UTC)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        usage = usage_of(request)
        if usage is not None:
            response.headers["X-RateLimit-Limit"] = str(usage.limit)
            response.headers["X-RateLimit-Remaining"] = str(usage.remaining)
            response.headers["X-RateLimit-Reset"] = str(usage.reset)
        return response


def _is_nowhere(request: HttpRequest) -> bool:
    if "Origin" not in request.headers:
        return False
    path = request.path_info
    return not is_valid_path(path) and not (settings.APPEND_SLASH and is_valid_path(f"{path}/"))


class PortalCorsMiddleware(CorsMiddleware):
    """Pages of the origins in CORS_ALLOWED_ORIGINS may send the session cookie. Pages of all others may ask with a key,
    without cookies, and not at all where only a session opens anything. Addresses that do not exist count as the API's:
    a dashboard that asks for what this portal does not have is to see the 404, not an error of the network.
    """

    def check_signal(self, request: HttpRequest) -> bool:
        path = request.path_info
        if is_for_sessions_only(path):
            return False
        return re.match(settings.CORS_URLS_REGEX, path) is not None or _is_nowhere(request)

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().add_response_headers(request, response)
        if request.headers.get("Origin") not in settings.CORS_ALLOWED_ORIGINS:
            response.headers.pop(ACCESS_CONTROL_ALLOW_CREDENTIALS, None)
            if ACCESS_CONTROL_ALLOW_ORIGIN in response.headers:
                response.headers[ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
        return response
