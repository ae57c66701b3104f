"""What is answered while PostgreSQL is away or hangs: 503, why, and when to try again."""

import sys

import psycopg
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from agentops_portal.api.paths import is_api

RETRY_SECONDS = 5
API_TEXT = "This cannot be answered now, for PostgreSQL does not answer. Try again."
# https://www.postgresql.org/docs/current/errcodes-appendix.html: no connection, no resources, shut down.
AWAY_CLASSES = ("08", "53", "57P")


class OutageMiddleware(MiddlewareMixin):
    """For the errors of views; those of middleware come to fallbacks.py."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return unavailable(request) if is_outage(error) else None


def is_outage(error: BaseException | None) -> bool:
    """Whether PostgreSQL does not answer; a statement that failed is a fault of the portal."""
    cause = error.__cause__ if isinstance(error, OperationalError | InterfaceError) else None
    if not isinstance(cause, psycopg.Error):
        return False
    return cause.sqlstate is None or cause.sqlstate.startswith(AWAY_CLASSES)


def is_outage_now() -> bool:
    """Of the exception that is being handled."""
    return is_outage(sys.exc_info()[1])


def unavailable(request: HttpRequest) -> HttpResponse:
    """A page that asks nobody anything, or JSON for the API."""
    response: HttpResponse
    if is_api(request.path):
        response = JsonResponse({"detail": API_TEXT}, status=503)
    else:
        response = render(request, "projects/unavailable.html", status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response
