"""Errors that reach no view: JSON for the API's clients, pages for people. Named in agentops_portal/urls.py."""

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults

from agentops_portal.outage import is_outage_now, unavailable

from .paths import is_api


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_api(request.path):
        return JsonResponse({"detail": "Bad Request"}, status=400)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_api(request.path):
        return JsonResponse({"detail": "Forbidden"}, status=403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_api(request.path):
        return JsonResponse({"detail": "Not Found"}, status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    if is_outage_now():
        return unavailable(request)
    if is_api(request.path):
        return JsonResponse({"error": "Internal Server Error"}, status=500)
    return defaults.server_error(request)
